import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { copy, pushImage } from "../../src/images/copy/index.ts";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { createLayout, tagReference } from "../../src/images/layout/index.ts";
import {
  appendLayers,
  createArtifact,
  createIndex,
  EMPTY_CONTENT,
  EMPTY_DESCRIPTOR,
  imageFrom,
  MEDIA_TYPES,
  validateImage,
  validateIndex,
  type Reference,
} from "../../src/images/oci/index.ts";
import { createRegistry, type Registry } from "../../src/images/registry/index.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { requirePeer } from "../support/peers.ts";
import { randomBytesOf, randomImage, randomLayer, unhashedLayer } from "../support/random-image.ts";
import { startRegistry } from "../support/registry-fixture.ts";
import { putBytes } from "../support/small-image.ts";
import { sourceSinkSuite } from "../support/source-sink-suite.ts";
import { tarOf } from "../support/tiny-tar.ts";

const KINDS = ["our registry", "docker-registry"] as const;

/** A client of a fresh registry of either kind; both are gone after the test. */
async function registryOf(
  t: TestContext,
  kind: (typeof KINDS)[number],
): Promise<Registry | undefined> {
  const host = kind === "our registry" ? await startOurs(t) : (await startDockerRegistry(t))?.host;
  if (host === undefined) return undefined;
  const registry = createRegistry({ host });
  t.after(() => registry[Symbol.asyncDispose]());
  return registry;
}

async function startOurs(t: TestContext): Promise<string> {
  const server = await startRegistry();
  t.after(() => server[Symbol.asyncDispose]());
  return `127.0.0.1:${server.server.port}`;
}

function named(registry: Registry, repository: string, tag = "v1"): Reference {
  return { registry: registry.host, repository, tag };
}

for (const kind of KINDS) {
  test(`${kind}: a second push sends nothing, a small change sends little, and another repository mounts`, async (t) => {
    const registry = await registryOf(t, kind);
    if (registry === undefined) return;
    const image = randomImage({ layers: 4, bytes: 300_000 });
    const first = await pushImage(image, registry.repository("team/iris"), {
      to: [named(registry, "team/iris")],
    });
    assert.deepEqual([first.blobsUploaded, first.blobsSkipped, first.manifestsUploaded], [5, 0, 1]);

    const again = await pushImage(image, registry.repository("team/iris"), {
      to: [named(registry, "team/iris")],
    });
    assert.deepEqual(
      [again.bytesUploaded, again.bytesSent, again.blobsSkipped, again.manifestsUploaded],
      [0, 0, 5, 0],
    );

    const changed = appendLayers(image, [
      { layer: randomLayer({ seed: 99, bytes: 2000, compression: "gzip" }), history: {} },
    ]);
    const third = await pushImage(changed, registry.repository("team/iris"), {
      to: [named(registry, "team/iris", "v2")],
    });
    assert.deepEqual([third.blobsUploaded, third.blobsSkipped], [2, 4]);
    assert.ok(third.bytesSent < 10_000, `${third.bytesSent} bytes`);

    const from = named(registry, "team/iris", "v2");
    const to = named(registry, "other/iris");
    const mounted = await copy(
      registry.repository("team/iris"),
      registry.repository("other/iris"),
      { from, to: [to] },
    );
    assert.deepEqual(
      [mounted.blobsMounted, mounted.blobsUploaded, mounted.manifestsUploaded],
      [6, 0, 1],
    );
    const target = await registry.repository("other/iris").resolve(to);
    assert.equal(target.digest, third.descriptor.digest);
    await validateImage(imageFrom(registry.repository("other/iris"), target));
  });

  test(`${kind}: weights of unknown digest are hashed while they are sent`, async (t) => {
    const registry = await registryOf(t, kind);
    if (registry === undefined) return;
    const layer = unhashedLayer(tarOf({ weights: randomBytesOf(5, 3_000_000) }));
    const image = appendLayers(randomImage({ layers: 1 }), [{ layer, history: {} }]);
    const repository = registry.repository("team/iris");
    const { descriptor } = await pushImage(image, repository, {
      to: [named(registry, "team/iris")],
    });
    assert.equal(layer.reads(), 1);
    await validateImage(imageFrom(repository, descriptor));
    const again = await pushImage(
      appendLayers(randomImage({ layers: 1 }), [{ layer, history: {} }]),
      repository,
    );
    assert.deepEqual([layer.reads(), again.bytesSent], [1, 0]);
  });

  test(`${kind}: an index with two platforms, and what refers to it, go from registry to registry`, async (t) => {
    const [ours, registry] = [await registryOf(t, "our registry"), await registryOf(t, kind)];
    if (registry === undefined || ours === undefined) return;
    const repository = ours.repository("team/iris");
    const weights = randomLayer({ seed: 70, bytes: 200_000, compression: "none" });
    const entries = [];
    for (const architecture of ["amd64", "arm64"]) {
      const image = appendLayers(
        randomImage({ layers: 1, platform: { os: "linux", architecture } }),
        [{ layer: weights, history: {} }],
      );
      entries.push({
        descriptor: (await pushImage(image, repository)).descriptor,
        platform: { os: "linux", architecture },
      });
    }
    const index = await putBytes(repository, createIndex(entries).bytes, MEDIA_TYPES.imageIndex);
    await repository.tag(index, named(ours, "team/iris"));
    await putBytes(repository, Buffer.from(EMPTY_CONTENT), EMPTY_DESCRIPTOR.mediaType);
    const bill = createArtifact({ artifactType: "application/vnd.example.sbom", subject: index });
    await putBytes(repository, bill.bytes, MEDIA_TYPES.imageManifest);

    const target = registry.repository("copied/iris");
    const to = [named(registry, "copied/iris")];
    const result = await copy(repository, target, {
      from: named(ours, "team/iris"),
      to,
      referrersOf: (subject, options) => repository.referrers(subject.digest, options),
    });
    assert.equal(result.descriptor.digest, index.digest);
    assert.equal(
      (await validateIndex(target, await target.resolve(named(registry, "copied/iris")))).length,
      2,
    );
    assert.deepEqual(
      (await target.referrers(index.digest)).map(({ digest, artifactType }) => [
        digest,
        artifactType,
      ]),
      [[bill.descriptor.digest, "application/vnd.example.sbom"]],
    );

    const single = await copy(target, registry.repository("single/iris"), {
      from: named(registry, "copied/iris"),
      to: [named(registry, "single/iris")],
      platform: { os: "linux", architecture: "arm64" },
    });
    assert.equal(single.descriptor.digest, entries[1]?.descriptor.digest);
    assert.equal(single.blobsUploaded, 0, "all of it was mounted");
  });
}

test("an image in Docker's form is pulled out of docker-registry, converted and validated", async (t) => {
  const [skopeo, registry] = [
    await requirePeer(t, "skopeo"),
    await registryOf(t, "docker-registry"),
  ];
  if (registry === undefined || skopeo === undefined) return;
  await using folder = await createTempDir("copy");
  const layout = await createLayout(join(folder.path, "layout"));
  await pushImage(randomImage({ layers: 2, compression: "gzip" }), layout, {
    to: [tagReference("v1")],
  });
  await run([
    skopeo,
    "copy",
    "--format",
    "v2s2",
    "--dest-tls-verify=false",
    `oci:${layout.path}:v1`,
    `docker://${registry.host}/team/docker:v1`,
  ]);
  const repository = registry.repository("team/docker");
  const docker = await repository.resolve(named(registry, "team/docker"));
  assert.equal(docker.mediaType, MEDIA_TYPES.dockerManifest);
  const converted = await copy(repository, repository, {
    from: docker,
    to: [named(registry, "team/docker", "oci")],
    convert: "oci",
  });
  assert.deepEqual([converted.blobsUploaded, converted.manifestsUploaded], [0, 1]);
  const target = await repository.resolve(named(registry, "team/docker", "oci"));
  assert.equal(target.mediaType, MEDIA_TYPES.imageManifest);
  await validateImage(imageFrom(repository, target));
  await run([
    skopeo,
    "copy",
    "--src-tls-verify=false",
    `docker://${registry.host}/team/docker:oci`,
    `dir:${folder.path}/out`,
  ]);
});

sourceSinkSuite("docker-registry, by our client", {
  async make(t) {
    const registry = await registryOf(t, "docker-registry");
    if (registry === undefined) return undefined;
    return {
      place: registry.repository("team/iris"),
      reference: (tag) => named(registry, "team/iris", tag),
    };
  },
  largeBytes: 8 * 2 ** 20,
});
