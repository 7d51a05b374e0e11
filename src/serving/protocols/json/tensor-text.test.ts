import assert from "node:assert/strict";
import { test } from "node:test";
import type { Datatype } from "../../../models/tensor/index.ts";
import {
  JsonError,
  JsonReader,
  leastTextBytes,
  listTensor,
  nodeText,
  readNode,
  tensorText,
} from "./index.ts";

for (const [json, datatype, shape, values] of [
  ["[[1,2],[3,4]]", "FP32", [2, 2], new Float32Array([1, 2, 3, 4])],
  ["[true,false,2]", "INT64", [3], new BigInt64Array([1n, 0n, 2n])],
  ["[true,false]", "FP64", [2], new Float64Array([1, 0])],
  ["[9007199254740993]", "UINT64", [1], new BigUint64Array([9007199254740993n])],
] as const satisfies readonly (readonly [string, Datatype, readonly number[], ArrayBufferView])[])
  test(`${json} is a tensor of ${datatype}`, () => {
    const tensor = listTensor(json, datatype);
    assert.deepEqual([tensor.datatype, tensor.shape], [datatype, shape]);
    assert.deepEqual(Buffer.from(tensor.data), Buffer.from(values.buffer));
  });

test("a text that is no JSON is no tensor", () => {
  assert.throws(() => listTensor("[1,", "FP32"), JsonError);
});

/** `BYTES` data of these elements. */
function bytesData(...items: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    items.flatMap((item) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(item.byteLength);
      return [length, item];
    }),
  );
}

test("BYTES are text, or base64 where the tensor's name says so", () => {
  const text = {
    datatype: "BYTES",
    shape: [2],
    data: bytesData(Buffer.from("ä"), Buffer.alloc(0)),
  } as const;
  assert.equal(String(tensorText({ name: "y", ...text })), '["\\u00e4",""]');
  assert.equal(String(tensorText({ name: "y_bytes", ...text })), '[{"b64":"w6Q="},{"b64":""}]');
  const raw = { datatype: "BYTES", shape: [1], data: bytesData(Buffer.of(0xff)) } as const;
  assert.throws(() => tensorText({ name: "y", ...raw }), {
    code: "REQUEST_INVALID",
    hint: /_bytes/,
  });
  const numbers = { name: "y", datatype: "INT8", shape: [2], data: Uint8Array.of(1, 2) } as const;
  assert.equal(String(tensorText(numbers)), "[1,2]");
});

test("a tensor's text is at least as long as is said", () => {
  const data = new Uint8Array(6);
  assert.equal(leastTextBytes({ shape: [2, 3], data }), 6 + 2 * 2);
});

test("keys are sorted by code points, as Python sorts them", () => {
  const reader = new JsonReader();
  reader.open(Buffer.from('{"\u{1F600}":1,"\uFFFD":2,"a":3}'));
  const text = nodeText(readNode(reader), { sortKeys: true, asciiOnly: false });
  assert.deepEqual(
    [...text.matchAll(/:\s*(\d)/g)].map(([, digit]) => digit),
    ["3", "2", "1"],
  );
});
