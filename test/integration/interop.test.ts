import { oneChunk } from "../../src/ground/bytes/index.ts";
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { pushImage } from "../../src/images/copy/index.ts";
import { createTempDir, run } from "../../src/ground/process/index.ts";
import { openArchive } from "../../src/images/layout/index.ts";
import {
  appendLayers,
  configOf,
  createIndex,
  digestOf,
  imageDescriptor,
  imageFrom,
  isIndexType,
  manifestOf,
  MEDIA_TYPES,
  mutateConfig,
  parseReference,
  readVerified,
  selectPlatform,
  parseIndex,
  validateImage,
  type Descriptor,
  type Image,
} from "../../src/images/oci/index.ts";
import { createRegistry, type Repository } from "../../src/images/registry/index.ts";
import { createStore, type Store } from "../../src/images/store/index.ts";
import { writeTar } from "../../src/images/tar/index.ts";
import { requireDebianBase } from "../support/debian-base.ts";
import { requireDockerd, type Dockerd } from "../support/dockerd.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { requirePodman } from "../support/engines.ts";
import { findPeer, requirePeer } from "../support/peers.ts";
import { bytesLayer } from "../support/random-image.ts";
import { startRegistry } from "../support/registry-fixture.ts";

const PRINT = [
  "-c",
  "import sys, hashlib; print('weights', len(open('/models/weights.bin','rb').read()), 'by', sys.version_info.major)",
] as const;
const PRINTED = /^weights 3000000 by 3\n$/;
const PLATFORM = { os: "linux", architecture: "amd64" };

let kept: Promise<{ readonly store: Store; readonly remove: () => Promise<void> }> | undefined;
after(async () => (await kept)?.remove());

async function sharedStore(): Promise<Store> {
  kept ??= createTempDir("interop-store").then((folder) => {
    const store = createStore({
      dataDir: join(folder.path, "data"),
      cacheDir: join(folder.path, "cache"),
    });
    return {
      store,
      remove: async () => (await store[Symbol.asyncDispose](), folder[Symbol.asyncDispose]()),
    };
  });
  return (await kept).store;
}

/** An image as packing makes them: a Debian base, weights as a plain tar, a start command without a shell. */
async function modelImages(t: TestContext): Promise<readonly Image[] | undefined> {
  const base = await requireDebianBase(t, {
    include: ["python3"],
    architectures: ["amd64", "arm64"],
    blobs: await sharedStore(),
  });
  if (base === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  const weights = Buffer.alloc(3_000_000, "weights ");
  for await (const chunk of writeTar([
    { path: "models", type: "directory", mode: 0o755, size: 0 },
    {
      path: "models/weights.bin",
      type: "file",
      mode: 0o644,
      size: weights.byteLength,
      content: weights,
    },
  ]))
    chunks.push(chunk);
  const tar = Buffer.concat(chunks);
  const layer = bytesLayer(tar, MEDIA_TYPES.layerTar, digestOf(tar));
  return base.images.map(({ image }) =>
    mutateConfig(
      appendLayers(image, [{ layer, history: { created_by: "weights" } }]),
      (config) => ({
        ...config,
        config: { ...config.config, User: "8888:0", Entrypoint: ["/usr/bin/python3"], Cmd: PRINT },
      }),
    ),
  );
}

async function pushBoth(
  images: readonly Image[],
  repository: Repository,
  name: string,
): Promise<{ readonly index: Descriptor; readonly amd64: Descriptor }> {
  const descriptors: Descriptor[] = [];
  for (const image of images)
    descriptors.push((await pushImage(image, repository, { to: [] })).descriptor);
  const [amd64, arm64] = descriptors;
  assert.ok(amd64 !== undefined && arm64 !== undefined);
  const { bytes, descriptor } = createIndex([
    { descriptor: amd64, platform: PLATFORM },
    { descriptor: arm64, platform: { os: "linux", architecture: "arm64" } },
  ]);
  await repository.put(descriptor, oneChunk(bytes));
  await repository.tag(descriptor, parseReference(`${name}:both`));
  await repository.tag(amd64, parseReference(`${name}:one`));
  return { index: descriptor, amd64 };
}

/** What the repository has under a name, as one image. */
async function pulled(repository: Repository, name: string): Promise<Image> {
  let target = await repository.resolve(parseReference(name));
  if (isIndexType(target.mediaType))
    target = selectPlatform(
      parseIndex(await readVerified(repository.open(target), target, { maxBytes: 4 * 2 ** 20 })),
      PLATFORM,
    );
  return imageFrom(repository, target);
}

const registries: readonly {
  readonly kind: string;
  readonly start: (t: TestContext) => Promise<string | undefined>;
}[] = [
  { kind: "docker-registry", start: async (t) => (await startDockerRegistry(t))?.host },
  {
    kind: "our own registry",
    start: async (t) => {
      const registry = await startRegistry();
      t.after(() => registry[Symbol.asyncDispose]());
      return `127.0.0.1:${registry.server.port}`;
    },
  },
];

for (const { kind, start } of registries) {
  test(`what we push to ${kind} is taken by every other tool`, async (t) => {
    const images = await modelImages(t);
    const host = images === undefined ? undefined : await start(t);
    if (images === undefined || host === undefined) return;
    await using registry = createRegistry({ host });
    const name = `${host}/team/model`;
    const { index, amd64 } = await pushBoth(images, registry.repository("team/model"), name);

    await t.test("docker pulls it, by tag and from an index, and runs it", async (own) => {
      const daemon = await requireDockerd(own);
      if (daemon === undefined) return;
      for (const tag of ["one", "both"]) {
        await daemon.docker("pull", "--quiet", `${name}:${tag}`);
        assert.match(
          await daemon.docker("run", "--rm", "--network", "none", `${name}:${tag}`),
          PRINTED,
        );
      }
      const digests = JSON.parse(
        await daemon.docker("image", "inspect", "--format", "{{json .RepoDigests}}", `${name}:one`),
      ) as readonly string[];
      assert.deepEqual(
        digests.filter((one) => one.startsWith(host)).sort(),
        [`${name}@${amd64.digest}`, `${name}@${index.digest}`].sort(),
      );
      assert.equal(
        (await daemon.docker("image", "inspect", "--format", "{{.Id}}", `${name}:one`)).trim(),
        digestOf(await images[0]!.rawConfig()),
      );
      await daemon.docker("image", "rm", "--force", `${name}:one`, `${name}:both`);
    });

    await t.test("podman pulls it and runs it", async (own) => {
      const podman = await requirePodman(own);
      if (podman === undefined) return;
      await podman.podman("pull", "--quiet", "--tls-verify=false", `${name}:both`);
      const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"];
      assert.match(
        await podman.podman(
          "run",
          "--runtime",
          "runc",
          "--rm",
          "--network",
          "none",
          ...limits,
          `${name}:both`,
        ),
        PRINTED,
      );
    });

    await t.test(
      "skopeo copies it to docker-archive: and dir:, and what it wrote is the same image",
      async (own) => {
        const skopeo = await requirePeer(own, "skopeo");
        if (skopeo === undefined) return;
        await using folder = await createTempDir("skopeo");
        const copy = (...args: readonly string[]): Promise<unknown> =>
          run([skopeo, "copy", "--quiet", "--src-tls-verify=false", ...args]);
        await copy(
          `docker://${name}:one`,
          `docker-archive:${folder.path}/image.tar:team/model:one`,
        );
        await using archive = await openArchive(join(folder.path, "image.tar"));
        const [entry] = archive.list();
        assert.ok(entry);
        assert.deepEqual(
          (await configOf(imageFrom(archive, entry))).rootfs,
          (await configOf(images[0]!)).rootfs,
        );
        await copy("--preserve-digests", `docker://${name}:one`, `dir:${folder.path}/dir`);
        const blobs = new Set(await readdir(join(folder.path, "dir")));
        for (const layer of await images[0]!.layers())
          assert.ok(blobs.has((await layer.descriptor()).digest.slice("sha256:".length)));
        await copy(
          "--all",
          "--preserve-digests",
          `docker://${name}:both`,
          `oci:${folder.path}/oci:both`,
        );
        const seen = JSON.parse(
          (
            await run([
              skopeo,
              "inspect",
              "--tls-verify=false",
              "--override-arch",
              "arm64",
              `docker://${name}:both`,
            ])
          ).stdout.toString("utf8"),
        ) as { readonly Architecture: string };
        assert.equal(seen.Architecture, "arm64");
      },
    );

    await t.test("crane finds every digest, size and diffId right", async (own) => {
      const crane = await requirePeer(own, "crane");
      if (crane === undefined) return;
      const bases = await requireDebianBase(own, {
        include: ["python3"],
        architectures: ["amd64"],
        blobs: await sharedStore(),
      });
      await pushImage(bases!.images[0]!.image, registry.repository("team/model"), {
        to: [parseReference(`${name}:base`)],
      });
      const result = await run([crane, "validate", "--insecure", "--remote", `${name}:base`]);
      assert.match(result.stdout.toString("utf8"), /^PASS: /);
      // crane reads every layer as gzip (pkg/v1/validate/layer.go), so of an image with a plain tar it can check all but the layers' content.
      assert.match(
        (
          await run([crane, "validate", "--fast", "--insecure", "--remote", `${name}:one`])
        ).stdout.toString("utf8"),
        /^PASS: /,
      );
      for (const architecture of ["amd64", "arm64"])
        await run([
          crane,
          "validate",
          "--fast",
          "--insecure",
          "--platform",
          `linux/${architecture}`,
          "--remote",
          `${name}:both`,
        ]);
      assert.equal(
        (await run([crane, "digest", "--insecure", `${name}:both`])).stdout.toString("utf8").trim(),
        index.digest,
      );
    });
  });

  test(`what other tools push to ${kind}, we pull, inspect, append to and push back`, async (t) => {
    const images = await modelImages(t);
    const host = images === undefined ? undefined : await start(t);
    if (images === undefined || host === undefined) return;
    await using registry = createRegistry({ host });
    const from = `${host}/team/model`;
    await pushBoth(images, registry.repository("team/model"), from);

    await t.test("docker", async (own) => {
      const daemon = await requireDockerd(own);
      if (daemon === undefined) return;
      await daemon.docker("pull", "--quiet", `${from}:one`);
      await using context = await createTempDir("docker-build");
      await run([
        "sh",
        "-c",
        `printf 'FROM ${from}:one\\nENV ADDED=by-docker\\nCOPY Dockerfile /app/Dockerfile\\n' > '${context.path}/Dockerfile'`,
      ]);
      const name = `${host}/by/docker:1`;
      await daemon.docker("build", "--quiet", "--tag", name, context.path);
      await daemon.docker("push", "--quiet", name);
      await roundTrip({
        name,
        repository: registry.repository("by/docker"),
        expected: "by-docker",
        daemon,
      });
    });

    await t.test("podman", async (own) => {
      const podman = await requirePodman(own);
      if (podman === undefined) return;
      const name = `${host}/by/podman:1`;
      await podman.podman("pull", "--quiet", "--tls-verify=false", `${from}:one`);
      await using context = await createTempDir("podman-build");
      await run([
        "sh",
        "-c",
        `printf 'FROM ${from}:one\\nENV ADDED=by-podman\\nCOPY Containerfile /app/Containerfile\\n' > '${context.path}/Containerfile'`,
      ]);
      await podman.podman("build", "--quiet", "--tls-verify=false", "--tag", name, context.path);
      await podman.podman("push", "--quiet", "--tls-verify=false", name);
      await roundTrip({
        name,
        repository: registry.repository("by/podman"),
        expected: "by-podman",
        daemon: await daemonIfThere(own),
      });
    });

    await t.test("buildah", async (own) => {
      const program = await requirePeer(own, "buildah");
      const podman = program === undefined ? undefined : await requirePodman(own);
      if (program === undefined || podman === undefined) return;
      const buildah = async (...args: readonly string[]): Promise<string> =>
        (await run([program, ...podman.storageArgs, ...args])).stdout.toString("utf8").trim();
      const name = `${host}/by/buildah:1`;
      const container = await buildah("from", "--quiet", "--tls-verify=false", `${from}:one`);
      await buildah("config", "--env", "ADDED=by-buildah", container);
      await buildah("copy", "--quiet", container, import.meta.filename, "/app/test.ts");
      await buildah("commit", "--quiet", container, name);
      await buildah("rm", container);
      await buildah("push", "--quiet", "--tls-verify=false", name);
      await roundTrip({
        name,
        repository: registry.repository("by/buildah"),
        expected: "by-buildah",
        daemon: await daemonIfThere(own),
      });
    });
  });
}

async function daemonIfThere(t: TestContext): Promise<Dockerd | undefined> {
  return findPeer("dockerd") === undefined || process.getuid?.() !== 0
    ? undefined
    : requireDockerd(t);
}

interface RoundTrip {
  readonly name: string;
  readonly repository: Repository;
  /** Value of the variable that the other tool set. */
  readonly expected: string;
  /** Runs what we pushed back. */
  readonly daemon: Dockerd | undefined;
}

async function roundTrip({ name, repository, expected, daemon }: RoundTrip): Promise<void> {
  const image = await pulled(repository, name);
  const validation = await validateImage(image);
  assert.ok(validation.layers >= 5, "the base's layers, the weights and what the other tool added");
  assert.ok((await configOf(image)).config?.Env?.includes(`ADDED=${expected}`));
  const tar: Uint8Array[] = [];
  const text = Buffer.from(`appended to what ${expected}`);
  for await (const chunk of writeTar([
    { path: "appended.txt", type: "file", mode: 0o644, size: text.byteLength, content: text },
  ]))
    tar.push(chunk);
  const bytes = Buffer.concat(tar);
  const appended = mutateConfig(
    appendLayers(image, [
      {
        layer: bytesLayer(bytes, MEDIA_TYPES.layerTar, digestOf(bytes)),
        history: { created_by: "appended" },
      },
    ]),
    (config) => ({
      ...config,
      config: {
        ...config.config,
        Cmd: ["-c", "import os; print(open('/appended.txt').read(), os.environ['ADDED'])"],
      },
    }),
  );
  const back = name.replace(/:1$/, ":back");
  const result = await pushImage(appended, repository, { to: [parseReference(back)] });
  assert.equal(result.blobsUploaded, 2, "only the new layer and the config are uploaded");
  assert.equal(
    result.descriptor.digest,
    (await imageDescriptor(await pulled(repository, back))).digest,
  );
  await validateImage(await pulled(repository, back));
  assert.equal((await manifestOf(appended)).mediaType, MEDIA_TYPES.imageManifest);
  const crane = findPeer("crane");
  if (crane !== undefined) await run([crane, "validate", "--fast", "--insecure", "--remote", back]);
  if (daemon === undefined) return;
  await daemon.docker("pull", "--quiet", back);
  assert.equal(
    await daemon.docker("run", "--rm", "--network", "none", back),
    `appended to what ${expected} ${expected}\n`,
  );
}
