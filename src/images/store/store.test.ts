import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { randomBytesOf } from "../../../test/support/random-image.ts";
import { guardOf, planOf, type Bytes, type ContentPlan } from "../../ground/bytes/index.ts";
import { createTempDir } from "../../ground/process/index.ts";
import {
  digestOf,
  MEDIA_TYPES,
  type Descriptor,
  type Digest,
  type Reference,
} from "../oci/index.ts";
import { createDigestCache } from "./digest-cache.ts";
import { createStore, type Store } from "./index.ts";

const LAYER = "application/vnd.oci.image.layer.v1.tar";
const OLD = new Date("2020-01-01T00:00:00Z");

interface Fixture extends AsyncDisposable {
  readonly path: string;
  readonly store: Store;
}

async function fixture(): Promise<Fixture> {
  const folder = await createTempDir("store");
  const store = createStore({
    dataDir: join(folder.path, "data"),
    cacheDir: join(folder.path, "cache"),
  });
  return { path: folder.path, store, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

function layerDescriptor(bytes: Uint8Array, mediaType: string = LAYER): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
}

async function* bytesOf(...chunks: readonly (string | Uint8Array)[]): Bytes {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function put(store: Store, text: string, mediaType?: string): Promise<Descriptor> {
  const target = layerDescriptor(Buffer.from(text), mediaType);
  await store.put(target, bytesOf(text));
  return target;
}

async function putImage(store: Store, layers: readonly Descriptor[]): Promise<Descriptor> {
  const config = await put(store, `{"layers":${layers.length}}`, MEDIA_TYPES.imageConfig);
  return put(
    store,
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.imageManifest, config, layers }),
    MEDIA_TYPES.imageManifest,
  );
}

async function read(store: Store, target: Descriptor): Promise<string> {
  return Buffer.concat(await Array.fromAsync(store.open(target))).toString();
}

function named(repository: string, tag = "v1", registry = "store"): Reference {
  return { registry, repository, tag };
}

async function blobFile(store: Store, digest: Digest): Promise<string> {
  const path = await store.blobPath(digest);
  assert.ok(path !== undefined, `${digest} is a real file`);
  return path;
}

async function plannedFile(
  folder: string,
  text: string,
): Promise<{ readonly plan: ContentPlan; readonly target: Descriptor; readonly path: string }> {
  const path = join(folder, "weights.bin");
  await writeFile(path, text);
  const plan = planOf([
    { kind: "bytes", bytes: Buffer.from("<") },
    { kind: "file", path, guard: guardOf(await stat(path, { bigint: true })) },
    { kind: "bytes", bytes: Buffer.from(">") },
  ]);
  return { plan, target: layerDescriptor(Buffer.from(`<${text}>`)), path };
}

/** Makes everything in the store look as if it had been written long ago. */
async function age(store: Store): Promise<void> {
  for (const entry of await readdir(store.dataDir, { recursive: true, withFileTypes: true }))
    await utimes(join(entry.parentPath, entry.name), OLD, OLD);
}

test("what was put is there, whole, and under its digest", async () => {
  await using f = await fixture();
  const target = await put(f.store, "hello");
  assert.equal(await f.store.has(target), true);
  assert.equal(await read(f.store, target), "hello");
  assert.equal(await f.store.sizeOf(target.digest), 5);
  assert.equal(await readFile(await blobFile(f.store, target.digest), "utf8"), "hello");
});

test("an unused store is empty and nothing is made on disk for looking at it", async () => {
  await using f = await fixture();
  const target = layerDescriptor(Buffer.from("hello"));
  assert.deepEqual(await f.store.list(), []);
  assert.equal(await f.store.sizeOf(target.digest), undefined);
  await assert.rejects(f.store.resolve(named("iris")), {
    code: "REFERENCE_NOT_FOUND",
    message: /"store:iris:v1"/,
  });
  await assert.rejects(read(f.store, target), { code: "BLOB_NOT_FOUND" });
  assert.deepEqual(await readdir(f.path), []);
});

test("wrong content is refused and leaves nothing", async () => {
  await using f = await fixture();
  const target = layerDescriptor(Buffer.from("hello"));
  for (const [content, code] of [
    [bytesOf("hellO"), "DIGEST_MISMATCH"],
    [bytesOf("hell"), "SIZE_MISMATCH"],
    [bytesOf("hello", "!"), "SIZE_MISMATCH"],
  ] as const) {
    await assert.rejects(f.store.put(target, content), { code });
    assert.equal(await f.store.has(target), false);
  }
  assert.deepEqual(
    await readdir(join(f.store.dataDir, "tmp"), { recursive: true }).then((names) =>
      names.filter((name) => name.includes("/")),
    ),
    [],
  );
});

test("a put that is aborted leaves nothing", async () => {
  await using f = await fixture();
  const abort = new AbortController();
  const content = async function* (): Bytes {
    yield Buffer.from("he");
    abort.abort(new Error("stop"));
    yield Buffer.from("llo");
  };
  const target = layerDescriptor(Buffer.from("hello"));
  await assert.rejects(f.store.put(target, content(), { signal: abort.signal }), /stop/);
  assert.equal(await f.store.has(target), false);
});

test("content of unknown digest is stored under the digest it turns out to have", async () => {
  await using f = await fixture();
  const digest = await f.store.ingest(bytesOf("he", "llo"), 5);
  assert.equal(digest, digestOf(Buffer.from("hello")));
  assert.equal(await read(f.store, layerDescriptor(Buffer.from("hello"))), "hello");
  await assert.rejects(f.store.ingest(bytesOf("he", "llo"), 4), { code: "SIZE_MISMATCH" });
  await assert.rejects(f.store.ingest(bytesOf("he", "llo"), 6), { code: "SIZE_MISMATCH" });
});

test("a blob of many small and large chunks is written in order", async () => {
  await using f = await fixture();
  const chunks = Array.from({ length: 300 }, (_, index) => Buffer.alloc((index % 7) * 5000, index));
  const whole = Buffer.concat(chunks);
  const target = layerDescriptor(whole);
  await f.store.put(target, bytesOf(...chunks));
  assert.deepEqual(await readFile(await blobFile(f.store, target.digest)), whole);
});

test("a sha512 blob has its own place", async () => {
  await using f = await fixture();
  const bytes = Buffer.from("hello");
  const target: Descriptor = {
    mediaType: LAYER,
    digest: `sha512:${createHash("sha512").update(bytes).digest("hex")}`,
    size: 5,
  };
  await f.store.put(target, bytesOf(bytes));
  assert.equal(await read(f.store, target), "hello");
});

test("parts of a blob are read from real files and from recipes alike", async () => {
  await using f = await fixture();
  const real = await put(f.store, "<0123456789>");
  const { plan, target } = await plannedFile(f.path, "abcdefghij");
  await f.store.putPlan(target, plan);
  const part = async (digest: Digest, start?: number, end?: number): Promise<string> =>
    Buffer.concat(await Array.fromAsync(f.store.read(digest, { start, end }))).toString();
  assert.equal(await part(real.digest, 1, 4), "012");
  assert.equal(await part(target.digest, 1, 4), "abc");
  assert.equal(await part(target.digest, 9), "ij>");
  assert.equal(await part(target.digest, 3, 3), "");
  assert.equal(await part(real.digest, 50), "");
});

test("a recipe is content without a copy, also for another process", async () => {
  await using f = await fixture();
  const { plan, target } = await plannedFile(f.path, "weights");
  await f.store.putPlan(target, plan);
  const other = createStore(f.store);
  assert.equal(await other.has(target), true);
  assert.equal(await other.hasPlan(target), true);
  assert.equal(await other.blobPath(target.digest), undefined);
  assert.equal(await other.sizeOf(target.digest), target.size);
  assert.equal(await read(other, target), "<weights>");
});

test("a recipe whose file changed is not there any more, and opening it says to pack again", async () => {
  await using f = await fixture();
  const { plan, target, path } = await plannedFile(f.path, "weights");
  await f.store.putPlan(target, plan);
  await writeFile(path, "Weights");
  assert.equal(await f.store.has(target), false);
  await assert.rejects(
    read(f.store, target),
    (error: Error & { code?: string; hint?: string }) =>
      error.code === "FILE_CHANGED" &&
      error.message.includes(path) &&
      /pack again/.test(error.hint ?? ""),
  );
});

test("a recipe with a wrong digest does not end cleanly", async () => {
  await using f = await fixture();
  const { plan } = await plannedFile(f.path, "weights");
  const wrong: Descriptor = {
    mediaType: LAYER,
    digest: digestOf(Buffer.from("other")),
    size: plan.size,
  };
  await f.store.putPlan(wrong, plan);
  await assert.rejects(read(f.store, wrong), { code: "DIGEST_MISMATCH" });
});

test("real content takes the place of a recipe whose file changed", async () => {
  await using f = await fixture();
  const { plan, target, path } = await plannedFile(f.path, "weights");
  await f.store.putPlan(target, plan);
  await rm(path);
  await f.store.put(target, bytesOf("<weights>"));
  assert.equal(await read(f.store, target), "<weights>");
});

test("a damaged blob is found out, removed, and written anew by the next put", async () => {
  await using f = await fixture();
  const target = await put(f.store, "hello");
  await writeFile(await blobFile(f.store, target.digest), "hellO");
  await assert.rejects(
    read(f.store, target),
    (error: Error & { code?: string; hint?: string }) =>
      error.code === "DIGEST_MISMATCH" && /pack or pull the image again/.test(error.hint ?? ""),
  );
  assert.equal(await f.store.has(target), false);
  await put(f.store, "hello");
  assert.equal(await read(f.store, target), "hello");
});

test("a blob that was cut short does not count as there", async () => {
  await using f = await fixture();
  const target = await put(f.store, "hello");
  await truncate(await blobFile(f.store, target.digest), 2);
  await assert.rejects(read(f.store, target), { code: "SIZE_MISMATCH" });
  assert.equal(await f.store.has(target), false);
  await put(f.store, "hello");
  assert.equal(await read(f.store, target), "hello");
});

test("tags resolve, move, are listed in order, and go away", async () => {
  await using f = await fixture();
  const one = await putImage(f.store, [await put(f.store, "one")]);
  const two = await putImage(f.store, [await put(f.store, "two"), await put(f.store, "more")]);
  await f.store.tag(one, named("iris"));
  await f.store.tag(two, named("iris", "v2"));
  await f.store.tag(one, named("library/python", "3.11", "docker.io"));
  await f.store.tag(two, named("iris"));
  assert.deepEqual(await f.store.resolve(named("iris")), two);
  assert.deepEqual(
    (await f.store.list()).map(
      ({ reference }) => `${reference.registry}/${reference.repository}:${reference.tag}`,
    ),
    ["docker.io/library/python:3.11", "store/iris:v1", "store/iris:v2"],
  );
  assert.deepEqual((await f.store.list({ repository: named("iris") })).length, 2);
  assert.equal(await f.store.untag(named("iris")), true);
  assert.equal(await f.store.untag(named("iris")), false);
  await assert.rejects(f.store.resolve(named("iris")), { code: "REFERENCE_NOT_FOUND" });
});

test("a name without a tag means latest, and names that differ by case only are two", async () => {
  await using f = await fixture();
  const one = await putImage(f.store, [await put(f.store, "one")]);
  const two = await putImage(f.store, []);
  await f.store.tag(one, { registry: "store", repository: "iris" });
  await f.store.tag(two, named("iris", "Latest"));
  assert.deepEqual(await f.store.resolve(named("iris", "latest")), one);
  assert.deepEqual(await f.store.resolve(named("iris", "Latest")), two);
});

test("a manifest resolves by digest, with or without a name; a layer does not", async () => {
  await using f = await fixture();
  const layer = await put(f.store, "one");
  const image = await putImage(f.store, [layer]);
  assert.deepEqual(
    await f.store.resolve({ registry: "store", repository: "iris", digest: image.digest }),
    image,
  );
  await assert.rejects(
    f.store.resolve({ registry: "store", repository: "iris", digest: layer.digest }),
    { code: "REFERENCE_NOT_FOUND" },
  );
});

test("only what was put can be tagged", async () => {
  await using f = await fixture();
  await assert.rejects(
    f.store.tag(layerDescriptor(Buffer.from("absent"), MEDIA_TYPES.imageManifest), named("iris")),
    { code: "BLOB_NOT_FOUND" },
  );
});

test("the folder is an OCI layout whose index holds every tag", async () => {
  await using f = await fixture();
  const image = await putImage(f.store, [await put(f.store, "one")]);
  await f.store.tag(image, named("iris"));
  await f.store.tag(image, named("team/iris", "v2", "registry.test:5000"));
  const index = JSON.parse(await readFile(join(f.store.dataDir, "index.json"), "utf8"));
  assert.deepEqual(
    index.manifests.map(
      (entry: { annotations: Record<string, string> }) =>
        entry.annotations["org.opencontainers.image.ref.name"],
    ),
    ["registry.test:5000/team/iris:v2", "iris:v1"],
  );
  assert.equal(index.manifests[0].digest, image.digest);
  assert.deepEqual(JSON.parse(await readFile(join(f.store.dataDir, "oci-layout"), "utf8")), {
    imageLayoutVersion: "1.0.0",
  });
});

test("many tags set at once are all in the index", async () => {
  await using f = await fixture();
  const image = await putImage(f.store, []);
  const other = createStore(f.store);
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? f.store : other).tag(image, named("iris", `v${index}`)),
    ),
  );
  const index = JSON.parse(await readFile(join(f.store.dataDir, "index.json"), "utf8"));
  assert.equal(index.manifests.length, 20);
});

test("damaged files of the store are named together with what to do", async () => {
  await using f = await fixture();
  const image = await putImage(f.store, []);
  await f.store.tag(image, named("iris"));
  const [repository] = await readdir(join(f.store.dataDir, "tags"));
  const [tag] = await readdir(join(f.store.dataDir, "tags", repository ?? ""));
  const path = join(f.store.dataDir, "tags", repository ?? "", tag ?? "");
  for (const text of [
    "",
    "{",
    "[]",
    "null",
    `{"reference":{},"descriptor":{}}`,
    `{"reference":{"registry":"store","repository":"iris","tag":"v1"},"descriptor":{"digest":"sha256:1","size":1,"mediaType":"x"}}`,
  ]) {
    await writeFile(path, text);
    await assert.rejects(
      f.store.resolve(named("iris")),
      (error: Error & { code?: string; hint?: string }) =>
        error.code === "STORE_INVALID" && error.message.includes(path) && error.hint !== undefined,
      text,
    );
    await assert.rejects(f.store.list(), { code: "STORE_INVALID" });
  }
  await writeFile(join(f.store.dataDir, "oci-layout"), `{"imageLayoutVersion":"9.0.0"}`);
  await assert.rejects(f.store.resolve(named("iris")), {
    code: "STORE_INVALID",
    message: /another version/,
  });
});

test("gc removes what no tag reaches and keeps the rest", async () => {
  await using f = await fixture();
  const shared = await put(f.store, "shared");
  const lonely = await put(f.store, "lonely");
  const kept = await putImage(f.store, [shared]);
  const gone = await putImage(f.store, [shared, await put(f.store, "gone")]);
  const index = await put(
    f.store,
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests: [kept] }),
    MEDIA_TYPES.imageIndex,
  );
  const { plan, target } = await plannedFile(f.path, "weights");
  await f.store.putPlan(target, plan);
  await f.store.tag(index, named("iris"));
  await f.store.tag(gone, named("old"));
  await f.store.untag(named("old"));
  await age(f.store);
  const preview = await f.store.gc({ dryRun: true });
  const result = await f.store.gc();
  assert.deepEqual(preview, result);
  assert.deepEqual(
    { blobs: result.removedBlobs, plans: result.removedPlans, spared: result.spared },
    { blobs: 4, plans: 1, spared: 0 },
  );
  for (const target of [shared, kept, index]) assert.equal(await f.store.has(target), true);
  for (const digest of [lonely.digest, gone.digest, target.digest])
    assert.equal(await f.store.sizeOf(digest), undefined);
  assert.equal((await f.store.gc()).removedBlobs, 0);
});

test("gc keeps a recipe that a tag reaches", async () => {
  await using f = await fixture();
  const { plan, target } = await plannedFile(f.path, "weights");
  await f.store.putPlan(target, plan);
  await f.store.tag(await putImage(f.store, [target]), named("iris"));
  await age(f.store);
  assert.equal((await f.store.gc()).removedPlans, 0);
  assert.equal(await read(f.store, target), "<weights>");
});

test("gc takes nameless manifests of repositories when asked to, save what is about another one", async () => {
  await using f = await fixture();
  const subject = await putImage(f.store, []);
  const nameless = await putImage(f.store, [await put(f.store, "nameless")]);
  const about = await put(
    f.store,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.imageManifest,
      config: await put(f.store, "{}"),
      layers: [],
      subject,
    }),
    MEDIA_TYPES.imageManifest,
  );
  await f.store.tag(subject, named("iris"));
  for (const image of [nameless, about])
    await f.store.tag(image, { registry: "store", repository: "iris", digest: image.digest });
  await age(f.store);
  assert.equal((await f.store.gc()).removedBlobs, 0);
  const preview = await f.store.gc({ untagged: true, dryRun: true });
  assert.equal((await f.store.list()).length, 3);
  assert.deepEqual(await f.store.gc({ untagged: true }), preview);
  assert.deepEqual(
    (await f.store.list()).map(({ descriptor }) => descriptor.digest).sort(),
    [subject.digest, about.digest].sort(),
  );
  assert.equal(await f.store.has(nameless), false);
  assert.equal(await f.store.has(about), true);
});

test("gc spares young content while another process may be writing", async () => {
  await using f = await fixture();
  const old = await put(f.store, "old");
  await age(f.store);
  const asked = await put(f.store, "asked for");
  await age(f.store);
  const writer = createStore(f.store);
  const young = await put(writer, "young");
  assert.equal(await writer.has(asked), true);
  const result = await createStore(f.store).gc();
  assert.deepEqual([result.removedBlobs, result.spared], [1, 2]);
  assert.equal(await f.store.sizeOf(old.digest), undefined);
  assert.equal(await f.store.has(young), true);
});

test("gc removes unfinished files of a process that has died, and only those", async () => {
  await using f = await fixture();
  await put(f.store, "hello");
  const temporary = join(f.store.dataDir, "tmp");
  const [mine] = await readdir(temporary);
  const dead = (mine ?? "").replace(/^\d+-\d+/, "4194304-1");
  const elsewhere = (mine ?? "").replace(/-[0-9a-f]{8}-/, "-00000000-");
  for (const name of [dead, elsewhere]) await mkdir(join(temporary, name));
  await writeFile(join(temporary, dead, "1"), "half");
  await createStore(f.store).gc();
  assert.deepEqual(
    (await readdir(temporary))
      .sort()
      .filter((name) => name === dead || name === elsewhere || name === mine),
    [mine, elsewhere].sort(),
  );
});

test("gc removes nothing when a manifest is damaged", async () => {
  await using f = await fixture();
  const lonely = await put(f.store, "lonely");
  const image = await putImage(f.store, [await put(f.store, "one")]);
  await f.store.tag(image, named("iris"));
  await writeFile(await blobFile(f.store, image.digest), "{");
  await age(f.store);
  await assert.rejects(f.store.gc(), { code: "STORE_INVALID" });
  assert.equal(await f.store.sizeOf(lonely.digest), 6);
});

test("gc names images whose manifest is missing", async () => {
  await using f = await fixture();
  const image = await putImage(f.store, []);
  await f.store.tag(image, named("iris"));
  await rm(await blobFile(f.store, image.digest));
  assert.deepEqual((await f.store.gc()).broken, ["store:iris:v1"]);
});

test("disposing removes the instance's own folder", async () => {
  await using f = await fixture();
  {
    await using store = createStore(f.store);
    await put(store, "hello");
  }
  assert.deepEqual(await readdir(join(f.store.dataDir, "tmp")), []);
});

test("a removed blob is gone, whether real or a recipe", async () => {
  await using f = await fixture();
  const real = await put(f.store, "hello");
  const { plan, target } = await plannedFile(f.path, "weights");
  await f.store.putPlan(target, plan);
  assert.equal(await f.store.removeBlob(real.digest), true);
  assert.equal(await f.store.removeBlob(target.digest), true);
  assert.equal(await f.store.removeBlob(target.digest), false);
  assert.equal(await f.store.has(target), false);
});

test("the JSON cache keeps values apart by name and key, and survives damage", async () => {
  await using f = await fixture();
  const facts = f.store.cache("base-facts");
  assert.equal(await facts.get("a"), undefined);
  await facts.set("a", { python: "3.11" });
  assert.deepEqual(await createStore(f.store).cache("base-facts").get("a"), { python: "3.11" });
  assert.equal(await f.store.cache("other").get("a"), undefined);
  assert.throws(() => f.store.cache("../up"), RangeError);
  const folder = join(f.store.cacheDir, "json/base-facts");
  const [file] = await readdir(folder);
  await writeFile(join(folder, file ?? ""), "{");
  assert.equal(await facts.get("a"), undefined);
});

test("a cache that cannot be written loses values without an error", async () => {
  await using f = await fixture();
  await mkdir(f.store.dataDir, { recursive: true });
  await writeFile(f.store.cacheDir, "a file where the folder should be");
  const cache = f.store.cache("digests");
  await cache.set("a", 1);
  assert.equal(await cache.get("a"), undefined);
});

test("a digest is found again as long as the files keep their guards", async () => {
  await using f = await fixture();
  const { plan, target, path } = await plannedFile(f.path, "weights");
  const settled = Number((await stat(path)).ctimeMs) + 10_000;
  const digests = createDigestCache(f.store.cache("digests"), () => settled);
  assert.equal(await digests.get(plan), undefined);
  await digests.set(plan, target.digest);
  assert.equal(await f.store.digestCache().get(plan), target.digest);
  await writeFile(path, "Weights");
  const again = planOf([
    { kind: "file", path, guard: guardOf(await stat(path, { bigint: true })) },
  ]);
  assert.equal(await digests.get(again), undefined);
});

test("the digest of a file that was written a moment before it was read is not kept", async () => {
  await using f = await fixture();
  const { plan, target, path } = await plannedFile(f.path, "weights");
  const written = Number((await stat(path)).ctimeMs);
  const digests = createDigestCache(f.store.cache("digests"), () => written + 1);
  assert.equal(await digests.get(plan), undefined);
  await digests.set(plan, target.digest);
  assert.equal(await digests.get(plan), undefined);
});

test("content that was hashed before is recognised under another time, mode or inode, and other content of its size is not", async () => {
  await using f = await fixture();
  const path = join(f.path, "weights");
  const bytes = randomBytesOf(1, 3 << 20);
  const planFor = async (file: string): Promise<ContentPlan> =>
    planOf([
      { kind: "bytes", bytes: Buffer.from("header") },
      { kind: "file", path: file, guard: guardOf(await stat(file, { bigint: true })) },
    ]);
  await writeFile(path, bytes);
  const digests = createDigestCache(f.store.cache("digests"));
  const plan = await planFor(path);
  assert.equal(await digests.resembles(plan), false);
  await digests.set(plan, digestOf(bytes));
  await chmod(path, 0o600);
  await utimes(path, 1, 1);
  assert.equal(await digests.get(await planFor(path)), undefined);
  assert.equal(await f.store.digestCache().resembles(await planFor(path)), true);
  await copyFile(path, `${path}-copy`);
  assert.equal(await digests.resembles(await planFor(`${path}-copy`)), true);
  await writeFile(path, randomBytesOf(2, 3 << 20));
  assert.equal(await digests.resembles(await planFor(path)), false);
  const gone = await planFor(`${path}-copy`);
  await rm(`${path}-copy`);
  assert.equal(await digests.resembles(gone), false);
});
