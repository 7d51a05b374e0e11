import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  arrayText,
  DenseArrayReader,
  indentJson,
  JsonError,
  JsonReader,
  nodeText,
  pythonFloat,
  readNode,
} from "./index.ts";
import { elementsOf } from "../../../models/tensor/index.ts";

const STYLE = { sortKeys: false, asciiOnly: true };
const reader = new JsonReader();
const dense = new DenseArrayReader();

function parse(text: string): ReturnType<typeof readNode> {
  reader.open(Buffer.from(text));
  const node = readNode(reader);
  reader.finish();
  return node;
}

function readDense(
  text: string,
): { shape: readonly number[]; values: (number | bigint)[]; datatype: string } | undefined {
  reader.open(Buffer.from(text));
  reader.peek();
  const tensor = dense.read(reader);
  if (tensor === undefined) return undefined;
  reader.finish();
  return { shape: tensor.shape, datatype: tensor.datatype, values: [...elementsOf(tensor)] };
}

test("whatever JSON.stringify writes is read and written with the same meaning", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      assert.deepEqual(
        JSON.parse(nodeText(parse(JSON.stringify(value)), STYLE)),
        JSON.parse(JSON.stringify(value)),
      );
    }),
    { numRuns: 400 },
  );
});

test("bytes that JSON.parse refuses are refused, but for the three words of Python", () => {
  const piece = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    "\\u12",
    "1",
    "0",
    "-",
    ".",
    "e",
    "E5",
    "true",
    "nul",
    "false",
    " ",
    "\n",
    "\u0001",
    "é",
    '"a"',
    '"k":',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join("");
      let want: unknown;
      try {
        want = JSON.parse(text);
      } catch {
        assert.throws(() => parse(text), JsonError, text);
        return;
      }
      assert.equal(JSON.stringify(JSON.parse(nodeText(parse(text), STYLE))), JSON.stringify(want)); // 0 and -0 alike
    }),
    { numRuns: 3000 },
  );
});

test("any bytes give a value or a JsonError, from every entry", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      for (const read of [
        readNode,
        (from: JsonReader) => from.skip(),
        (from: JsonReader) => dense.read(from),
      ]) {
        try {
          reader.open(Buffer.from(bytes));
          read(reader);
          reader.finish();
        } catch (error) {
          assert.ok(error instanceof JsonError, String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test("numbers are read as JSON.parse reads them", () => {
  const digits = fc.stringMatching(
    /^-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?$/,
  );
  fc.assert(
    fc.property(digits, (text) => {
      reader.open(Buffer.from(text));
      const got = reader.number();
      const want = JSON.parse(text) as number;
      assert.ok(Object.is(got, want) || (want === 0 && got === 0), `${text}: ${got} ${want}`);
      assert.equal(reader.isFloat, /[.eE]/.test(text));
    }),
    { numRuns: 3000 },
  );
});

const matrix = (
  element: fc.Arbitrary<number>,
): fc.Arbitrary<{ shape: [number, number]; values: number[] }> =>
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 120 }))
    .chain(([rows, columns]) =>
      fc
        .array(element, { minLength: rows * columns, maxLength: rows * columns })
        .map((values) => ({ shape: [rows, columns], values })),
    );

test("rows of doubles go through text and back unchanged, few and many", () => {
  fc.assert(
    fc.property(matrix(fc.double({ noNaN: true })), ({ shape, values }) => {
      const tensor = {
        name: "",
        datatype: "FP64",
        shape,
        data: new Uint8Array(Float64Array.from(values).buffer),
      } as const;
      const text = arrayText(tensor, "nested").toString();
      const back = readDense(text);
      assert.deepEqual(back, { shape, datatype: "FP64", values });
      assert.equal(readDense(arrayText(tensor, "flat").toString())?.values.length, values.length);
    }),
    { numRuns: 200 },
  );
});

test("decimals with few places are written shortest", () => {
  const decimal = fc
    .tuple(fc.integer({ min: -1e12, max: 1e12 }), fc.integer({ min: 0, max: 8 }))
    .map(([whole, places]) => whole / 10 ** places);
  fc.assert(
    fc.property(fc.array(decimal, { minLength: 300, maxLength: 300 }), (values) => {
      const data = new Uint8Array(Float64Array.from(values).buffer);
      const text = arrayText({ name: "", datatype: "FP64", shape: [300], data }, "flat").toString();
      assert.equal(text, `[${values.map(pythonFloat).join(",")}]`);
    }),
    { numRuns: 30 },
  );
});

test("integers of 64 bits survive exactly", () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), {
        minLength: 1,
        maxLength: 300,
      }),
      (values) => {
        const read = readDense(`[${values.join(",")}]`);
        assert.deepEqual(read, { shape: [values.length], datatype: "INT64", values });
        const data = new Uint8Array(BigInt64Array.from(values).buffer);
        assert.equal(
          arrayText(
            { name: "", datatype: "INT64", shape: [values.length], data },
            "flat",
          ).toString(),
          `[${values.join(",")}]`,
        );
      },
    ),
    { numRuns: 200 },
  );
});

test("indented text says the same", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      assert.equal(indentJson(JSON.stringify(value)), JSON.stringify(value, null, 2));
    }),
    { numRuns: 300 },
  );
});
