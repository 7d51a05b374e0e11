import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bytesOf,
  castTensor,
  DATATYPES,
  elementCount,
  elementsOf,
  fromBrain,
  fromHalf,
  isDatatype,
  isNumeric,
  itemBytes,
  shapeText,
  toDoubles,
  type Datatype,
  type Tensor,
} from "./index.ts";

const INVALID = { code: "TENSOR_INVALID" };

function doubles(values: readonly number[]): Tensor {
  const data = bytesOf(Float64Array.from(values));
  return { name: "x", datatype: "FP64", shape: [values.length], data };
}

function integers(values: readonly bigint[]): Tensor {
  const data = bytesOf(BigInt64Array.from(values));
  return { name: "x", datatype: "INT64", shape: [values.length], data };
}

/** A number through another datatype and back. */
function through(datatype: Datatype, value: number): number | undefined {
  return toDoubles(castTensor(doubles([value]), datatype))[0];
}

test("every datatype has a name and a size, and only those", () => {
  assert.deepEqual(
    DATATYPES.map((datatype) => [datatype, itemBytes(datatype), isNumeric(datatype)]),
    [
      ["BOOL", 1, false],
      ["UINT8", 1, true],
      ["UINT16", 2, true],
      ["UINT32", 4, true],
      ["UINT64", 8, true],
      ["INT8", 1, true],
      ["INT16", 2, true],
      ["INT32", 4, true],
      ["INT64", 8, true],
      ["FP16", 2, true],
      ["BF16", 2, true],
      ["FP32", 4, true],
      ["FP64", 8, true],
      ["BYTES", 0, false],
    ],
  );
  assert.ok(DATATYPES.every(isDatatype));
  for (const text of ["fp32", "STRING", "", "toString", "__proto__"])
    assert.equal(isDatatype(text), false, text);
});

test("a shape's elements are counted, and a shape that is none is refused", () => {
  assert.deepEqual([[], [3], [2, 3], [2, 0, 5]].map(elementCount), [1, 3, 6, 0]);
  for (const shape of [[-1], [1.5], [2 ** 30, 2 ** 30], [Number.NaN]])
    assert.throws(() => elementCount(shape), INVALID, String(shape));
  assert.deepEqual([[], [3], [2, 3]].map(shapeText), ["()", "(3,)", "(2,3)"]);
});

/** Bits of half precision and what they stand for. @see IEEE 754-2019, binary16 */
const HALVES: readonly (readonly [number, number])[] = [
  [0x0000, 0],
  [0x8000, -0],
  [0x0001, 2 ** -24],
  [0x03ff, 1023 * 2 ** -24],
  [0x0400, 2 ** -14],
  [0x3c00, 1],
  [0xc000, -2],
  [0x3555, 0.333251953125],
  [0x7bff, 65_504],
  [0x7c00, Infinity],
  [0xfc00, -Infinity],
];

test("half precision is read and written as IEEE 754 says, rounded to even", () => {
  for (const [bits, value] of HALVES) {
    assert.ok(Object.is(fromHalf(bits), value), `${bits.toString(16)} is ${value}`);
    assert.ok(Object.is(through("FP16", value), value), `${value} stays`);
  }
  assert.ok(Number.isNaN(fromHalf(0x7e00)) && Number.isNaN(through("FP16", Number.NaN)));
  assert.equal(through("FP16", 2049), 2048, "a tie goes to the even one below");
  assert.equal(through("FP16", 2051), 2052, "and to the even one above");
  assert.equal(through("FP16", 65_519), 65_504);
  assert.equal(through("FP16", 65_520), Infinity);
  assert.equal(through("FP16", 2 ** -25), 0);
  assert.equal(through("FP16", 2 ** -14 - 2 ** -26), 2 ** -14);
});

test("brain floats are the upper half of single precision, rounded to even", () => {
  assert.equal(fromBrain(0x3f80), 1);
  assert.equal(fromBrain(0xc040), -3);
  assert.equal(through("BF16", 1 + 2 ** -8), 1);
  assert.equal(through("BF16", 1 + 3 * 2 ** -8), 1 + 2 ** -6);
  assert.equal(through("BF16", -Infinity), -Infinity);
  assert.ok(Number.isNaN(through("BF16", Number.NaN)));
});

test("every half is what it was after a way through a double", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff }), (bits) => {
      const value = fromHalf(bits);
      assert.ok(Number.isNaN(value) || Object.is(through("FP16", value), value));
    }),
  );
});

test("numbers that fit are cast, and a tensor of the datatype stays itself", () => {
  const tensor = doubles([0, 1, 255]);
  assert.equal(castTensor(tensor, "FP64"), tensor);
  for (const datatype of DATATYPES.filter(isNumeric).filter((one) => one !== "INT8"))
    assert.deepEqual([...toDoubles(castTensor(tensor, datatype))], [0, 1, 255], datatype);
  assert.deepEqual([...elementsOf(castTensor(doubles([0, 1]), "BOOL"))], [0, 1]);
  const large = castTensor(integers([2n ** 53n + 1n]), "UINT64");
  assert.deepEqual([...elementsOf(large)], [2n ** 53n + 1n], "64-bit integers stay exact");
  const half = castTensor(doubles([3]), "FP16");
  assert.deepEqual([...elementsOf(castTensor(half, "INT32"))], [3]);
});

test("numbers that do not fit are refused, by their place", () => {
  const cases: readonly (readonly [Tensor, Datatype, RegExp])[] = [
    [doubles([1, 0.5]), "INT32", /element 1 is 0\.5/],
    [doubles([Number.NaN]), "INT64", /element 0 is NaN/],
    [doubles([256]), "UINT8", /element 0 is 256/],
    [doubles([-1]), "UINT64", /element 0 is -1/],
    [doubles([2]), "BOOL", /element 0 is 2/],
    [integers([-(2n ** 40n)]), "INT32", /element 0 is -1099511627776/],
    [doubles([1]), "BYTES", /numbers are not bytes/],
  ];
  for (const [tensor, datatype, message] of cases)
    assert.throws(() => castTensor(tensor, datatype), { ...INVALID, message });
});

test("bytes that are no whole elements, and texts, are no numbers", () => {
  const data = new Uint8Array(7);
  assert.throws(() => elementsOf({ name: "x", datatype: "FP32", data }), {
    ...INVALID,
    message: /"x".*7 bytes/,
  });
  assert.throws(() => toDoubles({ name: "x", datatype: "BYTES", data }), INVALID);
});
