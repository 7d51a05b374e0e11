import { oneChunk } from "../../ground/bytes/index.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStore } from "../../../test/support/memory-store.ts";
import { randomImage, randomLayer, unhashedLayer } from "../../../test/support/random-image.ts";
import { putBytes } from "../../../test/support/small-image.ts";
import { tarOf } from "../../../test/support/tiny-tar.ts";
import {
  annotate,
  appendLayers,
  configOf,
  createArtifact,
  createIndex,
  describeImage,
  digestOf,
  EMPTY_CONTENT,
  EMPTY_DESCRIPTOR,
  emptyImage,
  imageDescriptor,
  imageFrom,
  manifestOf,
  MEDIA_TYPES,
  mutateConfig,
  parseIndex,
  parseManifest,
  parsePlatform,
  referrersTag,
  selectPlatform,
  toOci,
  validateImage,
  type Descriptor,
  type Image,
} from "./index.ts";

const LINUX = { os: "linux", architecture: "amd64" };

test("the same parts give the same bytes, whatever order annotations come in", async () => {
  const [one, other] = [
    annotate(annotate(randomImage(), { b: "2" }), { a: "1" }),
    annotate(annotate(randomImage(), { a: "1" }), { b: "2" }),
  ];
  assert.equal((await imageDescriptor(one)).digest, (await imageDescriptor(other)).digest);
  assert.deepEqual(Object.keys((await manifestOf(one)).annotations ?? {}), ["a", "b"]);
});

test("a manifest is printed with its keys in one order", async () => {
  const text = Buffer.from(
    await annotate(randomImage({ layers: 1, compression: "none" }), { a: "1" }).rawManifest(),
  ).toString();
  assert.match(
    text,
    /^\{"schemaVersion":2,"mediaType":"[^"]+","config":\{"mediaType":"[^"]+","digest":"[^"]+","size":\d+\},"layers":\[\{"mediaType":"[^"]+","digest":"[^"]+","size":\d+\}\],"annotations":\{"a":"1"\}\}$/,
  );
});

test("history has one entry for each layer, also on a base that had none", async () => {
  const withoutHistory = await existing({ history: undefined, layers: 2 });
  const config = await configOf(
    appendLayers(withoutHistory, [
      { layer: randomLayer({ seed: 9 }), history: { created_by: "mine" } },
    ]),
  );
  assert.equal(config.history?.length, 3);
  assert.equal(config.history?.at(-1)?.created_by, "mine");
  assert.equal(config.rootfs.diff_ids.length, 3);
});

test("a base's empty history entries stay where they are", async () => {
  const base = await existing({
    history: [{ created_by: "a" }, { created_by: "ENV", empty_layer: true }, { created_by: "b" }],
    layers: 2,
  });
  const { history = [] } = await configOf(
    appendLayers(base, [{ layer: randomLayer({ seed: 9 }), history: { created_by: "mine" } }]),
  );
  assert.deepEqual(
    history.map((entry) => entry.created_by),
    ["a", "ENV", "b", "mine"],
  );
});

test("a history that speaks of more layers than there are is refused", async () => {
  const base = await existing({ history: [{}, {}, {}], layers: 2 });
  await assert.rejects(appendLayers(base, [{ layer: randomLayer(), history: {} }]).rawConfig(), {
    code: "MANIFEST_INVALID",
  });
});

test("an image out of a source keeps its bytes, whatever their form", async () => {
  const store = memoryStore();
  const config = await putBytes(
    store,
    Buffer.from(
      `{ "rootfs": {"diff_ids":[], "type":"layers"}, "os":"linux",   "architecture":"amd64" }`,
    ),
    MEDIA_TYPES.imageConfig,
  );
  const raw = Buffer.from(
    `{\n  "layers": [],\n "schemaVersion": 2, "config": ${JSON.stringify(config)} }`,
  );
  const image = imageFrom(store, await putBytes(store, raw, MEDIA_TYPES.imageManifest));
  assert.deepEqual(Buffer.from(await image.rawManifest()), raw);
  assert.equal((await imageDescriptor(image)).digest, digestOf(raw));
});

test("an image is read from its source once, and not before it is asked for", async () => {
  const { store, target } = await stored(randomImage());
  const image = imageFrom(store, target);
  assert.equal(store.calls.length, 0);
  await Promise.all([image.rawManifest(), image.layers(), image.rawConfig(), image.layers()]);
  assert.equal(store.calls.filter((call) => call.startsWith("open")).length, 2);
});

test("a manifest that changed in its source is not believed", async () => {
  const { store, target } = await stored(randomImage());
  store.blobs.set(target.digest, Buffer.alloc(target.size, 0x20));
  await assert.rejects(imageFrom(store, target).rawManifest(), { code: "DIGEST_MISMATCH" });
});

test("layers of a base are put on without being opened", async () => {
  const { store, target } = await stored(randomImage({ layers: 3 }));
  const image = appendLayers(imageFrom(store, target), [
    { layer: randomLayer({ seed: 5 }), history: { created_by: "x" } },
  ]);
  await image.rawManifest();
  assert.equal(
    store.calls.filter((call) => call.startsWith("open")).length,
    2,
    "manifest and config only",
  );
});

test("layers are handed out before anything of them is hashed", async () => {
  const layer = unhashedLayer(tarOf({ a: "x" }));
  const image = annotate(appendLayers(emptyImage(LINUX), [{ layer, history: {} }]), { a: "b" });
  assert.equal((await image.layers()).length, 1);
  assert.equal(layer.reads(), 0);
  await image.rawManifest();
  assert.equal(layer.reads(), 1);
});

test("a Docker image becomes an OCI image with the same blobs", async () => {
  const docker = await existing({ layers: 2, isDocker: true });
  const converted = toOci(docker);
  const [before, after] = [await manifestOf(docker), await manifestOf(converted)];
  assert.deepEqual(
    after.layers.map(({ mediaType }) => mediaType),
    [MEDIA_TYPES.layerTarGzip, MEDIA_TYPES.layerTarGzip],
  );
  assert.equal(after.mediaType, MEDIA_TYPES.imageManifest);
  assert.equal(after.config.mediaType, MEDIA_TYPES.imageConfig);
  assert.deepEqual(
    [after.config, ...after.layers].map(({ digest, size }) => [digest, size]),
    [before.config, ...before.layers].map(({ digest, size }) => [digest, size]),
  );
  await validateImage(converted);
});

test("an OCI image is not converted", async () => {
  const { store, target } = await stored(randomImage());
  assert.equal((await imageDescriptor(toOci(imageFrom(store, target)))).digest, target.digest);
});

test("foreign layers keep their urls through a derivation", async () => {
  const store = memoryStore();
  const layer = {
    mediaType: MEDIA_TYPES.dockerForeignLayer,
    digest: digestOf(Buffer.from("far")),
    size: 3,
    urls: ["https://far.test/layer"],
  };
  const config = await putBytes(
    store,
    Buffer.from(JSON.stringify({ ...LINUX, rootfs: { type: "layers", diff_ids: [layer.digest] } })),
    MEDIA_TYPES.dockerConfig,
  );
  const target = await putBytes(
    store,
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.dockerManifest,
        config,
        layers: [layer],
      }),
    ),
    MEDIA_TYPES.dockerManifest,
  );
  assert.deepEqual((await manifestOf(toOci(imageFrom(store, target)))).layers, [
    { ...layer, mediaType: MEDIA_TYPES.foreignLayerTarGzip },
  ]);
});

test("labels and annotations get the same values, and old ones stay", async () => {
  const image = describeImage(describeImage(randomImage(), { a: "1", b: "1" }), { b: "2" });
  assert.deepEqual((await manifestOf(image)).annotations, { a: "1", b: "2" });
  assert.deepEqual((await configOf(image)).config?.Labels, { seed: "1", a: "1", b: "2" });
});

test("a change of the config that breaks the image is our mistake, and is caught", async () => {
  await assert.rejects(
    mutateConfig(randomImage(), (config) => ({
      ...config,
      rootfs: { type: "layers", diff_ids: [] },
    })).rawConfig(),
    /must not change rootfs/,
  );
  await assert.rejects(
    mutateConfig(randomImage(), (config) => ({ ...config, history: [] })).rawConfig(),
    /history/,
  );
});

test("an index lists images with their platforms, and the wanted one is found", async () => {
  const images = await Promise.all(
    ["amd64", "arm64"].map(async (architecture) => ({
      descriptor: await imageDescriptor(randomImage({ platform: { os: "linux", architecture } })),
      platform: { os: "linux", architecture },
    })),
  );
  const { bytes, descriptor } = createIndex(images, { z: "1", a: "2" });
  const index = parseIndex(bytes);
  assert.equal(descriptor.digest, digestOf(bytes));
  assert.equal(
    selectPlatform(index, parsePlatform("linux/arm64")).digest,
    images[1]?.descriptor.digest,
  );
  assert.throws(
    () => selectPlatform(index, parsePlatform("linux/s390x")),
    /the index has linux\/amd64, linux\/arm64/,
  );
});

test("the exact variant wins over one that fits, whatever the order", () => {
  const entry = (text: string, seed: string): Descriptor => ({
    mediaType: MEDIA_TYPES.imageManifest,
    digest: digestOf(Buffer.from(seed)),
    size: 1,
    platform: parsePlatform(text),
  });
  const index = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageIndex,
    manifests: [
      entry("linux/arm", "any"),
      entry("linux/arm/v7", "v7"),
      entry("linux/arm/v6", "v6"),
    ],
  } as const;
  assert.equal(
    selectPlatform(index, parsePlatform("linux/arm/v6")).digest,
    digestOf(Buffer.from("v6")),
  );
  assert.equal(
    selectPlatform(index, parsePlatform("linux/arm/v5")).digest,
    digestOf(Buffer.from("any")),
  );
  assert.equal(
    selectPlatform(index, parsePlatform("linux/arm")).digest,
    digestOf(Buffer.from("any")),
  );
});

test("an artifact says what it is and what it belongs to", async () => {
  const subject = await imageDescriptor(randomImage());
  const { bytes, descriptor } = createArtifact({
    artifactType: "application/vnd.example.sbom",
    subject: { ...subject, annotations: { not: "here" } },
    annotations: { a: "b" },
  });
  const manifest = parseManifest(bytes);
  assert.equal(manifest.artifactType, "application/vnd.example.sbom");
  assert.equal(descriptor.artifactType, "application/vnd.example.sbom");
  assert.deepEqual(manifest.subject, subject);
  assert.deepEqual([manifest.config, manifest.layers], [EMPTY_DESCRIPTOR, [EMPTY_DESCRIPTOR]]);
  assert.equal(digestOf(Buffer.from(EMPTY_CONTENT)), EMPTY_DESCRIPTOR.digest);
});

test("the tag that lists referrers has the form the spec gives it", () => {
  assert.equal(referrersTag(`sha256:${"a".repeat(64)}`), `sha256-${"a".repeat(64)}`);
  assert.equal(referrersTag(`sha512:${"a".repeat(128)}`), `sha512-${"a".repeat(64)}`);
});

async function stored(
  image: Image,
): Promise<{ readonly store: ReturnType<typeof memoryStore>; readonly target: Descriptor }> {
  const store = memoryStore();
  for (const layer of await image.layers()) await store.put(await layer.descriptor(), layer.open());
  await putBytes(store, await image.rawConfig(), MEDIA_TYPES.imageConfig);
  const target = await imageDescriptor(image);
  await store.put(target, oneChunk(await image.rawManifest()));
  store.calls.length = 0;
  return { store, target };
}

/** An image as another tool might have pushed it. */
async function existing(options: {
  readonly layers: number;
  readonly history?: unknown;
  readonly isDocker?: boolean;
}): Promise<Image> {
  const store = memoryStore();
  const { isDocker = false } = options;
  const layers = Array.from({ length: options.layers }, (_, seed) =>
    randomLayer({ seed, compression: "gzip" }),
  );
  for (const layer of layers) await store.put(await layer.descriptor(), layer.open());
  const config = {
    ...LINUX,
    rootfs: { type: "layers", diff_ids: await Promise.all(layers.map((layer) => layer.diffId())) },
    history: options.history,
  };
  const configDescriptor = await putBytes(
    store,
    Buffer.from(JSON.stringify(config, undefined, 1)),
    isDocker ? MEDIA_TYPES.dockerConfig : MEDIA_TYPES.imageConfig,
  );
  const descriptors = await Promise.all(
    layers.map(async (layer) => ({
      ...(await layer.descriptor()),
      mediaType: isDocker ? MEDIA_TYPES.dockerLayerGzip : MEDIA_TYPES.layerTarGzip,
    })),
  );
  const mediaType = isDocker ? MEDIA_TYPES.dockerManifest : MEDIA_TYPES.imageManifest;
  return imageFrom(
    store,
    await putBytes(
      store,
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType,
          config: configDescriptor,
          layers: descriptors,
        }),
      ),
      mediaType,
    ),
  );
}
