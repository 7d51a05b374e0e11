import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  appendLayers,
  createArtifact,
  createIndex,
  describeImage,
  digestOf,
  emptyImage,
  imageDescriptor,
  MEDIA_TYPES,
  mutateConfig,
  type Image,
  type LayerAddition,
} from "../../src/images/oci/index.ts";
import { writeTar, type TarInput } from "../../src/images/tar/index.ts";
import { bytesLayer, randomBytesOf } from "../support/random-image.ts";

// Digests of what we write must be the same on every machine, on every day and in every release. A change here changes every
// user's images: review it, then run the test once with SLIPWAY_UPDATE_GOLDEN=1.
const GOLDEN = join(import.meta.dirname, "../fixtures/golden/image-digests.json");

const file = (path: string, content: Uint8Array, mode = 0o644): TarInput => ({
  path,
  type: "file",
  mode,
  size: content.byteLength,
  content,
});
const LAYERS: Readonly<Record<string, readonly TarInput[]>> = {
  weights: [
    { path: "models", type: "directory", mode: 0o775, size: 0 },
    file("models/weights.bin", randomBytesOf(1, 100_000)),
  ],
  code: [
    { path: "app", type: "directory", mode: 0o775, size: 0, uid: 8888 },
    file("app/Model.py", Buffer.from("class Model:\n    pass\n")),
    file("app/run", Buffer.from("#!/bin/sh\n"), 0o755),
    { path: "app/link", type: "symlink", mode: 0o777, size: 0, linkTarget: "run" },
    { path: "app/hard", type: "hardlink", mode: 0o755, size: 0, linkTarget: "app/run" },
  ],
  names: [
    file(`${"d".repeat(120)}/${"f".repeat(90)}`, Buffer.from("prefix")),
    file(`${"n".repeat(200)}.txt`, Buffer.from("long")),
    file("模型/權重é.bin", Buffer.from("utf-8")),
    file("a b\tc", Buffer.from("odd")),
  ],
};

async function digests(): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  const additions: LayerAddition[] = [];
  for (const [name, entries] of Object.entries(LAYERS)) {
    const tar = Buffer.concat(
      await Array.fromAsync(writeTar(entries, { mtimeS: name === "code" ? 1_700_000_000 : 0 })),
    );
    found[`layer ${name}`] = digestOf(tar);
    additions.push({
      layer: bytesLayer(tar, MEDIA_TYPES.layerTar, digestOf(tar)),
      history: { created: "1970-01-01T00:00:00Z", created_by: `slipway ${name}` },
    });
  }
  const images = ["amd64", "arm64"].map((architecture): Image =>
    mutateConfig(
      describeImage(appendLayers(emptyImage({ os: "linux", architecture }), additions), {
        "org.opencontainers.image.title": "iris",
        "dev.slipway.kind": "onnx",
      }),
      (config) => ({ ...config, created: "1970-01-01T00:00:00Z" }),
    ),
  );
  const entries = [];
  for (const [at, image] of images.entries()) {
    const architecture = at === 0 ? "amd64" : "arm64";
    const descriptor = await imageDescriptor(image);
    found[`config ${architecture}`] = digestOf(await image.rawConfig());
    found[`manifest ${architecture}`] = descriptor.digest;
    entries.push({ descriptor, platform: { os: "linux", architecture } });
  }
  const index = createIndex(entries, { b: "2", a: "1" });
  found["index"] = index.descriptor.digest;
  found["artifact"] = createArtifact({
    artifactType: "application/vnd.example.sbom",
    subject: index.descriptor,
    annotations: { b: "2", a: "1" },
  }).descriptor.digest;
  return found;
}

test("layers, configs, manifests, indexes and artifacts have the digests they always had", async () => {
  const found = await digests();
  if (process.env["SLIPWAY_UPDATE_GOLDEN"] === "1")
    writeFileSync(GOLDEN, `${JSON.stringify(found, undefined, 2)}\n`);
  assert.deepEqual(found, JSON.parse(readFileSync(GOLDEN, "utf8")));
  assert.equal(Object.keys(found).length, 9);
});
