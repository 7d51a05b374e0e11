import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bytesOf, elementsOf } from "./index.ts";

const KINDS = [
  ["FP64", (values: readonly number[]) => Float64Array.from(values)],
  ["FP32", (values: readonly number[]) => Float32Array.from(values)],
  ["INT64", (values: readonly number[]) => BigInt64Array.from(values, BigInt)],
  ["UINT16", (values: readonly number[]) => Uint16Array.from(values)],
] as const;

for (const [datatype, make] of KINDS) {
  test(`${datatype} elements are read from bytes and from buffers at every offset`, () => {
    fc.assert(
      fc.property(fc.nat(20), fc.array(fc.nat(65_535), { maxLength: 9 }), (offset, values) => {
        const wanted = make(values);
        const memory = new ArrayBuffer(offset + wanted.byteLength);
        const bytes = new Uint8Array(memory, offset);
        bytes.set(bytesOf(wanted));
        for (const data of [bytes, Buffer.from(memory, offset)])
          assert.deepEqual(elementsOf({ name: "x", datatype, data }), wanted);
      }),
    );
  });
}
