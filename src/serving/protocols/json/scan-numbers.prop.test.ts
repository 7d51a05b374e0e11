import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NumberScanner } from "./scan-numbers.ts";

const scanner = new NumberScanner();

/** What a scan takes of a text, and where it stops. */
function scan(text: string, room = 64): { readonly values: number[]; readonly at: number } {
  const into = new Float64Array(room);
  const count = scanner.scan(Buffer.from(text), 0, into, 0);
  return { values: [...into.subarray(0, count)], at: scanner.at };
}

/** A decimal with a given number of digits, a point anywhere and sometimes an exponent. */
const decimal = fc
  .record({
    digits: fc.stringMatching(/^[1-9][0-9]{0,18}$/),
    point: fc.integer({ min: -30, max: 20 }),
    power: fc.option(fc.integer({ min: -40, max: 25 }), { nil: undefined }),
    sign: fc.constantFrom("", "-"),
  })
  .map(({ digits, point, power, sign }) => {
    const body =
      point <= 0
        ? `0.${"0".repeat(-point)}${digits}`
        : point >= digits.length
          ? `${digits}.0`
          : `${digits.slice(0, point)}.${digits.slice(point)}`;
    return `${sign}${body}${power === undefined ? "" : `e${power}`}`;
  });

test("a number that is taken is the double that is nearest to its text", () => {
  fc.assert(
    fc.property(decimal, (text) => {
      const { values, at } = scan(`${text}]`);
      if (values.length === 0) assert.equal(at, 0);
      else assert.deepEqual({ values, at }, { values: [Number(text)], at: text.length }, text);
    }),
    { numRuns: 20_000 },
  );
});

test("doubles are taken as they were printed, nearly all of them at once", () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.double({ min: 1e-20, max: 1e15, noNaN: true }), (value) => {
      const { values } = scan(`${value}]`);
      taken += values.length;
      if (values.length === 1) assert.equal(values[0], value);
    }),
    { numRuns: 20_000 },
  );
  assert.ok(taken > 10_000, `${taken} of 20,000`);
});

test("halves between two doubles are never rounded to the wrong side", () => {
  for (let power = 0; power < 40; power += 1) {
    const low = 1 + power / 64;
    const half = (BigInt(low * 2 ** 52) * 2n + 1n) * 5n ** 53n; // exact decimal of low plus half an ulp, 53 places
    const text = `${half}`.padStart(54, "0");
    const exact = `${text.slice(0, -53)}.${text.slice(-53)}`;
    for (const length of [17, 18, 19, 20])
      for (const cut of [exact.slice(0, length), exact.slice(0, length - 1) + "9"]) {
        const { values } = scan(`${cut}]`);
        if (values.length === 1) assert.equal(values[0], Number(cut), cut);
      }
  }
});

test("it stops before what is not plain, and stands behind what it took", () => {
  const cases: readonly (readonly [text: string, values: readonly number[], at: number])[] = [
    ["1,2 ,\n 3]", [1, 2, 3], 8],
    ["1,2,x", [1, 2], 3],
    ["1,", [1], 1],
    ["1,01", [1], 1],
    ["1.,2", [], 0],
    ["-,1", [], 0],
    ["-0,-0.0]", [0, -0], 7],
    ["1e5,1E+2,1e-2,1e", [100_000, 100, 0.01], 13],
    ["1,9007199254740993", [1], 1],
    ["999999999999999,-1", [999_999_999_999_999, -1], 18],
    ["NaN", [], 0],
    ['1,"a"', [1], 1],
    ["1,[2]", [1], 1],
    ["1e400,1", [], 0],
    ["", [], 0],
    ["  ]", [], 0],
  ];
  for (const [text, values, at] of cases) assert.deepEqual(scan(text), { values, at }, text);
  assert.deepEqual(scan("1,2,3]", 2), { values: [1, 2], at: 3 });
});
