import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { requirePeer } from "../support/peers.ts";
import {
  blobOf,
  startRegistry,
  type Blob,
  type RegistryFixture,
} from "../support/registry-fixture.ts";
import { tarOf } from "../support/tiny-tar.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

async function pushBlob(registry: RegistryFixture, name: string, blob: Blob): Promise<Blob> {
  assert.equal(
    (
      await registry.send("POST", `/v2/${name}/blobs/uploads/?digest=${blob.digest}`, {
        body: blob.bytes,
      })
    ).status,
    201,
  );
  return blob;
}

/** An image of one file, in the registry. */
async function pushImage(
  registry: RegistryFixture,
  name: string,
  reference: string,
): Promise<Blob> {
  const tar = tarOf({ "hello.txt": `hello from ${name}` });
  const layer = await pushBlob(registry, name, blobOf(gzipSync(tar)));
  const config = await pushBlob(
    registry,
    name,
    blobOf(
      JSON.stringify({
        architecture: "amd64",
        os: "linux",
        config: { Cmd: ["/hello"] },
        rootfs: { type: "layers", diff_ids: [blobOf(tar).digest] },
      }),
    ),
  );
  const manifest = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: "application/vnd.oci.image.config.v1+json",
        digest: config.digest,
        size: config.size,
      },
      layers: [
        {
          mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
          digest: layer.digest,
          size: layer.size,
        },
      ],
    }),
  );
  const target = reference === "digest" ? manifest.digest : reference;
  assert.equal(
    (
      await registry.send("PUT", `/v2/${name}/manifests/${target}`, {
        body: manifest.bytes,
        headers: { "Content-Type": MANIFEST },
      })
    ).status,
    201,
  );
  return manifest;
}

const address = (registry: RegistryFixture): string => `127.0.0.1:${registry.server.port}`;

test("skopeo pulls, pushes, mounts, lists, inspects and deletes", async (t) => {
  const skopeo = await requirePeer(t, "skopeo");
  if (skopeo === undefined) return;
  await using registry = await startRegistry();
  const host = address(registry);
  const manifest = await pushImage(registry, "team/iris", "v1");
  await run([
    skopeo,
    "copy",
    "--src-tls-verify=false",
    `docker://${host}/team/iris:v1`,
    `oci:${registry.folder}/layout:v1`,
  ]);
  await run([
    skopeo,
    "copy",
    "--dest-tls-verify=false",
    `oci:${registry.folder}/layout:v1`,
    `docker://${host}/other/iris:v2`,
  ]);
  await run([
    skopeo,
    "copy",
    "--src-tls-verify=false",
    "--dest-tls-verify=false",
    `docker://${host}/other/iris:v2`,
    `docker://${host}/third:v3`,
  ]);
  const inspected = JSON.parse(
    (
      await run([skopeo, "inspect", "--tls-verify=false", `docker://${host}/third:v3`])
    ).stdout.toString(),
  );
  assert.deepEqual([inspected.Digest, inspected.RepoTags], [manifest.digest, ["v3"]]);
  const tags = JSON.parse(
    (
      await run([skopeo, "list-tags", "--tls-verify=false", `docker://${host}/other/iris`])
    ).stdout.toString(),
  );
  assert.deepEqual(tags.Tags, ["v2"]);
  await run([skopeo, "delete", "--tls-verify=false", `docker://${host}/third:v3`]);
  assert.equal((await registry.send("GET", "/v2/third/manifests/v3")).status, 404);
});

test("skopeo copies a multi-platform image whole", async (t) => {
  const skopeo = await requirePeer(t, "skopeo");
  if (skopeo === undefined) return;
  await using registry = await startRegistry();
  const image = await pushImage(registry, "multi", "digest");
  const index = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [
        {
          mediaType: MANIFEST,
          digest: image.digest,
          size: image.size,
          platform: { os: "linux", architecture: "amd64" },
        },
      ],
    }),
  );
  assert.equal(
    (
      await registry.send("PUT", "/v2/multi/manifests/v1", {
        body: index.bytes,
        headers: { "Content-Type": INDEX },
      })
    ).status,
    201,
  );
  const host = address(registry);
  await run([
    skopeo,
    "copy",
    "--all",
    "--src-tls-verify=false",
    "--dest-tls-verify=false",
    `docker://${host}/multi:v1`,
    `docker://${host}/again:v1`,
  ]);
  assert.equal(
    (await registry.send("GET", "/v2/again/manifests/v1")).headers["docker-content-digest"],
    index.digest,
  );
});

test("podman pulls and pushes", async (t) => {
  const podman = await requirePeer(t, "podman");
  if (podman === undefined) return;
  await using registry = await startRegistry();
  await using storage = await createTempDir("podman");
  const manifest = await pushImage(registry, "team/iris", "v1");
  const base = [
    podman,
    "--root",
    join(storage.path, "root"),
    "--runroot",
    join(storage.path, "run"),
    "--storage-driver",
    "vfs",
  ] as const;
  const host = address(registry);
  await run([...base, "pull", "-q", "--tls-verify=false", `${host}/team/iris:v1`]);
  const pulled = await run([
    ...base,
    "image",
    "inspect",
    "--format",
    "{{.Digest}}",
    `${host}/team/iris:v1`,
  ]);
  assert.equal(pulled.stdout.toString().trim(), manifest.digest);
  await run([...base, "tag", `${host}/team/iris:v1`, `${host}/pushed/by-podman:v2`]);
  await run([...base, "push", "-q", "--tls-verify=false", `${host}/pushed/by-podman:v2`]);
  assert.equal((await registry.send("GET", "/v2/pushed/by-podman/manifests/v2")).status, 200);
});

test("buildah builds on a pulled image and pushes what it built", async (t) => {
  const buildah = await requirePeer(t, "buildah");
  if (buildah === undefined) return;
  await using registry = await startRegistry();
  await using storage = await createTempDir("buildah");
  await pushImage(registry, "team/iris", "v1");
  await writeFile(join(storage.path, "added.txt"), "added");
  const base = [
    buildah,
    "--root",
    join(storage.path, "root"),
    "--runroot",
    join(storage.path, "run"),
    "--storage-driver",
    "vfs",
  ] as const;
  const host = address(registry);
  const container = (
    await run([...base, "from", "--tls-verify=false", `${host}/team/iris:v1`])
  ).stdout
    .toString()
    .trim();
  await run([...base, "copy", container, join(storage.path, "added.txt"), "/added.txt"]);
  await run([...base, "commit", "-q", container, "built"]);
  await run([...base, "push", "--tls-verify=false", "built", `docker://${host}/team/built:v1`]);
  const built = JSON.parse(
    (await registry.send("GET", "/v2/team/built/manifests/v1")).body.toString(),
  );
  assert.equal(built.layers.length, 2);
});

test("crane validates, copies and lists", async (t) => {
  const crane = await requirePeer(t, "crane");
  if (crane === undefined) return;
  await using registry = await startRegistry();
  const manifest = await pushImage(registry, "team/iris", "v1");
  const host = address(registry);
  await run([crane, "validate", "--insecure", "--remote", `${host}/team/iris:v1`]);
  await run([crane, "copy", "--insecure", `${host}/team/iris:v1`, `${host}/copied/iris:v1`]);
  assert.equal(
    (await run([crane, "digest", "--insecure", `${host}/copied/iris:v1`])).stdout.toString().trim(),
    manifest.digest,
  );
  assert.deepEqual(
    (await run([crane, "catalog", "--insecure", host])).stdout.toString().trim().split("\n"),
    ["copied/iris", "team/iris"],
  );
});
