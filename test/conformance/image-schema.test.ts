import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pushImage } from "../../src/images/copy/index.ts";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { createLayout } from "../../src/images/layout/index.ts";
import {
  appendLayers,
  createArtifact,
  createIndex,
  describeImage,
  emptyImage,
  imageDescriptor,
  manifestOf,
  MEDIA_TYPES,
  mutateConfig,
  parseConfig,
  parseIndex,
  parseManifest,
  type Image,
} from "../../src/images/oci/index.ts";
import { requireImageSchema } from "../support/image-schema.ts";
import { randomImage, randomLayer } from "../support/random-image.ts";

/** An image that uses every field we write. */
function fullImage(architecture: string): Image {
  const image = appendLayers(
    randomImage({
      layers: 3,
      platform: {
        os: "linux",
        architecture,
        ...(architecture === "arm64" ? { variant: "v8" } : {}),
      },
    }),
    [
      {
        layer: randomLayer({ seed: 9 }),
        history: {
          created: "1970-01-01T00:00:00Z",
          author: "slipway",
          created_by: "slipway pack",
          comment: "model files",
        },
      },
    ],
  );
  return mutateConfig(
    describeImage(image, { "org.opencontainers.image.title": "iris", "dev.slipway.kind": "onnx" }),
    (config) => ({
      ...config,
      created: "1970-01-01T00:00:00Z",
      author: "slipway",
      config: {
        ...config.config,
        User: "8888:0",
        ExposedPorts: { "9000/tcp": {}, "5000/tcp": {} },
        Env: ["PATH=/usr/bin", "EMPTY="],
        Entrypoint: ["/opt/slipway/node", "/opt/slipway/server.mjs"],
        Cmd: [],
        Volumes: { "/data": {} },
        WorkingDir: "/app",
        StopSignal: "SIGTERM",
        Healthcheck: { Test: ["CMD", "/opt/slipway/node"], Interval: 30_000_000_000 },
      },
    }),
  );
}

test("what we write passes the validator that image-spec publishes", async (t) => {
  const check = await requireImageSchema(t);
  if (check === undefined) return;
  await using folder = await createTempDir("schema");
  const images = ["amd64", "arm64"].map(fullImage);
  const entries = await Promise.all(
    images.map(async (image, at) => ({
      descriptor: await imageDescriptor(image),
      platform: { os: "linux", architecture: at === 0 ? "amd64" : "arm64" },
    })),
  );
  const subject = entries[0]?.descriptor;
  const documents: readonly (readonly [string, Uint8Array])[] = [
    ...(await Promise.all(
      images.map(async (image) => ["manifest", await image.rawManifest()] as const),
    )),
    ...(await Promise.all(
      images.map(async (image) => ["config", await image.rawConfig()] as const),
    )),
    ["config", await emptyImage({ os: "linux", architecture: "amd64" }).rawConfig()],
    ["index", createIndex(entries, { "org.opencontainers.image.title": "iris" }).bytes],
    ["index", createIndex([]).bytes],
    ["manifest", createArtifact({ artifactType: "application/vnd.example.sbom", subject }).bytes],
    [
      "manifest",
      createArtifact({
        artifactType: "application/vnd.example.model",
        layers: (await manifestOf(fullImage("amd64"))).layers,
        annotations: { a: "b" },
      }).bytes,
    ],
  ];
  const layout = await createLayout(join(folder.path, "layout"));
  await pushImage(fullImage("amd64"), layout, {
    to: [{ registry: "", repository: "", tag: "v1" }],
  });
  const files = await Promise.all(
    documents.map(async ([kind, bytes], at) => {
      const path = join(folder.path, `${at}.json`);
      await writeFile(path, bytes);
      return [kind, path];
    }),
  );
  await run([
    check,
    ...files.flat(),
    "layout",
    join(layout.path, "oci-layout"),
    "index",
    join(layout.path, "index.json"),
  ]);
});

test("what the validator refuses, we refuse, and what it takes we take", async (t) => {
  const check = await requireImageSchema(t);
  if (check === undefined) return;
  await using folder = await createTempDir("schema");
  const image = fullImage("amd64");
  const manifest = JSON.parse(Buffer.from(await image.rawManifest()).toString()) as Record<
    string,
    unknown
  >;
  const config = JSON.parse(Buffer.from(await image.rawConfig()).toString()) as Record<
    string,
    unknown
  >;
  const layer = (manifest["layers"] as readonly object[])[0];
  const parse = { manifest: parseManifest, index: parseIndex, config: parseConfig };
  const cases: readonly (readonly [keyof typeof parse, unknown])[] = [
    ["manifest", { ...manifest, schemaVersion: 3 }],
    ["manifest", { ...manifest, config: undefined }],
    ["manifest", { ...manifest, layers: [{ ...layer, digest: "no digest" }] }],
    ["manifest", { ...manifest, layers: [{ ...layer, size: "1" }] }],
    ["manifest", { ...manifest, layers: [{ ...layer, mediaType: "" }] }],
    ["manifest", { ...manifest, annotations: { a: 1 } }],
    ["manifest", { ...manifest, unknown: { deep: [1] } }],
    [
      "index",
      {
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.imageIndex,
        manifests: [{ ...layer, platform: { os: "linux" } }],
      },
    ],
    [
      "index",
      {
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.imageIndex,
        manifests: [
          {
            ...layer,
            mediaType: MEDIA_TYPES.imageManifest,
            platform: { os: "linux", architecture: "riscv64", "os.features": ["x"] },
          },
        ],
      },
    ],
    ["config", { ...config, os: undefined }],
    ["config", { ...config, rootfs: { type: "layers", diff_ids: [1] } }],
    ["config", { ...config, config: { Env: "A=b" } }],
    ["config", { ...config, future: 1 }],
  ];
  let refused = 0;
  for (const [kind, value] of cases) {
    const path = join(folder.path, "document.json");
    await writeFile(path, JSON.stringify(value));
    const isValid = await run([check, kind, path]).then(
      () => true,
      () => false,
    );
    refused += isValid ? 0 : 1;
    const text = JSON.stringify(value).slice(0, 200);
    if (isValid) assert.doesNotThrow(() => parse[kind](Buffer.from(JSON.stringify(value))), text);
    else
      assert.throws(
        () => parse[kind](Buffer.from(JSON.stringify(value))),
        { code: "MANIFEST_INVALID" },
        text,
      );
  }
  // Here we are stricter: the schema has any whole number for a size.
  assert.throws(
    () =>
      parseManifest(Buffer.from(JSON.stringify({ ...manifest, layers: [{ ...layer, size: -1 }] }))),
    { code: "MANIFEST_INVALID" },
  );
  assert.ok(refused >= 9 && refused < cases.length, `${refused} of ${cases.length} were refused`);
});
