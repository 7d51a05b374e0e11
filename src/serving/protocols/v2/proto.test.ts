import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isToolError } from "../../../ground/errors/index.ts";
import { WireError, WireWriter } from "../../../ground/wire/index.ts";
import { bytesOf, type Datatype } from "../../../models/tensor/index.ts";
import type { NamedTensor } from "../../plane/index.ts";
import { readContents, writeContents } from "./proto-contents.ts";
import { readInferProto } from "./read-infer-proto.ts";
import { writeInferProto } from "./write-proto.ts";

const SAMPLES: readonly (readonly [Datatype, Uint8Array])[] = [
  ["BOOL", Uint8Array.of(1, 0)],
  ["INT8", bytesOf(Int8Array.of(-128, 127))],
  ["INT16", bytesOf(Int16Array.of(-32_768, 32_767))],
  ["INT32", bytesOf(Int32Array.of(-(2 ** 31), 2 ** 31 - 1))],
  ["INT64", bytesOf(BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n))],
  ["UINT8", Uint8Array.of(0, 255)],
  ["UINT16", bytesOf(Uint16Array.of(0, 65_535))],
  ["UINT32", bytesOf(Uint32Array.of(0, 2 ** 32 - 1))],
  ["UINT64", bytesOf(BigUint64Array.of(0n, 2n ** 64n - 1n))],
  ["FP32", bytesOf(Float32Array.of(1.5, Number.NaN))],
  ["FP64", bytesOf(Float64Array.of(0.1, -Infinity))],
  ["BYTES", Uint8Array.of(1, 0, 0, 0, 0xff, 0, 0, 0, 0)],
];

function contentsOf(datatype: Datatype, data: Uint8Array): Buffer {
  const writer = new WireWriter();
  writeContents(writer, 42, { datatype, data });
  const message = writer.finish();
  return message.subarray(2); // behind tag and length, which are short here
}

test("typed contents of every datatype read back as they were", () => {
  for (const [datatype, data] of SAMPLES) {
    const head = { name: "x", datatype, shape: [2] };
    assert.deepEqual(
      Buffer.from(readContents(head, contentsOf(datatype, data))),
      Buffer.from(data),
      datatype,
    );
  }
});

test("typed contents that do not fit are refused with the tensor's name", () => {
  const ints = contentsOf("INT32", bytesOf(Int32Array.of(300, -1)));
  const refusals: readonly (readonly [Datatype, readonly number[], Buffer, RegExp])[] = [
    ["INT8", [2], ints, /"x": element 0 is 300, which is no INT8/],
    ["INT32", [3], ints, /fewer values than the 3/],
    ["INT32", [1], ints, /more values than the 1/],
    ["FP32", [2], ints, /not in the field of FP32/],
    ["FP16", [2], ints, /FP16 has no typed contents/],
    ["INT32", [-1], ints, /has the axis -1/],
    ["BYTES", [2], contentsOf("BYTES", Uint8Array.of(0, 0, 0, 0)), /1 elements/],
    ["INT32", [1e9], ints, /fewer values/],
  ];
  for (const [datatype, shape, contents, message] of refusals)
    assert.throws(
      () => readContents({ name: "x", datatype, shape }, contents),
      { message },
      String(message),
    );
});

test("outputs are raw or typed as asked, and raw where one of them has no typed form", () => {
  const tensor = (datatype: Datatype): NamedTensor => ({
    name: "y",
    datatype,
    shape: [1],
    data: new Uint8Array(2),
  });
  const sizes = (datatype: Datatype, isRaw: boolean): boolean => {
    const outputs = [{ tensor: tensor(datatype), isBinary: false }];
    return writeInferProto({ model: "m", version: "1", outputs }, isRaw).includes(
      Buffer.from([50, 2, 0, 0]),
    );
  };
  assert.deepEqual(
    [sizes("INT16", true), sizes("INT16", false), sizes("FP16", false)],
    [true, false, true],
  );
});

test("whatever bytes come, only a typed error or a wire error goes out", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        readInferProto(Buffer.from(bytes));
      } catch (error) {
        if (!isToolError(error) && !(error instanceof WireError)) throw error;
      }
    }),
  );
});
