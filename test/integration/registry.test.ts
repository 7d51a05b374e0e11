import { oneChunk } from "../../src/ground/bytes/index.ts";
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { pushImage } from "../../src/images/copy/index.ts";
import { createTempDir, run, type TempDir } from "../../src/ground/process/index.ts";
import {
  digestOf,
  imageDescriptor,
  imageFrom,
  MEDIA_TYPES,
  parseManifest,
  validateImage,
  type Descriptor,
  type Reference,
} from "../../src/images/oci/index.ts";
import {
  createKeychain,
  createRegistry,
  type Keychain,
  type Registry,
  type Repository,
} from "../../src/images/registry/index.ts";
import { makeCertificate } from "../support/certificate.ts";
import {
  startDockerRegistry,
  type DockerRegistry,
  type DockerRegistryOptions,
} from "../support/docker-registry.ts";
import { startFaultRegistry } from "../support/fault-registry.ts";
import { randomBytesOf, randomImage } from "../support/random-image.ts";
import { startRegistry } from "../support/registry-fixture.ts";
import { bytesOf, putBytes, putSmallImage } from "../support/small-image.ts";
import { sourceSinkSuite, type SuitePlace } from "../support/source-sink-suite.ts";
import { isToolError } from "../../src/ground/errors/index.ts";

function keychainOf(peer: DockerRegistry): Keychain {
  return createKeychain({
    explicit: {
      registry: peer.host,
      credential: { kind: "basic", username: peer.username, password: peer.password },
    },
    home: "/nonexistent",
  });
}

async function open(
  t: TestContext,
  options: DockerRegistryOptions = {},
): Promise<
  | { readonly peer: DockerRegistry; readonly registry: Registry; readonly repository: Repository }
  | undefined
> {
  const peer = await startDockerRegistry(t, options);
  if (peer === undefined) return undefined;
  const registry = createRegistry({ host: peer.host, keychain: keychainOf(peer) });
  t.after(() => registry[Symbol.asyncDispose]());
  return { peer, registry, repository: registry.repository("team/model") };
}

function named(host: string, tag: string, repository = "team/model"): Reference {
  return { registry: host, repository, tag };
}

for (const auth of ["none", "htpasswd", "token"] as const) {
  sourceSinkSuite(`docker-registry, auth ${auth}`, {
    largeBytes: auth === "none" ? 64 * 2 ** 20 : 16 * 2 ** 20,
    async make(t): Promise<SuitePlace | undefined> {
      const opened = await open(t, { auth });
      return opened === undefined
        ? undefined
        : { place: opened.repository, reference: (tag) => named(opened.peer.host, tag) };
    },
  });
}

sourceSinkSuite("slipway's own registry", {
  async make(t): Promise<SuitePlace> {
    const fixture = await startRegistry();
    const host = `${fixture.server.host}:${fixture.server.port}`;
    const registry = createRegistry({ host });
    t.after(async () => {
      await registry[Symbol.asyncDispose]();
      await fixture[Symbol.asyncDispose]();
    });
    return { place: registry.repository("team/model"), reference: (tag) => named(host, tag) };
  },
});

/* ---- auth ---- */

test("without a credential a registry that wants one says what is missing", async (t) => {
  for (const auth of ["htpasswd", "token"] as const) {
    const peer = await startDockerRegistry(t, { auth });
    if (peer === undefined) return;
    await using registry = createRegistry({ host: peer.host });
    await assert.rejects(
      registry.repository("team/model").resolve(named(peer.host, "v1")),
      (error: unknown) => {
        assert.ok(isToolError(error) && error.code === "REGISTRY_UNAUTHORIZED");
        assert.match(
          error.message,
          /wants a credential for "team\/model" \(pull\), and none was found/,
        );
        assert.match(error.hint ?? "", new RegExp(`slipway login ${peer.host}`));
        return true;
      },
    );
  }
});

test("an identity token gets tokens", async (t) => {
  const peer = await startDockerRegistry(t, { auth: "token" });
  if (peer?.tokens === undefined) return;
  const credential = { kind: "identity-token", token: peer.tokens.issueIdentityToken() } as const;
  await using registry = createRegistry({
    host: peer.host,
    keychain: createKeychain({ explicit: { registry: peer.host, credential } }),
  });
  await putBytes(registry.repository("team/model"), Buffer.from("x"), MEDIA_TYPES.layerTar);
  assert.deepEqual(
    peer.tokens.requests.map(({ method, grantType }) => `${method} ${grantType}`),
    ["POST refresh_token"],
  );
});

test("a public repository is read without a credential, and not written", async (t) => {
  const peer = await startDockerRegistry(t, {
    auth: "token",
    tokens: { publicRepositories: ["team/model"] },
  });
  if (peer === undefined) return;
  await using owner = createRegistry({ host: peer.host, keychain: keychainOf(peer) });
  const image = await putSmallImage(owner.repository("team/model"));
  await using anyone = createRegistry({ host: peer.host });
  assert.equal(digestOf(await bytesOf(anyone.repository("team/model").open(image))), image.digest);
  await assert.rejects(
    putBytes(anyone.repository("team/model"), Buffer.from("x"), MEDIA_TYPES.layerTar),
    { code: "REGISTRY_UNAUTHORIZED" },
  );
});

test("a push asks for one token, and a mount for the rights on both repositories at once", async (t) => {
  const opened = await open(t, { auth: "token" });
  if (opened?.peer.tokens === undefined) return;
  const { peer, registry, repository } = opened;
  const blob = await putBytes(repository, randomBytesOf(1, 1000), MEDIA_TYPES.layerTar);
  assert.deepEqual(
    peer.tokens?.requests.map(({ scopes }) => scopes),
    [["repository:team/model:pull,push"]],
  );
  assert.equal(await registry.repository("team/other").mount(blob, named(peer.host, "v1")), true);
  assert.deepEqual(peer.tokens?.requests.at(-1)?.scopes, [
    "repository:team/other:pull,push",
    "repository:team/model:pull",
  ]);
  assert.equal(await registry.repository("team/other").has(blob), true);
  assert.equal(registry.stats().blobsMounted, 1);
});

/* ---- mounts, lists, referrers, deleting ---- */

test("what cannot be mounted is uploaded in the session that the registry began instead", async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  const { peer, registry, repository } = opened;
  const bytes = randomBytesOf(2, 5000);
  const target: Descriptor = {
    mediaType: MEDIA_TYPES.layerTar,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  };
  assert.equal(await repository.mount(target, named(peer.host, "v1", "no/such")), false);
  const before = registry.stats().requests;
  await repository.put(target, oneChunk(bytes));
  assert.equal(registry.stats().requests - before, 1, "one PUT");
  assert.equal(await repository.has(target), true);
  assert.equal(
    await repository.mount(target, named("elsewhere.test", "v1")),
    false,
    "another registry is not asked",
  );
});

test("a push mounts what an earlier process has seen in another repository of the registry", async (t) => {
  const peer = await startDockerRegistry(t, { auth: "token" });
  if (peer === undefined) return;
  const stateDir = (await folderOf(t)).path;
  const image = randomImage({ layers: 2, bytes: 50_000 });
  const target = await imageDescriptor(image);
  const open = (): Registry =>
    createRegistry({ host: peer.host, keychain: keychainOf(peer), stateDir });
  {
    await using owner = createRegistry({ host: peer.host, keychain: keychainOf(peer) });
    await pushImage(image, owner.repository("base/python"), {
      to: [named(peer.host, "v1", "base/python")],
    });
  }
  {
    await using reader = open();
    await bytesOf(reader.repository("base/python").open(target)); // a pull, an inspect, a pack on it
  }
  await using pusher = open();
  const { blobsMounted, bytesSent } = await pushImage(image, pusher.repository("team/iris"));
  assert.equal(blobsMounted, 2);
  assert.ok(bytesSent < 5000, `${bytesSent} bytes`);
  await validateImage(imageFrom(pusher.repository("team/iris"), target));
  // What is gone meanwhile, or was never true, costs a request and is sent.
  for (const { digest } of parseManifest(await image.rawManifest()).layers)
    for (const name of ["base/python", "team/iris"])
      await pusher.repository(name).deleteBlob(digest);
  await using later = open();
  const again = await pushImage(image, later.repository("team/third"));
  assert.deepEqual([again.blobsMounted, again.blobsUploaded], [0, 3]);
});

test("a registry that refuses a mount gets the content, and one that takes nothing says so when it is sent", async (t) => {
  const registry = await startFaultRegistry(t);
  await using client = createRegistry({ host: registry.host, sleep: async () => undefined });
  const bytes = randomBytesOf(8, 5000);
  const target: Descriptor = {
    mediaType: MEDIA_TYPES.layerTar,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  };
  for (const status of [401, 403, 404, 405, 400]) {
    registry.fault({ method: "POST", path: "mount=", action: { kind: "answer", status } });
    assert.equal(
      await client
        .repository("team/model")
        .mount(target, named(registry.host, "v1", "other/model")),
      false,
      String(status),
    );
  }
  registry.fault({ method: "POST", times: 10, action: { kind: "answer", status: 403 } });
  assert.equal(
    await client.repository("team/model").mount(target, named(registry.host, "v1", "other/model")),
    false,
  );
  await assert.rejects(client.repository("team/model").put(target, oneChunk(bytes)), {
    code: "REGISTRY_DENIED",
  });
});

test("tags and repositories are listed", async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  const { peer, registry, repository } = opened;
  const image = await putSmallImage(repository);
  const tags = Array.from({ length: 5 }, (_, index) => `v${index}`);
  for (const tag of tags) await repository.tag(image, named(peer.host, tag));
  assert.deepEqual((await Array.fromAsync(repository.listTags())).sort(), tags);
  assert.deepEqual(await Array.fromAsync(registry.catalog()), ["team/model"]);
  await assert.rejects(Array.fromAsync(registry.repository("no/such").listTags()), {
    code: "REFERENCE_NOT_FOUND",
  });
});

for (const [kind, start] of [
  ["without the referrers API", startDebian],
  ["with the referrers API", startOwn],
] as const) {
  test(`what refers to an image is found at a registry ${kind}, until it is deleted`, async (t) => {
    const host = await start(t);
    if (host === undefined) return;
    await using registry = createRegistry({ host });
    const repository = registry.repository("team/model");
    const subject = await putSmallImage(repository);
    const [one, two] = [
      await putArtifact(repository, subject, "application/vnd.test.sbom"),
      await putArtifact(repository, subject, "application/vnd.test.signature"),
    ];
    const found = await repository.referrers(subject.digest);
    assert.deepEqual(found.map(({ digest }) => digest).sort(), [one.digest, two.digest].sort());
    assert.deepEqual(
      (
        await repository.referrers(subject.digest, { artifactType: "application/vnd.test.sbom" })
      ).map(({ digest }) => digest),
      [one.digest],
    );
    assert.equal(
      found.find(({ digest }) => digest === one.digest)?.annotations?.["test.kind"],
      "application/vnd.test.sbom",
    );
    await repository.deleteManifest(one.digest);
    assert.deepEqual(
      (await repository.referrers(subject.digest)).map(({ digest }) => digest),
      [two.digest],
    );
    await assert.rejects(repository.deleteManifest(one.digest), { code: "REFERENCE_NOT_FOUND" });
  });
}

test("a blob is deleted", async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  const blob = await putBytes(opened.repository, randomBytesOf(3, 100), MEDIA_TYPES.layerTar);
  await opened.repository.deleteBlob(blob.digest);
  assert.equal(await opened.repository.has(blob), false);
});

test("an image that is there and tagged costs no upload to be tagged again", async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  const { peer, repository } = opened;
  const image = await putSmallImage(repository);
  await repository.tag(image, named(peer.host, "v1"));
  await using later = createRegistry({ host: peer.host });
  await later.repository("team/model").tag(image, named(peer.host, "v1"));
  assert.equal(later.stats().bytesUploaded, 0);
  await later.repository("team/model").tag(image, named(peer.host, "v2"));
  assert.equal((await repository.resolve(named(peer.host, "v2"))).digest, image.digest);
});

test("a part of a blob can be opened", async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  const bytes = randomBytesOf(4, 100_000);
  const blob = await putBytes(opened.repository, bytes, MEDIA_TYPES.layerTar);
  assert.deepEqual(
    await bytesOf(opened.repository.open(blob, { offset: 40_000 })),
    Buffer.from(bytes.subarray(40_000)),
  );
});

/* ---- ways to the registry ---- */

test("on loopback HTTPS is found where plain HTTP is not spoken, and its certificate is checked", async (t) => {
  const tls = await makeCertificate(t);
  const peer = tls === undefined ? undefined : await startDockerRegistry(t, { tls });
  if (peer === undefined || tls === undefined) return;
  await using trusting = createRegistry({ host: peer.host, ca: tls.ca });
  const blob = await putBytes(
    trusting.repository("team/model"),
    randomBytesOf(5, 1000),
    MEDIA_TYPES.layerTar,
  );
  assert.equal(await trusting.repository("team/model").has(blob), true);
  await using strict = createRegistry({ host: peer.host });
  await assert.rejects(strict.ping(), (error: unknown) => {
    assert.ok(isToolError(error) && error.code === "INSECURE_REFUSED", String(error));
    assert.match(error.hint ?? "", /--ca-file/);
    return true;
  });
});

test("a mirror is asked first, and the registry when the mirror has nothing or is gone", async (t) => {
  const opened = await open(t);
  const mirror = await startDockerRegistry(t);
  if (opened === undefined || mirror === undefined) return;
  const { peer } = opened;
  await using atMirror = createRegistry({ host: mirror.host });
  const [here, there] = [
    await putBytes(opened.repository, randomBytesOf(6, 1000), MEDIA_TYPES.layerTar),
    await putBytes(atMirror.repository("team/model"), randomBytesOf(7, 1000), MEDIA_TYPES.layerTar),
  ];
  await using registry = createRegistry({
    host: peer.host,
    mirrors: [mirror.host],
    sleep: async () => undefined,
  });
  for (const target of [here, there])
    assert.equal(
      digestOf(await bytesOf(registry.repository("team/model").open(target))),
      target.digest,
    );
  await mirror.stop();
  assert.equal(digestOf(await bytesOf(registry.repository("team/model").open(here))), here.digest);
});

test("a registry that is not there is told as such, at once", async () => {
  await using registry = createRegistry({
    host: "127.0.0.1:1",
    sleep: async () => assert.fail("a refused first connection is not tried again"),
  });
  await assert.rejects(registry.ping(), (error: unknown) => {
    assert.ok(isToolError(error) && error.code === "REGISTRY_UNREACHABLE");
    assert.match(error.message, /cannot reach "127\.0\.0\.1:1": connection refused/);
    return true;
  });
});

test("nothing keeps the process alive after a registry was disposed", async (t) => {
  const opened = await open(t);
  if (opened === undefined) return;
  const script = `import { createRegistry } from "${new URL("../../src/images/registry/index.ts", import.meta.url).href}";
    const registry = createRegistry({ host: "${opened.peer.host}" });
    await registry.ping();
    await registry[Symbol.asyncDispose]();`;
  await run([process.execPath, "--input-type=module", "-e", script], { timeoutMs: 10_000 });
});

async function folderOf(t: TestContext): Promise<TempDir> {
  const folder = await createTempDir("registry-test");
  t.after(() => folder[Symbol.asyncDispose]());
  return folder;
}

async function startDebian(t: TestContext): Promise<string | undefined> {
  return (await startDockerRegistry(t))?.host;
}

async function startOwn(t: TestContext): Promise<string> {
  const fixture = await startRegistry();
  t.after(() => fixture[Symbol.asyncDispose]());
  return `${fixture.server.host}:${fixture.server.port}`;
}

async function putArtifact(
  repository: Repository,
  subject: Descriptor,
  artifactType: string,
): Promise<Descriptor> {
  const config = await putBytes(repository, Buffer.from("{}"), MEDIA_TYPES.empty);
  const { mediaType, digest, size } = subject;
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageManifest,
    artifactType,
    config,
    layers: [config],
    subject: { mediaType, digest, size },
    annotations: { "test.kind": artifactType },
  };
  return putBytes(repository, Buffer.from(JSON.stringify(manifest)), MEDIA_TYPES.imageManifest);
}
