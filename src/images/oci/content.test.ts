import { oneChunk } from "../../ground/bytes/index.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { memoryStore } from "../../../test/support/memory-store.ts";
import {
  bytesLayer,
  chunksOf,
  randomBytesOf,
  randomImage,
  randomLayer,
} from "../../../test/support/random-image.ts";
import { bytesOf, putBytes } from "../../../test/support/small-image.ts";
import { tarOf } from "../../../test/support/tiny-tar.ts";
import {
  annotate,
  appendLayers,
  createArtifact,
  createIndex,
  diffIdOf,
  digestOf,
  emptyImage,
  imageDescriptor,
  imageFrom,
  MEDIA_TYPES,
  parseManifest,
  readVerified,
  storedLayer,
  uncompressed,
  validateImage,
  validateIndex,
  verifyBytes,
  type Descriptor,
  type Image,
} from "./index.ts";

const TAR = tarOf({ "a.bin": randomBytesOf(1, 100_000) });
const layerDescriptor = (
  bytes: Uint8Array,
  mediaType: string = MEDIA_TYPES.layerTar,
): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.byteLength,
});

test("verified bytes pass through untouched", async () => {
  assert.deepEqual(
    await bytesOf(verifyBytes(chunksOf(TAR), layerDescriptor(TAR))),
    Buffer.from(TAR),
  );
});

test("one changed byte does not end cleanly", async () => {
  const wrong = Buffer.from(TAR);
  wrong[600] = (wrong[600] ?? 0) ^ 1;
  await assert.rejects(bytesOf(verifyBytes(chunksOf(wrong), layerDescriptor(TAR))), {
    code: "DIGEST_MISMATCH",
    expected: digestOf(TAR),
    actual: digestOf(wrong),
  });
});

test("content that is too long ends as soon as that is known", async () => {
  let given = 0;
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    for (;;) {
      given += 1;
      yield randomBytesOf(given, 1000);
    }
  };
  await assert.rejects(bytesOf(verifyBytes(endless(), { ...layerDescriptor(TAR), size: 5000 })), {
    code: "SIZE_MISMATCH",
  });
  assert.equal(given, 6);
});

test("content that is too short says how far it came", async () => {
  await assert.rejects(bytesOf(verifyBytes(chunksOf(TAR.subarray(0, 50)), layerDescriptor(TAR))), {
    code: "SIZE_MISMATCH",
    bytesRead: 50,
  });
});

test("sha512 is verified too", async () => {
  const digest =
    `sha512:${(await import("node:crypto")).createHash("sha512").update(TAR).digest("hex")}` as const;
  assert.equal(
    (await bytesOf(verifyBytes(chunksOf(TAR), { ...layerDescriptor(TAR), digest }))).byteLength,
    TAR.byteLength,
  );
  await assert.rejects(
    bytesOf(
      verifyBytes(chunksOf(Buffer.alloc(TAR.byteLength)), { ...layerDescriptor(TAR), digest }),
    ),
    { code: "DIGEST_MISMATCH" },
  );
});

test("what is read into memory is bounded before it is read", async () => {
  let isRead = false;
  const content = async function* (): AsyncGenerator<Uint8Array> {
    isRead = true;
    yield TAR;
  };
  await assert.rejects(readVerified(content(), layerDescriptor(TAR), { maxBytes: 100 }), {
    code: "LIMIT_EXCEEDED",
  });
  assert.equal(isRead, false);
});

const STORED = {
  [MEDIA_TYPES.layerTar]: TAR,
  [MEDIA_TYPES.layerTarGzip]: gzipSync(TAR),
  [MEDIA_TYPES.dockerLayerGzip]: gzipSync(TAR),
  [MEDIA_TYPES.layerTarZstd]: zstdCompressSync(TAR),
};

for (const [mediaType, stored] of Object.entries(STORED)) {
  test(`the diffId of ${mediaType} is that of the tar inside`, async () => {
    assert.equal(await diffIdOf(chunksOf(stored), mediaType), digestOf(TAR));
  });
}

test("gzip of several members and zstd of several frames are one tar", async () => {
  const [head, tail] = [TAR.subarray(0, 5000), TAR.subarray(5000)];
  assert.equal(
    await diffIdOf(
      chunksOf(Buffer.concat([gzipSync(head), gzipSync(tail)])),
      MEDIA_TYPES.layerTarGzip,
    ),
    digestOf(TAR),
  );
  assert.equal(
    await diffIdOf(
      chunksOf(Buffer.concat([zstdCompressSync(head), zstdCompressSync(tail)])),
      MEDIA_TYPES.layerTarZstd,
    ),
    digestOf(TAR),
  );
});

test("a compressed layer that is cut off is no layer", async () => {
  for (const mediaType of [MEDIA_TYPES.layerTarGzip, MEDIA_TYPES.layerTarZstd]) {
    for (const length of [0, 1, 3, 10, 1000, STORED[mediaType].byteLength - 1]) {
      await assert.rejects(
        diffIdOf(chunksOf(STORED[mediaType].subarray(0, length)), mediaType),
        { code: "ARCHIVE_INVALID" },
        `${mediaType}, ${length} bytes`,
      );
    }
  }
});

test("content that is not what its media type says is refused", async () => {
  await assert.rejects(diffIdOf(chunksOf(STORED[MEDIA_TYPES.layerTarGzip]), MEDIA_TYPES.layerTar), {
    code: "ARCHIVE_INVALID",
    message: /says not compressed, and its content is gzip/,
  });
  await assert.rejects(
    diffIdOf(chunksOf(Buffer.alloc(TAR.byteLength, "x")), MEDIA_TYPES.layerTarGzip),
    { code: "ARCHIVE_INVALID" },
  );
  await assert.rejects(diffIdOf(chunksOf(TAR), MEDIA_TYPES.layerTarZstd), {
    code: "ARCHIVE_INVALID",
  });
  await assert.rejects(
    diffIdOf(chunksOf(STORED[MEDIA_TYPES.layerTarGzip]), MEDIA_TYPES.layerTarZstd),
    { code: "ARCHIVE_INVALID" },
  );
  await assert.rejects(diffIdOf(chunksOf(TAR), "application/json"), { code: "UNSUPPORTED" });
});

test("a plain tar that Docker labelled as gzip is read as what it is", async () => {
  for (const mediaType of [MEDIA_TYPES.dockerLayerGzip, MEDIA_TYPES.layerTarGzip])
    assert.equal(await diffIdOf(chunksOf(TAR), mediaType), digestOf(TAR));
});

test("a bomb goes off no further than the bound", async () => {
  const bomb = gzipSync(Buffer.alloc(20 * 2 ** 20));
  let out = 0;
  await assert.rejects(
    async () => {
      for await (const chunk of uncompressed(chunksOf(bomb), MEDIA_TYPES.layerTarGzip, {
        maxBytes: 2 ** 20,
      }))
        out += chunk.byteLength;
    },
    { code: "LIMIT_EXCEEDED" },
  );
  assert.ok(out <= 2 ** 20, `${out} bytes came out`);
});

test("a zstd bomb goes off no further than the bound", async () => {
  await assert.rejects(
    diffIdOf(chunksOf(zstdCompressSync(Buffer.alloc(20 * 2 ** 20))), MEDIA_TYPES.layerTarZstd, {
      maxBytes: 2 ** 20,
    }),
    { code: "LIMIT_EXCEEDED" },
  );
});

test("a failure of the source is not taken for a damaged archive", async () => {
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield STORED[MEDIA_TYPES.layerTarGzip].subarray(0, 50_000);
    throw new Error("the wire broke");
  };
  await assert.rejects(diffIdOf(failing(), MEDIA_TYPES.layerTarGzip), /the wire broke/);
});

test("leaving early closes the source", async () => {
  let isClosed = false;
  const content = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield* chunksOf(STORED[MEDIA_TYPES.layerTarGzip]);
    } finally {
      isClosed = true;
    }
  };
  for await (const chunk of uncompressed(content(), MEDIA_TYPES.layerTarGzip)) {
    assert.ok(chunk.byteLength > 0);
    break;
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isClosed, true);
});

test("a whole image validates, and says what was read", async () => {
  const image = randomImage({ layers: 3 });
  const validation = await validateImage(image);
  const { config, layers } = parseManifest(await image.rawManifest());
  assert.equal(validation.digest, (await imageDescriptor(image)).digest);
  assert.equal(validation.layers, 3);
  assert.equal(
    validation.bytesRead,
    (await image.rawManifest()).byteLength +
      [config, ...layers].reduce((sum, { size }) => sum + size, 0),
  );
});

test("validation without content reads no layer", async () => {
  const { store, target } = await stored(randomImage({ layers: 3 }));
  await validateImage(imageFrom(store, target), { depth: "documents" });
  assert.equal(store.calls.filter((call) => call.startsWith("open")).length, 2);
});

const GOOD = async () => {
  const image = randomImage({ layers: 2, compression: "gzip" });
  return {
    image,
    manifest: parseManifest(await image.rawManifest()),
    config: JSON.parse(Buffer.from(await image.rawConfig()).toString()) as Record<string, unknown>,
  };
};

/** An image whose documents say what they are told to. */
async function forged(change: {
  readonly config?: object;
  readonly manifest?: object;
}): Promise<Image> {
  const { image, manifest, config } = await GOOD();
  const rawConfig = Buffer.from(JSON.stringify({ ...config, ...change.config }));
  const rawManifest = Buffer.from(
    JSON.stringify({
      ...manifest,
      config: layerDescriptor(rawConfig, MEDIA_TYPES.imageConfig),
      ...change.manifest,
    }),
  );
  return {
    rawConfig: async () => rawConfig,
    rawManifest: async () => rawManifest,
    layers: () => image.layers(),
  };
}

test("each thing that can be wrong with an image is named", async () => {
  const { manifest, config } = await GOOD();
  const [first, second] = manifest.layers as readonly [Descriptor, Descriptor];
  const other = digestOf(Buffer.from("other"));
  const rootfs = config["rootfs"] as { readonly diff_ids: readonly string[] };
  const cases: readonly (readonly [Parameters<typeof forged>[0], RegExp])[] = [
    [{ manifest: { config: { ...manifest.config, digest: other } } }, /config digest/],
    [
      {
        manifest: {
          config: {
            ...manifest.config,
            digest: digestOf(Buffer.from(JSON.stringify(config))),
            size: 1,
          },
        },
      },
      /config size/,
    ],
    [{ manifest: { layers: [first] } }, /count of diffIds/],
    [
      { config: { rootfs: { type: "layers", diff_ids: rootfs.diff_ids.slice(1) } } },
      /count of diffIds/,
    ],
    [{ config: { history: [{ created_by: "one" }] } }, /count of layers in history/],
    [{ manifest: { layers: [first, { ...second, digest: other }] } }, /digest of layer 2/],
    [{ manifest: { layers: [{ ...first, size: 3 }, second] } }, /size of layer 1/],
    [
      { config: { rootfs: { type: "layers", diff_ids: [...rootfs.diff_ids].reverse() } } },
      /diffId of layer 1/,
    ],
    [
      { manifest: { layers: [{ ...first, mediaType: "text/plain" }, second] } },
      /layer 1 has media type "text\/plain"/,
    ],
    [
      { manifest: { layers: [{ ...first, mediaType: MEDIA_TYPES.layerTar }, second] } },
      /says not compressed/,
    ],
  ];
  for (const [change, expected] of cases)
    await assert.rejects(validateImage(await forged(change)), expected);
});

test("a layer whose content changed is found", async () => {
  const { store, target } = await stored(randomImage({ layers: 3 }));
  const layer = parseManifest(await imageFrom(store, target).rawManifest()).layers[1] as Descriptor;
  const bytes = Buffer.from(store.blobs.get(layer.digest) ?? "");
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  store.blobs.set(layer.digest, bytes);
  await assert.rejects(validateImage(imageFrom(store, target)), {
    code: /DIGEST_MISMATCH|ARCHIVE_INVALID/,
  });
});

test("an index validates with all it lists, and a platform that is not so is named", async () => {
  const { store, target } = await stored(randomImage());
  const artifact = createArtifact({ artifactType: "application/x", subject: target });
  await store.put(artifact.descriptor, oneChunk(artifact.bytes));
  const index = (architecture: string): Promise<Descriptor> => {
    const entries = [
      { descriptor: target, platform: { os: "linux", architecture } },
      { descriptor: artifact.descriptor, platform: { os: "unknown", architecture: "unknown" } },
    ];
    return putBytes(store, createIndex(entries).bytes, MEDIA_TYPES.imageIndex);
  };
  assert.deepEqual(
    (await validateIndex(store, await index("amd64"))).map(({ digest }) => digest),
    [target.digest],
  );
  await assert.rejects(
    validateIndex(store, await index("arm64")),
    /listed for linux\/arm64, and its config says linux\/amd64/,
  );
});

test("indexes within indexes end somewhere", async () => {
  const { store, target } = await stored(randomImage());
  let descriptor = target;
  for (let depth = 0; depth < 10; depth += 1)
    descriptor = await putBytes(store, createIndex([{ descriptor }]).bytes, MEDIA_TYPES.imageIndex);
  await assert.rejects(validateIndex(store, descriptor), { code: "LIMIT_EXCEEDED" });
});

test("a stored layer that nobody has unpacked tells its digest before compression", async () => {
  const { store, target } = await stored(randomImage());
  const image = imageFrom(store, target);
  const [compressed] = parseManifest(await image.rawManifest()).layers;
  const [layer] = await image.layers();
  assert.ok(compressed !== undefined && layer !== undefined);
  assert.equal(await storedLayer(store, compressed).diffId(), await layer.diffId());
});

test("layers without compression have one digest", async () => {
  const layer = bytesLayer(TAR, MEDIA_TYPES.layerTar, digestOf(TAR));
  await validateImage(
    annotate(
      appendLayers(emptyImage({ os: "linux", architecture: "arm64", variant: "v8" }), [
        { layer, history: {} },
        { layer: randomLayer({ seed: 4, compression: "zstd" }), history: {} },
      ]),
      { a: "b" },
    ),
  );
});

async function stored(
  image: Image,
): Promise<{ readonly store: ReturnType<typeof memoryStore>; readonly target: Descriptor }> {
  const store = memoryStore();
  for (const layer of await image.layers()) await store.put(await layer.descriptor(), layer.open());
  await putBytes(store, await image.rawConfig(), MEDIA_TYPES.imageConfig);
  const target = await putBytes(store, await image.rawManifest(), MEDIA_TYPES.imageManifest);
  store.calls.length = 0;
  return { store, target };
}
