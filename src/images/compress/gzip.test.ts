import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import {
  COMPRESSOR_ID,
  createDeflatePool,
  gzipPinned,
  type DeflatePool,
  type GzipOptions,
} from "./index.ts";

const MIB = 2 ** 20;

/** Text-like bytes from a small vocabulary, the same on every machine. */
function words(length: number, seed = 1): Buffer {
  const vocabulary = [
    "import ",
    "numpy",
    " as np\n",
    "def ",
    "forward",
    "(self, x):\n",
    "    return ",
    "x",
    " + ",
    "0.5",
    "\n\n",
    "class Model:\n",
  ];
  let state = seed;
  let text = "";
  while (text.length < length) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += `${vocabulary[state % vocabulary.length]}${state % 7 === 0 ? state.toString(36) : ""}`;
  }
  return Buffer.from(text, "latin1").subarray(0, length);
}

function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let offset = 0; offset < length; offset += 32)
    createHash("sha256").update(String(offset)).digest().copy(bytes, offset);
  return bytes;
}

async function* chunked(content: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < content.byteLength; offset += size)
    yield content.subarray(offset, offset + size);
}

async function drain(content: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of content) bytes += chunk.byteLength;
  return bytes;
}

async function gzip(
  content: Uint8Array,
  options: GzipOptions & { chunk?: number } = {},
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of gzipPinned(chunked(content, options.chunk ?? 65_536), options))
    parts.push(part);
  return Buffer.concat(parts);
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

for (const [name, length] of [
  ["nothing", 0],
  ["one byte", 1],
  ["a page", 4096],
  ["one whole block", MIB],
  ["a block and a byte", MIB + 1],
  ["two whole blocks", 2 * MIB],
  ["several blocks", 5 * MIB + 12_345],
] as const) {
  test(`gunzip gives back ${name}`, async () => {
    const content = words(length);
    assert.deepEqual(gunzipSync(await gzip(content)), content);
  });
}

test("the header carries no time, no name and an unknown system", async () => {
  assert.equal((await gzip(words(100))).subarray(0, 10).toString("hex"), "1f8b08000000000000ff");
});

test("the bytes are those of the golden digests", async () => {
  // When this fails, the compressor changed: every gzip layer that users have pushed would get another digest.
  assert.equal(COMPRESSOR_ID, "gzip+libdeflate-1.26.1.accdb41a0a43+1m");
  assert.equal(
    sha256(await gzip(words(3000))),
    "864449d170356c3a77ddc5b9dd19374df44ec03ce7c05405e54842ca37ce583f",
  );
  assert.equal(
    sha256(await gzip(words(4 * MIB + 77))),
    "c780734a85e1c6a3f9ad3649f0b960307c1a3ac4dc373534fc781555a74314a4",
  );
  assert.equal(
    sha256(await gzip(noise(MIB + 5))),
    "76d92af3c1a77b4e8ddbc9977b228adfe5e0b748906bbbd28ab9433145ae354f",
  );
});

test("the bytes do not depend on threads, chunk size or what a pool did before", async () => {
  const content = words(6 * MIB + 999, 7);
  await using shared = createDeflatePool({ threads: 2 });
  await gzip(noise(3 * MIB), { pool: shared });
  const outputs = await Promise.all([
    gzip(content, { threads: 1 }),
    gzip(content, { threads: 3, chunk: 1_000_003 }),
    gzip(content, { threads: 2, chunk: 777 }),
    gzip(content, { pool: shared, chunk: 8 * MIB }),
    gzip(content, { pool: shared }),
  ]);
  assert.equal(new Set(outputs.map(sha256)).size, 1);
});

test("a later block uses what came before it", async () => {
  const block = words(MIB, 3);
  const repeated = Buffer.concat([
    noise(MIB - 20_000),
    block.subarray(0, 20_000),
    block.subarray(0, 20_000),
  ]);
  const fresh = Buffer.concat([noise(MIB - 20_000), noise(20_000), block.subarray(0, 20_000)]);
  assert.ok((await gzip(repeated)).byteLength < (await gzip(fresh)).byteLength - 2000);
});

test("content that does not compress grows by less than a thousandth", async () => {
  const content = noise(3 * MIB);
  const output = await gzip(content);
  assert.ok(output.byteLength < content.byteLength * 1.001, `${output.byteLength}`);
  assert.deepEqual(gunzipSync(output), content);
});

test("two blocks or less are compressed without a thread, unless threads run already", async () => {
  const refusing: DeflatePool = {
    depth: 2,
    isStarted: false,
    deflate: () => Promise.reject(new Error("started a thread")),
    [Symbol.asyncDispose]: async () => undefined,
  };
  assert.deepEqual(gunzipSync(await gzip(words(2 * MIB), { pool: refusing })), words(2 * MIB));
  await assert.rejects(gzip(words(2 * MIB + 1), { pool: refusing }), /started a thread/);
  await assert.rejects(
    gzip(words(100), { pool: { ...refusing, isStarted: true } }),
    /started a thread/,
  );
});

test("an abort rejects with the signal's reason", async () => {
  const stop = new AbortController();
  const reason = new Error("stop");
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (let index = 0; ; index += 1) {
      if (index === 5) stop.abort(reason);
      yield words(MIB, index);
    }
  };
  await assert.rejects(drain(gzipPinned(endless(), { signal: stop.signal })), reason);
});

test("a reader that leaves early closes the content", async () => {
  let closed = false;
  const content = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield words(MIB);
    } finally {
      closed = true;
    }
  };
  const stream = gzipPinned(content(), { threads: 1 });
  for (let count = 0; count < 4; count += 1) await stream.next();
  await stream.return();
  assert.ok(closed);
});

test("a failing content fails the stream with its own error", async () => {
  const failure = new Error("disk gone");
  const content = async function* (): AsyncGenerator<Uint8Array> {
    yield words(3 * MIB);
    throw failure;
  };
  await assert.rejects(drain(gzipPinned(content(), { threads: 1 })), failure);
});
