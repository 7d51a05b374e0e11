import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { guardOf, oneChunk, planOf } from "../../src/ground/bytes/index.ts";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import {
  digestOf,
  MEDIA_TYPES,
  parseManifest,
  parseIndex,
  type Descriptor,
  type Reference,
} from "../../src/images/oci/index.ts";
import { createRegistryServer } from "../../src/images/registry-server/index.ts";
import { createStore, type Store } from "../../src/images/store/index.ts";
import { withoutPeer } from "../support/peers.ts";
import { send } from "../support/registry-fixture.ts";
import { bytesOf, putBytes, putSmallImage } from "../support/small-image.ts";

const WRITER = join(import.meta.dirname, "../support/store-writer.ts");
const iris: Reference = { registry: "store", repository: "iris", tag: "v1" };

const ZEROS_2_GIB = "a7c744c13cc101ed66c29f672f92455547889cc586ce6d44fe76ae824958ea51";

interface Folders {
  readonly dataDir: string;
  readonly cacheDir: string;
}

function foldersIn(path: string): Folders {
  return { dataDir: join(path, "data"), cacheDir: join(path, "cache") };
}

function startWriter(folders: Folders, prefix: string, count = 0): ChildProcess {
  return spawn(
    process.execPath,
    [WRITER, folders.dataDir, folders.cacheDir, prefix, String(count)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
}

/** Reads every blob of every name, and checks that `index.json` says the same as the names. */
async function assertValid(store: Store): Promise<number> {
  const images = await store.list();
  for (const { descriptor, reference } of images) {
    const manifest = parseManifest(await bytesOf(store.open(await store.resolve(reference))));
    for (const blob of [descriptor, manifest.config, ...manifest.layers])
      for await (const chunk of store.open(blob)) assert.ok(chunk.byteLength > 0);
  }
  parseIndex(await readFile(join(store.dataDir, "index.json")));
  return images.length;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test("a store whose writer is killed at any moment is valid, and the next writer works", async () => {
  await using folder = await createTempDir("kill");
  const folders = foldersIn(folder.path);
  for (let round = 0; round < 6; round += 1) {
    const writer = startWriter(folders, "victim");
    const lines = createInterface({ input: writer.stdout! });
    let left = 1 + round * 3;
    for await (const line of lines) {
      assert.match(line, /^\d+$/);
      left -= 1;
      // Some way into the writing of the next image, another place each round.
      for (let turn = 0; left === 0 && turn < round * 7; turn += 1)
        await new Promise((resolve) => setImmediate(resolve));
      if (left === 0) writer.kill("SIGKILL");
    }
    const store = createStore(folders);
    assert.ok((await assertValid(store)) > 0);
    await store.tag(await putSmallImage(store), iris);
    await store.gc();
    assert.ok((await assertValid(store)) > 0);
    await store[Symbol.asyncDispose]();
    assert.deepEqual(
      await readdir(join(folders.dataDir, "tmp")),
      [],
      "nothing of the dead writer is left",
    );
  }
});

test("two writers and a collector at once leave a valid store with all names", async () => {
  await using folder = await createTempDir("writers");
  const folders = foldersIn(folder.path);
  const writers = ["one", "two"].map((prefix) => startWriter(folders, prefix, 21));
  let running = writers.length;
  const ended = Promise.all(
    writers.map(async (writer) => {
      writer.stdout!.resume();
      const [code] = await once(writer, "close");
      running -= 1;
      assert.equal(code, 0);
    }),
  );
  while (running > 0) {
    await using store = createStore(folders);
    await store.gc();
  }
  await ended;
  const store = createStore(folders);
  assert.equal(await assertValid(store), 14);
  const index = parseIndex(await readFile(join(folders.dataDir, "index.json")));
  assert.equal(index.manifests.length, 14);
  await store.gc();
  assert.equal(await assertValid(store), 14);
  // 14 images of a manifest, a config and an own layer each, and 5 shared layers.
  assert.equal((await readdir(join(folders.dataDir, "blobs/sha256"))).length, 14 * 3 + 5);
});

test("two processes that put the same image at once both succeed", async () => {
  await using folder = await createTempDir("same");
  const stores = [createStore(foldersIn(folder.path)), createStore(foldersIn(folder.path))];
  const images = await Promise.all(stores.map((store) => putSmallImage(store)));
  await Promise.all(stores.map((store, at) => store.tag(images[at] as Descriptor, iris)));
  assert.equal(await assertValid(createStore(foldersIn(folder.path))), 1);
});

/** A small file system of its own; skips where it cannot be had. */
async function smallDisk(
  t: TestContext,
  mountPoint: string,
): Promise<({ readonly makeReadOnly: () => Promise<void> } & AsyncDisposable) | undefined> {
  if (process.getuid?.() !== 0)
    return t.skip("a small file system can only be mounted by root") as undefined;
  const mounted = await run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", mountPoint], {
    allowFailure: true,
  });
  if (mounted.exitCode !== 0)
    return withoutPeer(t, `tmpfs cannot be mounted here: ${mounted.stderrTail.trim()}`);
  return {
    makeReadOnly: async () => void (await run(["mount", "-o", "remount,ro", mountPoint])),
    [Symbol.asyncDispose]: async () => void (await run(["umount", mountPoint])),
  };
}

test("a full disk is named, leaves nothing half-written, and what fits is written afterwards", async (t) => {
  await using folder = await createTempDir("full");
  await using disk = await smallDisk(t, folder.path);
  if (disk === undefined) return;
  const store = createStore(foldersIn(folder.path));
  await store.tag(await putSmallImage(store), iris);
  const before = (await filesBelow(folder.path)).sort();
  const large = Buffer.alloc(16 << 20, "x");
  const target: Descriptor = {
    mediaType: MEDIA_TYPES.layerTar,
    digest: digestOf(large),
    size: large.byteLength,
  };
  await assert.rejects(store.put(target, oneChunk(large)), { code: "DISK_FULL" });
  await assert.rejects(store.ingest(oneChunk(large), large.byteLength), { code: "DISK_FULL" });
  assert.deepEqual((await filesBelow(folder.path)).sort(), before);
  assert.equal(await assertValid(store), 1);
  await using server = await createRegistryServer({ store });
  const refused = await send(server, {
    method: "POST",
    path: `/v2/a/blobs/uploads/?digest=${target.digest}`,
    body: large,
  });
  assert.deepEqual(
    [
      refused.status,
      JSON.parse(refused.body.toString()).errors[0].message.includes("no space left"),
    ],
    [507, true],
  );
  assert.deepEqual((await filesBelow(folder.path)).sort(), before);
  // Small things fill the last blocks, down to the tag files and the index.
  let failure: unknown;
  for (let at = 0; at < 2000 && failure === undefined; at += 1) {
    failure = await putBytes(store, Buffer.alloc(30_000, `${at}`), MEDIA_TYPES.layerTar)
      .catch((error: unknown) => error as Error & { readonly code?: string })
      .then((result) => (result instanceof Error ? result : undefined));
  }
  assert.equal((failure as { code?: string }).code, "DISK_FULL");
  await store
    .tag(await store.resolve(iris), { ...iris, tag: "v2" })
    .catch((error: { code?: string }) => assert.equal(error.code, "DISK_FULL"));
  assert.ok((await assertValid(store)) >= 1);
  await store[Symbol.asyncDispose]();
  const cleaner = createStore(foldersIn(folder.path));
  assert.ok((await cleaner.gc()).removedBlobs > 0);
  await cleaner.tag(await putSmallImage(cleaner, { seed: "after" }), { ...iris, tag: "after" });
  assert.ok((await assertValid(cleaner)) >= 2);
});

test("a read-only store gives all it has, and says so when it is written to", async (t) => {
  await using folder = await createTempDir("read-only");
  await using disk = await smallDisk(t, folder.path);
  if (disk === undefined) return;
  const writer = createStore(foldersIn(folder.path));
  const image = await putSmallImage(writer);
  await writer.tag(image, iris);
  await writer[Symbol.asyncDispose]();
  await disk.makeReadOnly();
  const store = createStore(foldersIn(folder.path));
  assert.equal(await assertValid(store), 1);
  assert.equal(await store.has(image), true);
  assert.equal(await store.digestCache().get(planOf([])), undefined);
  await store.cache("facts").set("a", 1);
  for (const write of [
    () => putSmallImage(store, { seed: "new" }),
    () => store.tag(image, { ...iris, tag: "v2" }),
    () => store.untag(iris),
  ]) {
    await assert.rejects(write(), { code: "STORE_UNWRITABLE" });
  }
  await using server = await createRegistryServer({ store });
  assert.equal((await send(server, { method: "GET", path: "/v2/iris/manifests/v1" })).status, 200);
  const refused = await send(server, { method: "POST", path: "/v2/iris/blobs/uploads/" });
  assert.deepEqual(
    [refused.status, JSON.parse(refused.body.toString()).errors[0].code],
    [405, "UNSUPPORTED"],
  );
});

test("weights of 2 GiB go through the store with bounded memory and no copy", async () => {
  await using folder = await createTempDir("large");
  const weights = join(folder.path, "weights.bin");
  await writeFile(weights, "");
  await truncate(weights, 2 ** 31);
  const script = join(folder.path, "read.ts");
  const source = join(import.meta.dirname, "../../src");
  await writeFile(
    script,
    `import { stat } from "node:fs/promises";
import { guardOf, planOf } from ${JSON.stringify(join(source, "ground/bytes/index.ts"))};
import { createStore } from ${JSON.stringify(join(source, "images/store/index.ts"))};
const [weights, dataDir, cacheDir] = process.argv.slice(2);
const plan = planOf([{ kind: "file", path: weights, guard: guardOf(await stat(weights, { bigint: true })) }]);
const target = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: "sha256:${ZEROS_2_GIB}", size: plan.size };
const store = createStore({ dataDir, cacheDir });
await store.putPlan(target, plan);
let size = 0;
for await (const chunk of store.open(target)) size += chunk.byteLength;
console.log(JSON.stringify({ size, peakKiB: process.resourceUsage().maxRSS }));`,
  );
  const { dataDir, cacheDir } = foldersIn(folder.path);
  const { stdout } = await run([process.execPath, script, weights, dataDir, cacheDir]);
  const { size, peakKiB } = JSON.parse(stdout.toString());
  assert.equal(size, 2 ** 31);
  assert.ok(peakKiB < 200 * 1024, `the peak was ${Math.round(peakKiB / 1024)} MiB`);
  const stored = await Promise.all(
    (await filesBelow(dataDir)).map(async (path) => (await stat(path)).size),
  );
  assert.ok(stored.reduce((sum, bytes) => sum + bytes, 0) < 10_000);
});

test("recipes survive a new process, and a changed file is refused with what to do", async () => {
  await using folder = await createTempDir("plans");
  const folders = foldersIn(folder.path);
  const weights = join(folder.path, "weights.bin");
  await writeFile(weights, "weights");
  const plan = planOf([
    { kind: "file", path: weights, guard: guardOf(await stat(weights, { bigint: true })) },
  ]);
  const target: Descriptor = {
    mediaType: MEDIA_TYPES.layerTar,
    digest: digestOf(Buffer.from("weights")),
    size: 7,
  };
  await createStore(folders).putPlan(target, plan);
  const reader = `import { createStore } from ${JSON.stringify(join(import.meta.dirname, "../../src/images/store/index.ts"))};
const store = createStore(${JSON.stringify(folders)});
try { for await (const chunk of store.open(${JSON.stringify(target)})) process.stdout.write(chunk); } catch (error) { console.log(error.code, error.message, error.hint); }`;
  const script = join(folder.path, "read.ts");
  await writeFile(script, reader);
  assert.equal((await run([process.execPath, script])).stdout.toString(), "weights");
  await writeFile(weights, "Weights");
  assert.match(
    (await run([process.execPath, script])).stdout.toString(),
    /^FILE_CHANGED read ".*weights\.bin": .* since it was packed pack again/,
  );
});
