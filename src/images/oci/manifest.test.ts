import assert from "node:assert/strict";
import { test } from "node:test";
import {
  digestOf,
  MEDIA_TYPES,
  parseConfig,
  parseIndex,
  parseManifest,
  parseManifestOrIndex,
} from "./index.ts";

const DIGEST = digestOf(Buffer.from("x"));
const descriptor = (mediaType: string): object => ({ mediaType, digest: DIGEST, size: 1 });
const MANIFEST = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.imageManifest,
  config: descriptor(MEDIA_TYPES.imageConfig),
  layers: [descriptor(MEDIA_TYPES.layerTar)],
};
const INDEX = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.imageIndex,
  manifests: [
    { ...descriptor(MEDIA_TYPES.imageManifest), platform: { os: "linux", architecture: "amd64" } },
  ],
};
const CONFIG = {
  os: "linux",
  architecture: "amd64",
  rootfs: { type: "layers", diff_ids: [DIGEST] },
  history: [{ created_by: "x" }],
  config: { Env: ["A=b"] },
};
const bytesOf = (value: unknown): Buffer =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
const message = (parse: () => unknown): string => {
  try {
    parse();
  } catch (error) {
    assert.equal((error as { code?: string }).code, "MANIFEST_INVALID", String(error));
    return (error as Error).message;
  }
  return "(nothing was thrown)";
};

test("a manifest is read with what the spec allows, and unknown fields do no harm", () => {
  const { config, layers } = parseManifest(bytesOf({ ...MANIFEST, future: { x: 1 } }));
  assert.equal(config.digest, DIGEST);
  assert.deepEqual(layers, [{ mediaType: MEDIA_TYPES.layerTar, digest: DIGEST, size: 1 }]);
});

test("an artifact's type, subject and annotations are kept", () => {
  const { artifactType, subject, annotations } = parseManifest(
    bytesOf({
      ...MANIFEST,
      artifactType: "application/x",
      subject: descriptor(MEDIA_TYPES.imageManifest),
      annotations: { a: "b" },
    }),
  );
  assert.deepEqual(
    [artifactType, subject?.digest, annotations],
    ["application/x", DIGEST, { a: "b" }],
  );
});

test("a Docker manifest and list are read under their own types", () => {
  assert.equal(
    parseManifest(bytesOf({ ...MANIFEST, mediaType: MEDIA_TYPES.dockerManifest })).mediaType,
    MEDIA_TYPES.dockerManifest,
  );
  assert.equal(
    parseIndex(bytesOf({ ...INDEX, mediaType: MEDIA_TYPES.dockerManifestList })).manifests[0]
      ?.platform?.architecture,
    "amd64",
  );
});

const BAD: readonly (readonly [string, unknown, RegExp])[] = [
  ["text that is no JSON", "{", /it is not JSON/],
  ["a list", "[]", /not an object/],
  ["no bytes", "", /not JSON/],
  ["Latin-1", Buffer.from([0x22, 0xe9, 0x22]).toString("latin1"), /not an object/],
  ["another schema version", { ...MANIFEST, schemaVersion: 1 }, /schemaVersion is 1/],
  ["no config", { ...MANIFEST, config: undefined }, /config is not an object/],
  [
    "a config without digest",
    { ...MANIFEST, config: { mediaType: "x", size: 1 } },
    /config.digest/,
  ],
  [
    "a digest that is none",
    { ...MANIFEST, layers: [{ ...descriptor("x"), digest: "sha256:short" }] },
    /layers\[0\].digest/,
  ],
  [
    "a size below zero",
    { ...MANIFEST, layers: [{ ...descriptor("x"), size: -1 }] },
    /layers\[0\].size/,
  ],
  [
    "a size that is no whole number",
    { ...MANIFEST, layers: [{ ...descriptor("x"), size: 1.5 }] },
    /layers\[0\].size/,
  ],
  [
    "a size that numbers cannot hold",
    { ...MANIFEST, layers: [{ ...descriptor("x"), size: 2 ** 60 }] },
    /layers\[0\].size/,
  ],
  [
    "a size as text",
    { ...MANIFEST, layers: [{ ...descriptor("x"), size: "1" }] },
    /layers\[0\].size/,
  ],
  ["layers that are no list", { ...MANIFEST, layers: {} }, /layers is not a list/],
  [
    "ten thousand and one layers",
    { ...MANIFEST, layers: Array.from({ length: 10_001 }, () => descriptor("x")) },
    /10001 entries/,
  ],
  [
    "annotations that are no text",
    { ...MANIFEST, annotations: { a: 1 } },
    /annotations.a is not text/,
  ],
  ["an index's fields in a manifest", { ...MANIFEST, manifests: [] }, /it has manifests/],
  [
    "another media type",
    { ...MANIFEST, mediaType: "text/plain" },
    /"text\/plain" is not an image manifest/,
  ],
  [
    "objects nested a thousand deep",
    `{"schemaVersion":${"[".repeat(1000)}${"]".repeat(1000)}}`,
    /nested more than 100 deep/,
  ],
  ["objects nested a million deep", `{"a":${'{"a":'.repeat(500_000)}`, /nested more than 100 deep/],
  ["more than 4 MiB", `"${"x".repeat(4 * 2 ** 20)}"`, /4194304 is the most/],
];

for (const [what, value, expected] of BAD) {
  test(`a manifest with ${what} is refused by name`, () =>
    assert.match(
      message(() => parseManifest(bytesOf(value))),
      expected,
    ));
}

test("brackets inside text are not nesting", () => {
  assert.equal(
    parseManifest(bytesOf({ ...MANIFEST, annotations: { a: `${"[{".repeat(500)}\\"` } })).layers
      .length,
    1,
  );
});

test("a document that says it is an index is not read as a manifest, whatever the place it came from says", () => {
  assert.match(
    message(() => parseManifestOrIndex(bytesOf(INDEX), MEDIA_TYPES.imageManifest)),
    /manifests/,
  );
  assert.match(
    message(() => parseManifestOrIndex(bytesOf(MANIFEST), MEDIA_TYPES.imageIndex)),
    /config or layers/,
  );
  assert.equal(parseManifestOrIndex(bytesOf({ ...INDEX, mediaType: undefined })).kind, "index");
  assert.equal(
    parseManifestOrIndex(bytesOf({ ...MANIFEST, mediaType: undefined })).kind,
    "manifest",
  );
});

test("a config keeps fields this project does not know", () => {
  const config = parseConfig(
    bytesOf({ ...CONFIG, "moby.buildkit.x": 1, config: { ...CONFIG.config, OnBuild: ["RUN x"] } }),
  );
  assert.deepEqual(JSON.parse(JSON.stringify(config)), {
    ...CONFIG,
    "moby.buildkit.x": 1,
    config: { ...CONFIG.config, OnBuild: ["RUN x"] },
  });
});

const BAD_CONFIG: readonly (readonly [string, unknown, RegExp])[] = [
  ["no architecture", { ...CONFIG, architecture: undefined }, /architecture is missing/],
  ["no os", { ...CONFIG, os: "" }, /os is missing/],
  ["no rootfs", { ...CONFIG, rootfs: undefined }, /rootfs is not an object/],
  ["another rootfs", { ...CONFIG, rootfs: { type: "x" } }, /rootfs.type/],
  ["a diffId that is none", { ...CONFIG, rootfs: { type: "layers", diff_ids: ["x"] } }, /diff_ids/],
  ["a history that is no list", { ...CONFIG, history: {} }, /history is not a list/],
  ["history of numbers", { ...CONFIG, history: [1] }, /history\[0\]/],
  ["an environment that is no list", { ...CONFIG, config: { Env: "A=b" } }, /config.Env/],
  ["an entry point of numbers", { ...CONFIG, config: { Entrypoint: [1] } }, /config.Entrypoint/],
  ["labels that are no text", { ...CONFIG, config: { Labels: { a: 1 } } }, /Labels.a/],
  ["a user that is a number", { ...CONFIG, config: { User: 0 } }, /config.User/],
  ["rootfs null", { ...CONFIG, rootfs: null }, /rootfs is not an object/],
  ["a run configuration that is a list", { ...CONFIG, config: [] }, /config is not an object/],
  ["a health check of text", { ...CONFIG, config: { Healthcheck: "x" } }, /config.Healthcheck/],
  ["a null in a list", { ...CONFIG, config: { Cmd: [null] } }, /config.Cmd/],
  ["a creation time that is a number", { ...CONFIG, created: 1 }, /created is not text/],
  ["triggers that are no list", { ...CONFIG, config: { OnBuild: "RUN x" } }, /config.OnBuild/],
];

for (const [what, value, expected] of BAD_CONFIG) {
  test(`a config with ${what} is refused by name`, () =>
    assert.match(
      message(() => parseConfig(bytesOf(value))),
      expected,
    ));
}

/** Paths of fields whose `null` means that the field is absent, and what the rest of the config is then. */
const NULLABLE: readonly (readonly string[])[] = [
  ...["created", "author", "variant", "history", "config", "os.version"].map((key) => [key]),
  ["rootfs", "diff_ids"],
  ["rootfs", "type"],
  ...["created", "author", "created_by", "comment", "empty_layer"].map((key) => ["history", key]),
  ...["User", "WorkingDir", "StopSignal", "Env", "Entrypoint", "Cmd", "OnBuild", "Shell"].map(
    (key) => ["config", key],
  ),
  ...["ExposedPorts", "Volumes", "Labels", "Healthcheck"].map((key) => ["config", key]),
  ...["Test", "Interval", "Timeout", "StartPeriod", "Retries"].map((key) => [
    "config",
    "Healthcheck",
    key,
  ]),
];

for (const path of NULLABLE) {
  test(`null for ${path.join(".")} of a config is absence`, () => {
    const [outer = "", inner, innermost] = path;
    const value =
      innermost !== undefined
        ? { [inner ?? ""]: { [innermost]: null } }
        : inner === undefined
          ? null
          : { [inner]: null };
    const config = parseConfig(
      bytesOf({
        ...CONFIG,
        rootfs: { type: "layers" },
        [outer]: outer === "history" && value !== null ? [value] : value,
      }),
    );
    assert.ok(!JSON.stringify(config).includes("null"), JSON.stringify(config));
    assert.equal(config.rootfs.type, "layers");
  });
}

test("null behind a port, a volume or a label does no harm", () => {
  const { config } = parseConfig(
    bytesOf({
      ...CONFIG,
      config: {
        ExposedPorts: { "80/tcp": null },
        Volumes: { "/x": null },
        Labels: { a: null, b: "c" },
      },
    }),
  );
  assert.deepEqual(config, {
    ExposedPorts: { "80/tcp": {} },
    Volumes: { "/x": {} },
    Labels: { b: "c" },
  });
});

test("a manifest's nulls are absence", () => {
  const manifest = parseManifest(
    bytesOf({ ...MANIFEST, layers: null, annotations: null, subject: null, mediaType: null }),
  );
  assert.deepEqual(manifest.layers, []);
});
