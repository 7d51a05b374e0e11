import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { chooseCompression, sampleCompressibility } from "./index.ts";

const MIB = 2 ** 20;

function opener(
  content: Uint8Array,
  offsets: number[] = [],
): (offset: number) => AsyncGenerator<Uint8Array> {
  return async function* (offset) {
    offsets.push(offset);
    for (let at = offset; at < content.byteLength; at += 100_000)
      yield content.subarray(at, at + 100_000);
  };
}

test("text is worth compressing, noise is not", async () => {
  const text = Buffer.from("all work and no play makes a dull model\n".repeat(5000));
  const noise = randomBytes(300_000);
  assert.equal(
    chooseCompression(await sampleCompressibility(opener(text), text.byteLength)),
    "gzip",
  );
  assert.equal(
    chooseCompression(await sampleCompressibility(opener(noise), noise.byteLength)),
    "none",
  );
});

test("large content is sampled at four places from its begin to its end", async () => {
  const offsets: number[] = [];
  const content = Buffer.alloc(10 * MIB);
  assert.ok((await sampleCompressibility(opener(content, offsets), content.byteLength)) < 0.01);
  assert.deepEqual(offsets, [0, 3 * MIB, 6 * MIB, 9 * MIB]);
});

test("content of up to a block is read once", async () => {
  const offsets: number[] = [];
  await sampleCompressibility(opener(Buffer.alloc(1000), offsets), 1000);
  assert.deepEqual(offsets, [0]);
});

test("nothing is not compressed", async () => {
  assert.equal(chooseCompression(await sampleCompressibility(opener(Buffer.alloc(0)), 0)), "none");
});

test("a sampling that is aborted rejects with the reason", async () => {
  const reason = new Error("stop");
  await assert.rejects(
    sampleCompressibility(opener(Buffer.alloc(MIB)), MIB, { signal: AbortSignal.abort(reason) }),
    reason,
  );
});
