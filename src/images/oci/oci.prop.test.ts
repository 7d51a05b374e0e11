import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isToolError } from "../../ground/errors/index.ts";
import { memoryStore } from "../../../test/support/memory-store.ts";
import { putBytes } from "../../../test/support/small-image.ts";
import {
  annotate,
  appendLayers,
  configOf,
  createIndex,
  digestOf,
  formatPlatform,
  formatReference,
  imageDescriptor,
  imageFrom,
  MEDIA_TYPES,
  parseConfig,
  parseDigest,
  parseIndex,
  parseManifest,
  parseManifestOrIndex,
  parsePlatform,
  parseReference,
  selectPlatform,
  toOci,
  validateImage,
  type Descriptor,
  type Digest,
  type Reference,
} from "./index.ts";

const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
const digest = hex.map((text): Digest => `sha256:${text}`);
const name = fc.stringMatching(/^[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,8}){0,3}$/);
const host = fc.oneof(
  fc.stringMatching(/^[a-z0-9]{1,8}(\.[a-z0-9]{1,8}){1,3}(:[1-9][0-9]{0,3})?$/),
  fc.constant("localhost"),
  fc.constant("localhost:5000"),
  fc.constant("[::1]:443"),
  fc.constant("docker.io"),
);
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/);
const reference = fc
  .record({
    registry: host,
    parts: fc.array(name, { minLength: 1, maxLength: 4 }),
    tag: fc.option(tag, { nil: undefined }),
    digest: fc.option(digest, { nil: undefined }),
  })
  .map(({ registry, parts, tag: ownTag, digest: ownDigest }): Reference => {
    const repository =
      registry === "docker.io" && parts.length === 1 ? `library/${parts[0]}` : parts.join("/");
    return {
      registry,
      repository,
      ...(ownTag === undefined ? {} : { tag: ownTag }),
      ...(ownDigest === undefined ? {} : { digest: ownDigest }),
    };
  });

test("a reference that is printed is read back as itself", () => {
  fc.assert(
    fc.property(reference, (value) =>
      assert.deepEqual(parseReference(formatReference(value)), value),
    ),
    { numRuns: 1000 },
  );
});

test("text is a reference that prints to a reference that is the same, or is refused by type", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.stringMatching(/^[a-zA-Z0-9:@/._[\]-]{0,80}$/),
    reference
      .map(formatReference)
      .chain((whole) =>
        fc.nat(whole.length).map((at) => `${whole.slice(0, at)}/${whole.slice(at)}`),
      ),
  );
  fc.assert(
    fc.property(text, (value) => {
      const parsed = onlyToolErrors(() => parseReference(value));
      if (parsed !== undefined) assert.deepEqual(parseReference(formatReference(parsed)), parsed);
      onlyToolErrors(() => parseDigest(value));
      const platform = onlyToolErrors(() => parsePlatform(value));
      if (platform !== undefined) assert.equal(formatPlatform(platform), value);
    }),
    { numRuns: 2000 },
  );
});

/** JSON whose keys are those the parsers look at, with values of any kind below them. */
const KEYS = [
  "schemaVersion",
  "mediaType",
  "config",
  "layers",
  "manifests",
  "digest",
  "size",
  "annotations",
  "platform",
  "os",
  "architecture",
  "rootfs",
  "diff_ids",
  "type",
  "history",
  "subject",
  "artifactType",
  "urls",
  "Env",
  "Labels",
  "Entrypoint",
  "empty_layer",
  "__proto__",
  "constructor",
];
const leaf = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    2,
    0,
    -1,
    1.5,
    2 ** 53,
    1e300,
    "",
    "layers",
    "linux",
    "amd64",
    ...Object.values(MEDIA_TYPES),
  ),
  digest,
  fc.string({ maxLength: 20 }),
  fc.integer(),
);
const { wild } = fc.letrec<{ wild: unknown }>((tie) => ({
  wild: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("wild"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie("wild"), { maxKeys: 6 }),
  ),
}));
const descriptor = fc.record({
  mediaType: fc.constantFrom(...Object.values(MEDIA_TYPES)),
  digest,
  size: fc.nat(),
});
/** Mostly what is right, now and then anything. */
const mostly = (right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: wild });
const someList = (item: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  mostly(fc.array(mostly(item), { maxLength: 3 }));
const textMap = mostly(
  fc.dictionary(fc.string({ maxLength: 5 }), mostly(fc.string({ maxLength: 5 })), { maxKeys: 3 }),
);
const texts = someList(fc.string({ maxLength: 5 }));
const platform = mostly(
  fc.record(
    {
      os: mostly(fc.constant("linux")),
      architecture: mostly(fc.constant("amd64")),
      variant: mostly(fc.constant("v8")),
      "os.features": texts,
    },
    { requiredKeys: ["os", "architecture"] },
  ),
);
const listed = fc.record(
  {
    mediaType: fc.constantFrom(...Object.values(MEDIA_TYPES)),
    digest,
    size: fc.nat(),
    platform,
    annotations: textMap,
    urls: texts,
  },
  { requiredKeys: ["mediaType", "digest", "size"] },
);
const manifestType = mostly(fc.constantFrom(MEDIA_TYPES.imageManifest, MEDIA_TYPES.dockerManifest));
const nearManifest = fc.record(
  {
    schemaVersion: fc.constant(2),
    mediaType: manifestType,
    config: mostly(descriptor),
    layers: someList(listed),
    annotations: textMap,
    subject: mostly(descriptor),
  },
  { requiredKeys: ["schemaVersion", "config"] },
);
const indexType = mostly(fc.constantFrom(MEDIA_TYPES.imageIndex, MEDIA_TYPES.dockerManifestList));
const nearIndex = fc.record(
  {
    schemaVersion: fc.constant(2),
    mediaType: indexType,
    manifests: someList(listed),
    annotations: textMap,
  },
  { requiredKeys: ["schemaVersion"] },
);
const rootfs = mostly(
  fc.record({ type: mostly(fc.constant("layers")), diff_ids: someList(digest) }),
);
const history = someList(
  fc.record(
    { created_by: mostly(fc.string()), empty_layer: mostly(fc.boolean()) },
    { requiredKeys: [] },
  ),
);
const runConfig = mostly(
  fc.record(
    { Env: texts, Cmd: texts, Labels: textMap, User: mostly(fc.string()) },
    { requiredKeys: [] },
  ),
);
const nearConfig = fc.record(
  {
    os: mostly(fc.constant("linux")),
    architecture: mostly(fc.constant("amd64")),
    rootfs,
    history,
    config: runConfig,
  },
  { requiredKeys: ["os", "architecture", "rootfs"] },
);
const document = fc.oneof(
  fc
    .oneof(wild, nearManifest, nearIndex, nearConfig)
    .map((value) => Buffer.from(JSON.stringify(value) ?? "")),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .integer({ min: 90, max: 3000 })
    .map((depth) => Buffer.from(`{"config":${'{"a":['.repeat(depth)}${"]}".repeat(depth)}}`)),
);

test("documents of any size and shape are read or refused by type, and what was read can be used", () => {
  let [manifests, indexes, configs] = [0, 0, 0];
  fc.assert(
    fc.property(
      document,
      fc.constantFrom(...Object.values(MEDIA_TYPES), undefined),
      (bytes, mediaType) => {
        onlyToolErrors(() => parseManifestOrIndex(bytes, mediaType));
        const manifest = onlyToolErrors(() => parseManifest(bytes));
        if (manifest !== undefined)
          manifests += manifest.layers.every(({ size }) => Number.isSafeInteger(size)) ? 1 : 0;
        const index = onlyToolErrors(() => parseIndex(bytes));
        if (index !== undefined) {
          indexes += 1;
          onlyToolErrors(() => selectPlatform(index, { os: "linux", architecture: "amd64" }));
          assert.deepEqual(
            parseIndex(
              createIndex(
                index.manifests.map((entry) => ({ descriptor: entry })),
                index.annotations,
              ).bytes,
            ).manifests,
            index.manifests,
          );
        }
        if (onlyToolErrors(() => parseConfig(bytes)) !== undefined) configs += 1;
      },
    ),
    { numRuns: 4000 },
  );
  assert.ok(
    manifests > 20 && indexes > 20 && configs > 20,
    `saw ${manifests} manifests, ${indexes} indexes and ${configs} configs that were taken`,
  );
});

test("any image that can be read can be derived from, printed and read again, or is refused by type", async () => {
  let derived = 0;
  await fc.assert(
    fc.asyncProperty(
      nearConfig,
      fc.array(descriptor, { maxLength: 2 }),
      fc.constantFrom(MEDIA_TYPES.imageManifest, MEDIA_TYPES.dockerManifest),
      async (config, layers, mediaType) => {
        const store = memoryStore();
        const target = await putBytes(
          store,
          Buffer.from(
            JSON.stringify({
              schemaVersion: 2,
              mediaType,
              config: await putBytes(
                store,
                Buffer.from(JSON.stringify(config)),
                MEDIA_TYPES.imageConfig,
              ),
              layers,
            }),
          ),
          mediaType,
        );
        derived += (await onlyToolErrorsOf(derive(store, target))) === undefined ? 0 : 1;
      },
    ),
    { numRuns: 400 },
  );
  assert.ok(derived > 5, `${derived} images were derived from`);
});

async function derive(
  store: ReturnType<typeof memoryStore>,
  target: Descriptor,
): Promise<Descriptor> {
  const image = annotate(toOci(appendLayers(imageFrom(store, target), [])), { a: "b" });
  const found = await imageDescriptor(image);
  assert.equal(found.digest, digestOf(await image.rawManifest()));
  await configOf(image);
  await validateImage(image, { depth: "documents" });
  return found;
}

function onlyToolErrors<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    assert.ok(isToolError(error), `not a typed error: ${String((error as Error).stack)}`);
    return undefined;
  }
}

async function onlyToolErrorsOf<T>(running: Promise<T>): Promise<T | undefined> {
  try {
    return await running;
  } catch (error) {
    assert.ok(isToolError(error), `not a typed error: ${String((error as Error).stack)}`);
    return undefined;
  }
}
