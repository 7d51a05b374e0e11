import assert from "node:assert/strict";
import { test } from "node:test";
import { zstdDecompressSync } from "node:zlib";
import { zstdId, zstdOfNode } from "./index.ts";

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index += 1)
    yield Buffer.from(`line ${index % 97} of a file that repeats itself\n`.repeat(2000));
}

test("unzstd gives back what went in", async () => {
  const plain = Buffer.concat(await Array.fromAsync(pieces(20)));
  const packed = Buffer.concat(await Array.fromAsync(zstdOfNode(pieces(20))));
  assert.ok(packed.byteLength < plain.byteLength / 10);
  assert.deepEqual(zstdDecompressSync(packed), plain);
});

test("nothing becomes an empty frame", async () => {
  assert.equal(
    zstdDecompressSync(Buffer.concat(await Array.fromAsync(zstdOfNode(pieces(0))))).byteLength,
    0,
  );
});

test("the name says which zstd made the bytes", () =>
  assert.match(zstdId(), /^zstd\+node-\d+\.\d+\.\d+\+3$/));

test("a failing content fails the stream with its own error", async () => {
  const failure = new Error("disk gone");
  const content = async function* (): AsyncGenerator<Uint8Array> {
    yield* pieces(3);
    throw failure;
  };
  await assert.rejects(Array.fromAsync(zstdOfNode(content())), failure);
});

test("an abort rejects with the signal's reason", async () => {
  const stop = new AbortController();
  const reason = new Error("stop");
  const content = async function* (): AsyncGenerator<Uint8Array> {
    yield* pieces(3);
    stop.abort(reason);
    yield* pieces(1000);
  };
  await assert.rejects(Array.fromAsync(zstdOfNode(content(), { signal: stop.signal })), reason);
});

test("a reader that leaves early closes the content", async () => {
  let closed = false;
  const content = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield* pieces(1);
    } finally {
      closed = true;
    }
  };
  const stream = zstdOfNode(content());
  await stream.next();
  await stream.return();
  assert.ok(closed);
});
