import assert from "node:assert/strict";
import { test } from "node:test";
import {
  memoryStore,
  mountingSink,
  plainSink,
  resumingSink,
  type MemoryStore,
} from "../../../test/support/memory-store.ts";
import {
  chunksOf,
  randomBytesOf,
  randomImage,
  randomLayer,
  unhashedLayer,
} from "../../../test/support/random-image.ts";
import { putBytes } from "../../../test/support/small-image.ts";
import { tarOf } from "../../../test/support/tiny-tar.ts";
import { ContentError } from "../../ground/errors/index.ts";
import {
  appendLayers,
  createArtifact,
  createIndex,
  digestOf,
  EMPTY_CONTENT,
  EMPTY_DESCRIPTOR,
  emptyImage,
  imageDescriptor,
  imageFrom,
  MEDIA_TYPES,
  parseIndex,
  parseManifest,
  validateImage,
  validateIndex,
  type Descriptor,
  type Image,
  type Reference,
  type ResumableIngestSink,
  type Sink,
  type Source,
  type UnhashedLayer,
} from "../oci/index.ts";
import { anySource, copy, pushImage, type CopyProgress } from "./index.ts";

const NAME: Reference = { registry: "host.test", repository: "team/iris", tag: "v1" };
const OTHER: Reference = { registry: "host.test", repository: "team/other", tag: "v1" };

test("an image arrives whole, children before parents, the name last", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  const target = await keep(from, randomImage({ layers: 3 }));
  const result = await copy(from, to, { from: NAME, to: [OTHER] });
  assert.deepEqual(result.descriptor, target);
  assert.deepEqual(await to.resolve(OTHER), target);
  await validateImage(imageFrom(to, target));
  const puts = to.calls.filter((call) => call.startsWith("put") || call.startsWith("tag"));
  assert.deepEqual(puts.slice(-2), [`put ${target.digest}`, "tag host.test/team/other:v1"]);
  const size = [...from.blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  assert.deepEqual(
    { ...result, descriptor: 0 },
    {
      descriptor: 0,
      blobs: 4,
      blobsUploaded: 4,
      blobsMounted: 0,
      blobsSkipped: 0,
      manifestsUploaded: 1,
      bytesUploaded: size,
      bytesMounted: 0,
      bytesSkipped: 0,
      bytesSent: size,
    },
  );
});

test("what is there is asked for once, and neither read nor sent", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  const target = await keep(from, randomImage({ layers: 3 }));
  await copy(from, to, { from: NAME });
  from.calls.length = 0;
  to.calls.length = 0;
  const again = await copy(from, to, { from: NAME, to: [NAME] });
  assert.equal(
    again.bytesUploaded + again.bytesSent + again.blobsUploaded + again.manifestsUploaded,
    0,
  );
  assert.equal(again.blobsSkipped, 4);
  assert.deepEqual(
    from.calls,
    ["resolve host.test/team/iris:v1", `open ${target.digest}`],
    "only the manifest is read",
  );
  assert.equal(to.calls.filter((call) => call.startsWith("has")).length, 5);
  assert.deepEqual(
    to.calls.filter((call) => !call.startsWith("has")),
    ["tag host.test/team/iris:v1"],
  );
});

test("one changed layer is all that is sent", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  const base = randomImage({ layers: 3 });
  await copyAll(base, to);
  const changed = appendLayers(base, [
    { layer: randomLayer({ seed: 77, bytes: 500, compression: "none" }), history: {} },
  ]);
  const target = await keep(from, changed);
  const result = await copy(from, to, { from: target });
  assert.deepEqual(
    [result.blobsUploaded, result.blobsSkipped, result.blobs],
    [2, 3, 5],
    "the layer and the config",
  );
});

test("a layer that an image has twice is brought once", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  const layer = randomLayer({ seed: 3 });
  await keep(
    from,
    appendLayers(emptyImage({ os: "linux", architecture: "amd64" }), [
      { layer, history: {} },
      { layer, history: {} },
    ]),
  );
  const result = await copy(from, to, { from: NAME });
  assert.equal(result.blobs, 2);
  assert.equal(
    to.calls.filter((call) => call.startsWith("put")).length,
    3,
    "the layer, the config and the manifest",
  );
});

test("blobs are mounted from the repository they come from, and streamed where that is refused", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  const image = randomImage({ layers: 2, compression: "none" });
  await keep(from, image);
  const [first] = parseManifest(await image.rawManifest()).layers;
  const partial = memoryStore();
  partial.blobs.set(
    first?.digest ?? "sha256:",
    from.blobs.get(first?.digest ?? "sha256:") ?? Buffer.alloc(0),
  );
  const result = await copy(from, mountingSink(to, { "host.test/team/iris": partial }), {
    from: NAME,
    to: [OTHER],
  });
  assert.deepEqual(
    [result.blobsMounted, result.bytesMounted, result.blobsUploaded],
    [1, first?.size, 2],
  );
  assert.equal(from.calls.includes(`open ${first?.digest}`), false, "a mounted blob is not read");
  await validateImage(imageFrom(to, result.descriptor));
});

test("nothing is mounted between registries, nor from the target itself", async () => {
  for (const to of [[{ ...OTHER, registry: "elsewhere.test" }], [{ ...NAME, tag: "v2" }], []]) {
    const [from, sinkStore] = [memoryStore(), memoryStore()];
    await keep(from, randomImage());
    await copy(from, mountingSink(sinkStore, {}), { from: NAME, to });
    assert.equal(
      sinkStore.calls.some((call) => call.startsWith("mount")),
      false,
    );
  }
});

test("which repositories to mount from may depend on the blob, and two are tried", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  await keep(from, randomImage({ layers: 1 }));
  const asked: string[] = [];
  await copy(from, mountingSink(to, {}), {
    from: NAME,
    mountFrom: (target) => (
      asked.push(target.mediaType),
      target.mediaType === MEDIA_TYPES.layerTar ? [NAME, OTHER, NAME] : []
    ),
  });
  assert.equal(asked.length, 2);
  assert.equal(to.calls.filter((call) => call.startsWith("mount")).length, 2);
});

test("an upload that breaks is taken up where it stopped, and both counts tell it", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  await keep(from, randomImage({ layers: 1, bytes: 100_000, compression: "none" }));
  const result = await copy(from, resumingSink(to, 30_000), { from: NAME });
  await validateImage(imageFrom(to, result.descriptor));
  assert.ok(
    result.bytesSent >= result.bytesUploaded - 30_000 &&
      result.bytesSent <= result.bytesUploaded + 20_000,
    `${result.bytesSent} of ${result.bytesUploaded}`,
  );
});

test("an index comes with every image it lists, nested ones too", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  const { target, images } = await keepIndex(from, ["amd64", "arm64"]);
  const outer = await putBytes(
    from,
    createIndex([{ descriptor: target }]).bytes,
    MEDIA_TYPES.imageIndex,
  );
  const result = await copy(from, to, { from: outer });
  assert.equal((await validateIndex(to, outer)).length, 2);
  assert.equal(result.manifestsUploaded, 4);
  assert.equal(images.length, 2);
});

test("platforms that share a layer send it once", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  const weights = randomLayer({ seed: 5, bytes: 50_000, compression: "none" });
  const entries = [];
  for (const architecture of ["amd64", "arm64"])
    entries.push({
      descriptor: await keep(
        from,
        appendLayers(emptyImage({ os: "linux", architecture }), [{ layer: weights, history: {} }]),
      ),
      platform: { os: "linux", architecture },
    });
  const result = await copy(from, to, {
    from: await putBytes(from, createIndex(entries).bytes, MEDIA_TYPES.imageIndex),
  });
  assert.equal(result.blobs, 3);
  assert.equal(to.calls.filter((call) => call.startsWith("put")).length, 6);
});

test("of an index one platform is taken alone, and the name points at it", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  const { target, images } = await keepIndex(from, ["amd64", "arm64"]);
  await from.tag(target, NAME);
  const result = await copy(from, to, {
    from: NAME,
    to: [NAME],
    platform: { os: "linux", architecture: "arm64" },
  });
  assert.equal(result.descriptor.digest, images[1]?.digest);
  assert.equal((await to.resolve(NAME)).digest, images[1]?.digest);
  assert.equal(result.manifestsUploaded, 1);
});

test("a platform that is not there is refused before anything is sent", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  const { target } = await keepIndex(from, ["amd64"]);
  await assert.rejects(
    copy(from, to, { from: target, platform: { os: "linux", architecture: "arm64" } }),
    { code: "REFERENCE_NOT_FOUND", message: /linux\/amd64/ },
  );
  await assert.rejects(
    copy(from, to, {
      from: await keep(from, randomImage()),
      platform: { os: "linux", architecture: "arm64" },
    }),
    { code: "REFERENCE_NOT_FOUND", message: /is one image, for linux\/amd64/ },
  );
  assert.equal(to.blobs.size, 0);
});

test("a Docker image is copied as it is, and converted where that is asked for", async () => {
  const from = memoryStore();
  const target = await keepDocker(from, "amd64");
  assert.equal(
    (await copy(from, memoryStore(), { from: target })).descriptor.digest,
    target.digest,
  );
  const to = memoryStore();
  const { descriptor } = await copy(from, to, { from: target, to: [NAME], convert: "oci" });
  assert.equal(descriptor.mediaType, MEDIA_TYPES.imageManifest);
  assert.equal(to.blobs.has(target.digest), false, "the Docker manifest is not there");
  await validateImage(imageFrom(to, await to.resolve(NAME)));
  const [before, after] = [
    parseManifest(from.blobs.get(target.digest) ?? Buffer.alloc(0)),
    parseManifest(to.blobs.get(descriptor.digest) ?? Buffer.alloc(0)),
  ];
  assert.deepEqual(
    after.layers.map(({ digest }) => digest),
    before.layers.map(({ digest }) => digest),
  );
  assert.equal(after.config.digest, before.config.digest);
});

test("a Docker manifest list becomes an index of what its images became", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  const manifests = [];
  for (const architecture of ["amd64", "arm64"])
    manifests.push({
      ...(await keepDocker(from, architecture)),
      platform: { os: "linux", architecture, "os.version": "1" },
    });
  const list = await putBytes(
    from,
    Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.dockerManifestList, manifests }),
    ),
    MEDIA_TYPES.dockerManifestList,
  );
  const { descriptor } = await copy(from, to, { from: list, convert: "oci" });
  const index = parseIndex(to.blobs.get(descriptor.digest) ?? Buffer.alloc(0));
  assert.deepEqual(
    [descriptor.mediaType, index.mediaType],
    [MEDIA_TYPES.imageIndex, MEDIA_TYPES.imageIndex],
  );
  assert.deepEqual(
    index.manifests.map(({ platform }) => platform),
    manifests.map(({ platform }) => platform),
  );
  assert.equal((await validateIndex(to, descriptor)).length, 2);
});

test("an OCI index that needs no conversion keeps its bytes", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  const { target } = await keepIndex(from, ["amd64"]);
  assert.equal(
    (await copy(from, to, { from: target, convert: "oci" })).descriptor.digest,
    target.digest,
  );
});

test("what refers to an image comes along when asked for, and what refers to that", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  const target = await keep(from, randomImage());
  await putBytes(from, Buffer.from(EMPTY_CONTENT), EMPTY_DESCRIPTOR.mediaType);
  const bill = createArtifact({ artifactType: "application/x.sbom", subject: target });
  const signature = createArtifact({
    artifactType: "application/x.signature",
    subject: bill.descriptor,
  });
  for (const { bytes } of [bill, signature]) await putBytes(from, bytes, MEDIA_TYPES.imageManifest);
  const referrersOf = async ({ digest }: Descriptor): Promise<readonly Descriptor[]> =>
    [bill, signature]
      .filter(({ bytes }) => parseManifest(bytes).subject?.digest === digest)
      .map(({ descriptor }) => descriptor);
  await copy(from, to, { from: target });
  assert.equal(to.blobs.has(bill.descriptor.digest), false);
  await copy(from, to, { from: target, referrersOf });
  assert.deepEqual(
    [bill, signature].map(({ descriptor }) => to.blobs.has(descriptor.digest)),
    [true, true],
  );
});

test("referrers that go round in a circle end", async () => {
  const from = memoryStore();
  const target = await keep(from, randomImage());
  await assert.rejects(
    copy(from, memoryStore(), { from: target, referrersOf: async () => [target] }),
    { code: "LIMIT_EXCEEDED" },
  );
});

test("foreign layers stay where they are", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  const foreign = {
    mediaType: MEDIA_TYPES.dockerForeignLayer,
    digest: digestOf(Buffer.from("far")),
    size: 3,
    urls: ["https://far.test/layer"],
  };
  const config = await putBytes(
    from,
    Buffer.from(
      JSON.stringify({
        os: "windows",
        architecture: "amd64",
        rootfs: { type: "layers", diff_ids: [foreign.digest] },
      }),
    ),
    MEDIA_TYPES.dockerConfig,
  );
  const target = await putBytes(
    from,
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.dockerManifest,
        config,
        layers: [foreign],
      }),
    ),
    MEDIA_TYPES.dockerManifest,
  );
  const result = await copy(from, to, { from: target });
  assert.equal(result.blobs, 1);
  assert.equal(
    from.calls.some((call) => call.includes(foreign.digest)),
    false,
  );
});

test("a blob that the source lacks fails by name, and no name is moved", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  const image = randomImage({ layers: 2 });
  await keep(from, image);
  const lost = parseManifest(await image.rawManifest()).layers[1];
  from.blobs.delete(lost?.digest ?? "sha256:");
  await assert.rejects(copy(from, to, { from: NAME, to: [NAME] }), {
    code: "BLOB_NOT_FOUND",
    message: new RegExp(lost?.digest ?? "x"),
  });
  assert.equal(to.tags.size, 0);
  assert.equal(
    to.blobs.has((await imageDescriptor(image)).digest),
    false,
    "no manifest without its children",
  );
});

test("the first failure is what the caller sees, and it ends the rest", async () => {
  const from = memoryStore();
  await keep(from, randomImage({ layers: 6, bytes: 200_000, compression: "none" }));
  const seen: unknown[] = [];
  let first = true;
  const sink: Sink = {
    has: async () => false,
    async put(_target, content, options) {
      if (first) {
        first = false;
        throw new ContentError("DISK_FULL", "write: the disk is full");
      }
      try {
        for await (const chunk of content) {
          void chunk;
          await new Promise((resolve) => setImmediate(resolve));
          options?.signal?.throwIfAborted();
        }
      } catch (error) {
        seen.push(error);
        throw error;
      }
    },
    tag: async () => undefined,
  };
  await assert.rejects(copy(from, sink, { from: NAME }), { code: "DISK_FULL" });
  assert.ok(seen.length > 0, "others were under way");
  assert.ok(
    seen.every((error) => (error as ContentError).code === "DISK_FULL"),
    "and ended for that reason",
  );
});

test("an abort rejects with its reason and moves no name", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  await keep(from, randomImage({ layers: 3, bytes: 500_000 }));
  const controller = new AbortController();
  const reason = new Error("enough");
  const running = copy(from, to, {
    from: NAME,
    to: [NAME],
    signal: controller.signal,
    onProgress: ({ state }) => state === "progress" && controller.abort(reason),
  });
  await assert.rejects(running, (error: unknown) => error === reason);
  assert.equal(to.tags.size, 0);
  await assert.rejects(
    copy(from, to, { from: NAME, signal: AbortSignal.abort(reason) }),
    (error: unknown) => error === reason,
  );
});

test("no more blobs are on their way at once than allowed", async () => {
  const from = memoryStore();
  await keep(from, randomImage({ layers: 9 }));
  let [now, most] = [0, 0];
  const to = memoryStore();
  const sink: Sink = {
    ...plainSink(to),
    async put(target, content, options) {
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setImmediate(resolve));
      await to.put(target, content, options);
      now -= 1;
    },
  };
  await copy(from, sink, { from: NAME, concurrency: 2 });
  assert.equal(most, 2);
});

test("progress of a blob comes in order and ends with what became of it", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  await keep(from, randomImage({ layers: 2, bytes: 100_000, compression: "none" }));
  const events: CopyProgress[] = [];
  await copy(from, to, { from: NAME, onProgress: (event) => events.push(event) });
  const byId = Map.groupBy(events, ({ id }) => id);
  assert.equal(byId.size, 3);
  for (const [, own] of byId) {
    assert.equal(own[0]?.state, "start");
    assert.equal(own.at(-1)?.state, "done");
    assert.equal(own.at(-1)?.bytes, own[0]?.size);
    assert.deepEqual(
      own.map(({ bytes }) => bytes),
      own.map(({ bytes }) => bytes).sort((one, other) => one - other),
    );
  }
  events.length = 0;
  await copy(from, to, { from: NAME, onProgress: (event) => events.push(event) });
  assert.deepEqual(
    events.map(({ state }) => state),
    ["skipped", "skipped", "skipped"],
  );
});

test("a layer of unknown digest is read once: hashed while it is stored", async () => {
  const to = memoryStore();
  const layer = unhashedLayer(tarOf({ weights: randomBytesOf(1, 300_000) }));
  const image = appendLayers(randomImage({ layers: 1 }), [{ layer, history: {} }]);
  const result = await pushImage(image, to, {
    to: [NAME],
    labelOf: (_layer, index) => `layer ${index}`,
  });
  assert.equal(layer.reads(), 1);
  assert.ok(layer.adopted() !== undefined);
  await validateImage(imageFrom(to, await to.resolve(NAME)));
  assert.deepEqual([result.blobs, result.blobsUploaded, result.manifestsUploaded], [3, 3, 1]);
});

test("a layer of known digest that the sink has is not read at all", async () => {
  const to = memoryStore();
  const layer = unhashedLayer(tarOf({ weights: randomBytesOf(1, 300_000) }));
  const image = (): Image => appendLayers(randomImage({ layers: 1 }), [{ layer, history: {} }]);
  await pushImage(image(), to);
  const reads = layer.reads();
  const result = await pushImage(image(), to, { to: [NAME] });
  assert.equal(layer.reads(), reads);
  assert.deepEqual([result.bytesUploaded, result.bytesSent, result.blobsSkipped], [0, 0, 3]);
});

test("a layer that looks like known content is hashed first, and not sent where the sink has it", async () => {
  const to = memoryStore();
  const tar = tarOf({ weights: randomBytesOf(1, 300_000) });
  const imageOf = (layer: UnhashedLayer): Image =>
    appendLayers(randomImage({ layers: 1 }), [{ layer, history: {} }]);
  await pushImage(imageOf(unhashedLayer(tar)), to);
  const layer = { ...unhashedLayer(tar), resemblesKnown: async () => true };
  const again = await pushImage(imageOf(layer), to);
  assert.deepEqual(
    [again.bytesUploaded, again.bytesSent, again.blobsSkipped, layer.reads()],
    [0, 0, 3, 1],
  );
});

test("a sink that cannot find digests gets them found before", async () => {
  const to = memoryStore();
  const layer = unhashedLayer(tarOf({ weights: randomBytesOf(1, 300_000) }));
  await pushImage(
    appendLayers(randomImage({ layers: 1 }), [{ layer, history: {} }]),
    plainSink(to),
    { to: [NAME] },
  );
  assert.equal(layer.reads(), 2);
  await validateImage(imageFrom(to, await to.resolve(NAME)));
});

test("a layer that can open at an offset is not read from its start when an upload is taken up again", async () => {
  const to = memoryStore();
  const plain = randomLayer({ seed: 8, bytes: 100_000, compression: "none" });
  const bytes = Buffer.concat(await Array.fromAsync(plain.open()));
  const offsets: number[] = [];
  const layer = {
    ...plain,
    openFrom: (offset: number) => (offsets.push(offset), chunksOf(bytes.subarray(offset))),
  };
  await pushImage(
    appendLayers(emptyImage({ os: "linux", architecture: "amd64" }), [{ layer, history: {} }]),
    resumingSink(to, 30_000),
    { to: [NAME] },
  );
  assert.deepEqual(offsets, [30_000]);
});

test("a source that can open at an offset is not read from its start either", async () => {
  const [from, to] = [memoryStore(), memoryStore()];
  await keep(from, randomImage({ layers: 1, bytes: 100_000, compression: "none" }));
  const offsets: number[] = [];
  const source = {
    ...from,
    openFrom: (target: Descriptor, offset: number) => (
      offsets.push(offset),
      chunksOf((from.blobs.get(target.digest) ?? Buffer.alloc(0)).subarray(offset))
    ),
  };
  const result = await copy(source, resumingSink(to, 30_000), { from: NAME });
  await validateImage(imageFrom(to, result.descriptor));
  assert.deepEqual(
    offsets.filter((offset) => offset === 30_000),
    [30_000],
  );
});

test("a sink that can take unknown content up again gets it by offset and key", async () => {
  const to = memoryStore();
  const layer = {
    ...unhashedLayer(tarOf({ weights: randomBytesOf(1, 300_000) })),
    key: "weights-1",
  };
  const keys: (string | undefined)[] = [];
  const sink: ResumableIngestSink = {
    ...to,
    async ingestFrom(content, options) {
      keys.push(content.key);
      const cut: Uint8Array[] = [];
      for await (const chunk of content.open(0)) if (cut.push(chunk) === 3) break;
      const got = cut.reduce((sum, { byteLength }) => sum + byteLength, 0);
      return to.ingest(
        (async function* () {
          yield* cut;
          yield* content.open(got);
        })(),
        content.size,
        options,
      );
    },
  };
  const result = await pushImage(
    appendLayers(emptyImage({ os: "linux", architecture: "amd64" }), [{ layer, history: {} }]),
    sink,
    { to: [NAME] },
  );
  assert.deepEqual(keys, ["weights-1"]);
  await validateImage(imageFrom(to, result.descriptor));
});

test("the first source that has it gives it; other failures are not passed over", async () => {
  const [one, two, to] = [memoryStore(), memoryStore(), memoryStore()];
  const image = randomImage({ layers: 2 });
  const target = await keep(two, image);
  one.blobs.set(target.digest, Buffer.from(await image.rawManifest()));
  await copy(anySource(one, two), to, { from: NAME });
  await validateImage(imageFrom(to, target));
  one.blobs.set(target.digest, Buffer.alloc(target.size));
  await assert.rejects(copy(anySource(one, two), memoryStore(), { from: target }), {
    code: "DIGEST_MISMATCH",
  });
  await assert.rejects(anySource(one, memoryStore()).resolve(OTHER), {
    code: "REFERENCE_NOT_FOUND",
  });
  const lacking = (words: string): Source => ({
    ...memoryStore(),
    open: () => {
      throw new ContentError("BLOB_NOT_FOUND", words);
    },
  });
  await assert.rejects(
    Array.fromAsync(anySource(lacking("the store"), lacking("the base")).open(target)),
    { message: "the store" },
    "it is the first one's to have",
  );
});

async function copyAll(image: Image, to: MemoryStore): Promise<void> {
  await pushImage(image, to);
  to.calls.length = 0;
}

async function keep(store: MemoryStore, image: Image): Promise<Descriptor> {
  const { descriptor } = await pushImage(image, store, { to: [NAME] });
  store.calls.length = 0;
  return descriptor;
}

async function keepIndex(
  store: MemoryStore,
  architectures: readonly string[],
): Promise<{ readonly target: Descriptor; readonly images: readonly Descriptor[] }> {
  const entries = [];
  for (const [index, architecture] of architectures.entries()) {
    entries.push({
      descriptor: await keep(
        store,
        randomImage({ seed: index, platform: { os: "linux", architecture } }),
      ),
      platform: { os: "linux", architecture },
    });
  }
  return {
    target: await putBytes(store, createIndex(entries).bytes, MEDIA_TYPES.imageIndex),
    images: entries.map(({ descriptor }) => descriptor),
  };
}

async function keepDocker(store: MemoryStore, architecture: string): Promise<Descriptor> {
  const layer = randomLayer({ seed: architecture.length, compression: "gzip" });
  const { digest, size } = await layer.descriptor();
  await store.put({ mediaType: MEDIA_TYPES.dockerLayerGzip, digest, size }, layer.open());
  const config = await putBytes(
    store,
    Buffer.from(
      JSON.stringify(
        { architecture, os: "linux", rootfs: { type: "layers", diff_ids: [await layer.diffId()] } },
        undefined,
        2,
      ),
    ),
    MEDIA_TYPES.dockerConfig,
  );
  const layers = [{ mediaType: MEDIA_TYPES.dockerLayerGzip, digest, size }];
  const target = await putBytes(
    store,
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.dockerManifest,
        config: { ...config, mediaType: MEDIA_TYPES.dockerConfig },
        layers,
      }),
    ),
    MEDIA_TYPES.dockerManifest,
  );
  store.calls.length = 0;
  return target;
}
