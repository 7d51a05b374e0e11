import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isToolError } from "../../../ground/errors/index.ts";
import { bytesOf, elementCount, type Datatype } from "../../../models/tensor/index.ts";
import type { NamedTensor } from "../../plane/index.ts";
import { JsonReader } from "../json/index.ts";
import { readInferJson } from "./read-infer-json.ts";
import { readRawTensor } from "./read-raw-tensor.ts";
import { writeInferJson } from "./write-infer-json.ts";

const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 });
const float = fc.double({ noNaN: true, noDefaultInfinity: true });

const VALUES: readonly (readonly [
  Datatype,
  fc.Arbitrary<number | bigint>,
  (values: never[]) => Uint8Array,
])[] = [
  ["BOOL", fc.integer({ min: 0, max: 1 }), (values) => Uint8Array.from(values)],
  ["INT8", fc.integer({ min: -128, max: 127 }), (values) => bytesOf(Int8Array.from(values))],
  ["UINT16", fc.integer({ min: 0, max: 65_535 }), (values) => bytesOf(Uint16Array.from(values))],
  ["INT32", fc.integer(), (values) => bytesOf(Int32Array.from(values))],
  [
    "INT64",
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    (values) => bytesOf(BigInt64Array.from(values)),
  ],
  [
    "UINT64",
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    (values) => bytesOf(BigUint64Array.from(values)),
  ],
  ["FP32", fc.float({ noNaN: true }), (values) => bytesOf(Float32Array.from(values))],
  ["FP64", float, (values) => bytesOf(Float64Array.from(values))],
];

const tensors: fc.Arbitrary<NamedTensor> = fc
  .tuple(fc.constantFrom(...VALUES), shapes, fc.string())
  .chain(([[datatype, value, pack], shape, name]) => {
    const size = elementCount(shape);
    return fc
      .array(value, { minLength: size, maxLength: size })
      .map((values) => ({ name, datatype, shape, data: pack(values as never[]) })); // of the row's own kind
  });

/** What an answer says, asked back as a request. */
function asRequest(outputs: readonly NamedTensor[], isBinary: boolean): readonly NamedTensor[] {
  const { body, headerBytes = body.byteLength } = writeInferJson({
    ...{ model: "m", version: "1" },
    outputs: outputs.map((tensor) => ({ tensor, isBinary })),
  });
  const head = body.subarray(0, headerBytes).toString().trimEnd();
  const json = Buffer.from(head.replace(/^.*?"outputs":/, '{"inputs":'));
  return readInferJson(
    new JsonReader(),
    Buffer.concat([json, body.subarray(headerBytes)]),
    json.byteLength,
  ).inputs;
}

test("tensors of an answer read back as they were, as JSON and as raw bytes", () => {
  fc.assert(
    fc.property(
      fc.array(tensors, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      (sent, isBinary) => {
        const plain = (list: readonly NamedTensor[]): unknown =>
          list.map(({ name, datatype, shape, data }) => [name, datatype, shape, Buffer.from(data)]);
        assert.deepEqual(plain(asRequest(sent, isBinary)), plain(sent));
      },
    ),
  );
});

test("whatever bytes come, only a typed error goes out", () => {
  const json = fc.jsonValue().map((value) => JSON.stringify(value));
  const data = fc.oneof(json, fc.string(), fc.constant("[[1,2],[3]]"));
  const near = fc
    .tuple(fc.jsonValue(), fc.jsonValue(), data, fc.constantFrom("FP32", "INT64", "BYTES", "X"))
    .map(
      ([name, shape, values, datatype]) =>
        `{"inputs":[{"name":${JSON.stringify(name)},"shape":${JSON.stringify(shape)},"datatype":"${datatype}","data":${values}}]}`,
    );
  const bodies = fc.oneof(json, near, fc.string()).map((text) => Buffer.from(text));
  fc.assert(
    fc.property(
      fc.oneof(
        bodies,
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
      fc.nat(100),
      (body, cut) => {
        for (const read of [
          () => readInferJson(new JsonReader(), body),
          () => readInferJson(new JsonReader(), body, Math.min(cut, body.byteLength)),
          () =>
            readRawTensor(body, {
              inputs: [{ name: "x", datatype: "INT32", shape: [-1, 2] }],
              outputs: [],
            }),
        ]) {
          try {
            read();
          } catch (error) {
            if (!isToolError(error)) throw error;
          }
        }
      },
    ),
  );
});
