import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { copy, pushImage } from "../../src/images/copy/index.ts";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { createImageArchive, createLayout, writeArchive } from "../../src/images/layout/index.ts";
import {
  appendLayers,
  configOf,
  createIndex,
  imageDescriptor,
  imageFrom,
  manifestOf,
  MEDIA_TYPES,
  parseManifest,
  validateImage,
  type Descriptor,
  type Reference,
} from "../../src/images/oci/index.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { memoryStore } from "../support/memory-store.ts";
import { requirePeer } from "../support/peers.ts";
import { randomImage, randomLayer } from "../support/random-image.ts";
import { putBytes } from "../support/small-image.ts";

const tagged = (tag: string): Reference => ({ registry: "", repository: "", tag });

test("skopeo reads what we write, in every compression, and finds every digest right", async (t) => {
  const skopeo = await requirePeer(t, "skopeo");
  if (skopeo === undefined) return;
  await using folder = await createTempDir("skopeo");
  const layout = await createLayout(join(folder.path, "layout"));
  const image = randomImage({ layers: 6, bytes: 50_000 });
  await pushImage(image, layout, { to: [tagged("v1")] });
  const { digest } = await imageDescriptor(image);
  // Copying to a folder makes skopeo verify each blob against its digest, and its tar against the config's diffId.
  await run([skopeo, "copy", `oci:${layout.path}:v1`, `dir:${folder.path}/copied`]);
  const inspected = JSON.parse(
    (await run([skopeo, "inspect", `oci:${layout.path}:v1`])).stdout.toString(),
  ) as { readonly Digest: string; readonly Layers: readonly string[]; readonly Labels: object };
  assert.equal(inspected.Digest, digest);
  assert.deepEqual(
    inspected.Layers,
    (await manifestOf(image)).layers.map((layer) => layer.digest),
  );
  assert.deepEqual(inspected.Labels, { seed: "1" });
});

test("an image that skopeo wrote in Docker's form is read, appended to, converted and taken back", async (t) => {
  const skopeo = await requirePeer(t, "skopeo");
  if (skopeo === undefined) return;
  await using folder = await createTempDir("skopeo");
  const layout = await createLayout(join(folder.path, "layout"));
  await pushImage(randomImage({ layers: 2, compression: "gzip" }), layout, { to: [tagged("v1")] });
  await run([
    skopeo,
    "copy",
    "--format",
    "v2s2",
    `oci:${layout.path}:v1`,
    `dir:${folder.path}/docker`,
  ]);
  const { store, target } = await readSkopeoFolder(join(folder.path, "docker"));
  assert.equal(target.mediaType, MEDIA_TYPES.dockerManifest);
  const docker = imageFrom(store, target);
  await validateImage(docker);

  const converted = await copy(store, layout, {
    from: target,
    to: [tagged("converted")],
    convert: "oci",
  });
  assert.equal(converted.blobsUploaded, 0, "the blobs are the same bytes");
  const appended = appendLayers(docker, [
    { layer: randomLayer({ seed: 50, compression: "none" }), history: { created_by: "slipway" } },
  ]);
  await pushImage(appended, layout, { to: [tagged("appended")] });
  for (const tag of ["converted", "appended"])
    await run([skopeo, "copy", `oci:${layout.path}:${tag}`, `dir:${folder.path}/${tag}`]);
  const { history = [], rootfs } = await configOf(appended);
  assert.equal(
    history.filter((entry) => entry.empty_layer !== true).length,
    rootfs.diff_ids.length,
  );
});

test("crane finds nothing wrong with our images, and with what we made of Docker's", async (t) => {
  const [crane, skopeo] = [await requirePeer(t, "crane"), await requirePeer(t, "skopeo")];
  if (crane === undefined || skopeo === undefined) return;
  const registry = await startDockerRegistry(t);
  if (registry === undefined) return;
  await using folder = await createTempDir("crane");
  const layout = await createLayout(join(folder.path, "layout"));
  await pushImage(randomImage({ layers: 2, compression: "gzip" }), layout, {
    to: [tagged("plain")],
  });
  await run([
    skopeo,
    "copy",
    "--format",
    "v2s2",
    `oci:${layout.path}:plain`,
    `dir:${folder.path}/docker`,
  ]);
  const { store, target } = await readSkopeoFolder(join(folder.path, "docker"));
  await pushImage(
    appendLayers(imageFrom(store, target), [
      { layer: randomLayer({ seed: 51, compression: "gzip" }), history: {} },
    ]),
    layout,
    { to: [tagged("appended")] },
  );
  const entries = [];
  for (const architecture of ["amd64", "arm64"])
    entries.push({
      descriptor: (
        await pushImage(
          randomImage({ layers: 3, compression: "gzip", platform: { os: "linux", architecture } }),
          layout,
        )
      ).descriptor,
      platform: { os: "linux", architecture },
    });
  await layout.tag(
    await putBytes(layout, createIndex(entries).bytes, MEDIA_TYPES.imageIndex),
    tagged("index"),
  );
  await pushImage(randomImage({ layers: 3 }), layout, { to: [tagged("mixed")] });
  for (const tag of ["plain", "appended", "index", "mixed"]) {
    const name = `${registry.host}/conformance/image:${tag}`;
    await run([
      skopeo,
      "copy",
      "--all",
      "--dest-tls-verify=false",
      `oci:${layout.path}:${tag}`,
      `docker://${name}`,
    ]);
    // What is not gzip crane 0.20 takes for damaged gzip, so of such layers it only checks that they are there.
    await run([
      crane,
      "validate",
      "--insecure",
      ...(tag === "mixed" ? ["--fast"] : []),
      "--remote",
      name,
    ]);
  }
});

test("crane finds nothing wrong with an archive for docker", async (t) => {
  const crane = await requirePeer(t, "crane");
  if (crane === undefined) return;
  await using folder = await createTempDir("crane");
  const store = memoryStore();
  const { descriptor } = await pushImage(randomImage({ layers: 3, compression: "gzip" }), store);
  const path = join(folder.path, "image.tar");
  await writeArchive(
    path,
    await createImageArchive(store, [
      {
        descriptor,
        references: [{ registry: "registry.test", repository: "team/iris", tag: "v1" }],
      },
    ]),
  );
  await run([crane, "validate", "--tarball", path]);
});

/** Reads what `skopeo copy … dir:` wrote: a manifest, and blobs named by their hex digits. */
async function readSkopeoFolder(
  path: string,
): Promise<{ readonly store: ReturnType<typeof memoryStore>; readonly target: Descriptor }> {
  const store = memoryStore();
  for (const name of await readdir(path))
    if (/^[0-9a-f]{64}$/.test(name))
      await putBytes(store, await readFile(join(path, name)), "application/octet-stream");
  const bytes = await readFile(join(path, "manifest.json"));
  const target = await putBytes(store, bytes, parseManifest(bytes).mediaType);
  store.calls.length = 0;
  return { store, target };
}
