import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { createDeflatePool, gzipPinned } from "../../src/images/compress/index.ts";
import { run } from "../../src/ground/process/index.ts";

const MIB = 2 ** 20;

/** `count` blocks of 1 MiB, each half noise and half zeros. */
async function* halfNoise(count: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index += 1) {
    const block = Buffer.alloc(MIB);
    for (let offset = 0; offset < MIB / 2; offset += 32)
      createHash("sha256").update(`${index} ${offset}`).digest().copy(block, offset);
    yield block;
  }
}

test("GNU gzip reads what we write", async () => {
  const plain = createHash("sha256");
  for await (const block of halfNoise(6)) plain.update(block);
  const { stdout } = await run(["gzip", "-dc"], {
    stdin: gzipPinned(halfNoise(6)),
    maxOutputBytes: 16 * MIB,
  });
  assert.equal(createHash("sha256").update(stdout).digest("hex"), plain.digest("hex"));
});

test("resident memory stays bounded while much more than memory's bound goes through", async () => {
  const source = `
    import { parentPort } from "node:worker_threads";
    import { gzipPinned } from ${JSON.stringify(new URL("../../src/images/compress/index.ts", import.meta.url).href)};
    const block = new Uint8Array(${MIB});
    for (let i = 0; i < block.length; i += 1) block[i] = (i * i) >>> 7;
    async function* content() { for (let i = 0; i < 768; i += 1) yield block; }
    let bytes = 0;
    for await (const part of gzipPinned(content(), { threads: 2 })) bytes += part.byteLength;
    parentPort.postMessage({ bytes, residentBytes: process.memoryUsage.rss() });
  `;
  const before = process.memoryUsage.rss();
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  const [{ bytes, residentBytes }] = (await once(worker, "message")) as [
    { bytes: number; residentBytes: number },
  ];
  assert.ok(bytes > MIB);
  assert.ok(
    residentBytes - before < 200 * MIB,
    `grew by ${Math.round((residentBytes - before) / MIB)} MiB`,
  );
});

test("a disposed pool leaves no thread behind", async () => {
  const threads = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === "MessagePort" || name === "Worker")
      .length;
  const before = threads();
  {
    await using pool = createDeflatePool({ threads: 2 });
    assert.ok((await Array.fromAsync(gzipPinned(halfNoise(4), { pool }))).length > 4);
    assert.ok(threads() > before, "the pool started threads");
  }
  assert.equal(threads(), before);
});
