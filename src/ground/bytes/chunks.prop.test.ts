import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { counted, firstBytes, oneChunk, skipBytes } from "./index.ts";

const content = fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 8 });

async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function joined(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(bytes));
}

test("first and skipped bytes are the two parts of any content, however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(content, fc.nat(70), async (chunks, at) => {
      const whole = Buffer.concat(chunks);
      assert.deepEqual(await joined(firstBytes(streamOf(chunks), at)), whole.subarray(0, at));
      assert.deepEqual(await joined(skipBytes(streamOf(chunks), at)), whole.subarray(at));
      assert.deepEqual(await joined(oneChunk(whole)), whole);
    }),
  );
});

test("the first bytes close their source and read no chunk beyond", async () => {
  let read = 0;
  let isClosed = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        read += 1;
        yield new Uint8Array(10);
      }
    } finally {
      isClosed = true;
    }
  }
  assert.equal((await joined(firstBytes(source(), 20))).byteLength, 20);
  assert.deepEqual([read, isClosed], [2, true]);
});

test("bytes count when their consumer is done with them", async () => {
  const taken: number[] = [];
  const bytes = counted(streamOf([new Uint8Array(3), new Uint8Array(4)]), (count) =>
    taken.push(count),
  );
  await bytes.next();
  assert.deepEqual(taken, []);
  await bytes.next();
  assert.deepEqual(taken, [3]);
  await bytes.next();
  assert.deepEqual(taken, [3, 4]);
});
