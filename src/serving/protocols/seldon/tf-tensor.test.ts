import assert from "node:assert/strict";
import { test } from "node:test";
import { WireWriter } from "../../../ground/wire/index.ts";
import { readTfTensor } from "../protobuf/index.ts";
import { SeldonError } from "./index.ts";

/** A TensorProto of texts, of one axis. */
function texts(count: number, ...values: readonly string[]): Buffer {
  const writer = new WireWriter();
  for (const value of values.toReversed()) writer.string(66, value);
  const shape = writer.size;
  const dim = writer.size;
  writer.int(8, count);
  writer.close(18, dim);
  writer.close(18, shape);
  writer.int(8, 7);
  return writer.finish();
}

test("texts that are too few are filled up with the last one", () => {
  const { datatype, shape, data } = readTfTensor(texts(3, "a", "ä"));
  assert.deepEqual([datatype, shape], ["BYTES", [3]]);
  assert.equal(Buffer.from(data).toString("hex"), "010000006102000000c3a402000000c3a4");
  assert.equal(readTfTensor(texts(2)).data.byteLength, 8);
});

test("a short message cannot ask for much memory by texts that are filled up", () => {
  for (const message of [texts(2 ** 24, "x".repeat(1000)), texts(2 ** 40, "x"), texts(1, "a", "b")])
    assert.throws(() => readTfTensor(message), SeldonError);
});
