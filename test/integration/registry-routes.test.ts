import { oneChunk } from "../../src/ground/bytes/index.ts";
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { isToolError } from "../../src/ground/errors/index.ts";
import { digestOf, MEDIA_TYPES, type Descriptor } from "../../src/images/oci/index.ts";
import {
  createKeychain,
  createRegistry,
  type Registry,
  type RegistryOptions,
} from "../../src/images/registry/index.ts";
import { makeCertificate } from "../support/certificate.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { startFaultRegistry, type FaultRegistry } from "../support/fault-registry.ts";
import { startForwardProxy, type ForwardProxy } from "../support/forward-proxy.ts";
import { randomBytesOf } from "../support/random-image.ts";
import { bytesOf, putBytes } from "../support/small-image.ts";

const MIB = 2 ** 20;

/** A registry in memory that answers under any name, by way of a proxy. */
async function behindProxy(
  t: TestContext,
  host: string,
  options: Partial<RegistryOptions> = {},
): Promise<{
  readonly server: FaultRegistry;
  readonly proxy: ForwardProxy;
  readonly registry: Registry;
}> {
  const server = await startFaultRegistry(t);
  const proxy = await startForwardProxy(t, { upstream: server.host });
  const registry = createRegistry({
    host,
    plainHttp: true,
    environment: { http_proxy: `http://${proxy.host}` },
    sleep: async () => undefined,
    ...options,
  });
  t.after(() => registry[Symbol.asyncDispose]());
  return { server, proxy, registry };
}

function blob(size: number): { readonly bytes: Uint8Array; readonly target: Descriptor } {
  const bytes = randomBytesOf(size, size);
  return { bytes, target: { mediaType: MEDIA_TYPES.layerTar, digest: digestOf(bytes), size } };
}

async function* pieces(bytes: Uint8Array, offset = 0): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < bytes.byteLength; at += MIB) yield bytes.subarray(at, at + MIB);
}

/* ---- what is known of single registries ---- */

for (const host of [
  "ghcr.io",
  "europe-docker.pkg.dev",
  "gcr.io",
  "1234.dkr.ecr.eu-west-1.amazonaws.com",
]) {
  test(`${host} gets a large blob in one PUT with its length, and one of unknown digest too`, async (t) => {
    const { server, registry } = await behindProxy(t, host);
    const { bytes, target } = blob(20 * MIB);
    await registry.repository("team/model").putFrom(target, (offset) => pieces(bytes, offset));
    const other = blob(9 * MIB);
    const digest = await registry
      .repository("team/model")
      .ingestFrom({ size: other.target.size, open: (offset) => pieces(other.bytes, offset) });
    assert.equal(digest, other.target.digest);
    assert.deepEqual(server.seen("PATCH"), []);
    assert.deepEqual(
      server.seen("PUT").map(({ headers, bytes: got }) => [Number(headers["content-length"]), got]),
      [
        [20 * MIB, 20 * MIB],
        [9 * MIB, 9 * MIB],
      ],
    );
    assert.ok(server.blobs.has(target.digest) && server.blobs.has(digest));
  });
}

test("a registry that nothing is known of gets the same blob in a session that can be resumed", async (t) => {
  const { server, registry } = await behindProxy(t, "registry.test");
  const { bytes, target } = blob(20 * MIB);
  await registry.repository("team/model").putFrom(target, (offset) => pieces(bytes, offset));
  assert.equal(
    server.seen("PATCH").reduce((sum, request) => sum + request.bytes, 0),
    20 * MIB,
  );
});

test("one PUT that breaks off is begun anew in a new session, from the first byte", async (t) => {
  const { server, registry } = await behindProxy(t, "ghcr.io");
  server.fault({
    method: "PUT",
    path: "/blobs/",
    action: { kind: "cut-request", atByte: 5 * MIB },
  });
  const { bytes, target } = blob(20 * MIB);
  await registry.repository("team/model").putFrom(target, (offset) => pieces(bytes, offset));
  assert.equal(server.seen("POST").length, 2);
  assert.ok(server.blobs.get(target.digest)?.equals(bytes));
});

test("a proxy that takes 100 MB a request gets a blob in parts below that", async (t) => {
  const { server, registry } = await behindProxy(t, "registry.test", { chunkBytes: 6 * MIB });
  const { bytes, target } = blob(20 * MIB);
  await registry.repository("team/model").putFrom(target, (offset) => pieces(bytes, offset));
  assert.deepEqual(
    server.seen("PATCH").map((request) => request.bytes),
    [6 * MIB, 6 * MIB, 6 * MIB, 2 * MIB],
  );
});

/* ---- plain HTTP ---- */

test("plain HTTP is spoken on loopback, and elsewhere only when that is said", async (t) => {
  const { server, registry } = await behindProxy(t, "registry.test", { plainHttp: false });
  await assert.rejects(registry.ping(), (error: unknown) => {
    assert.ok(isToolError(error));
    assert.equal(
      error.code,
      "REGISTRY_UNREACHABLE",
      "the name is looked up, since the proxy is for http: only",
    );
    return true;
  });
  assert.deepEqual(server.requests, []);
  const tunnel = await startForwardProxy(t, { upstream: server.host });
  await using asked = createRegistry({
    host: "registry.test",
    environment: { https_proxy: `http://${tunnel.host}` },
    sleep: async () => undefined,
  });
  await assert.rejects(asked.ping(), (error: unknown) => {
    assert.ok(isToolError(error) && error.code === "INSECURE_REFUSED", String(error));
    assert.match(error.hint ?? "", /--plain-http/);
    return true;
  });
  assert.deepEqual(server.requests, [], "not one request went out in clear");
});

/* ---- proxies ---- */

test("an HTTP proxy gets the requests, its own credential stays with it, and NO_PROXY goes round it", async (t) => {
  const server = await startFaultRegistry(t, {
    auth: { kind: "basic", username: "mia", password: "hunter2" },
  });
  const authorization = `Basic ${Buffer.from("proxy:pass word").toString("base64")}`;
  const proxy = await startForwardProxy(t, { upstream: server.host, authorization });
  const keychain = createKeychain({
    explicit: {
      registry: "registry.test",
      credential: { kind: "basic", username: "mia", password: "hunter2" },
    },
    home: "/nonexistent",
  });
  const environment = { http_proxy: `http://proxy:pass%20word@${proxy.host}` };
  await using registry = createRegistry({
    host: "registry.test",
    plainHttp: true,
    keychain,
    environment,
  });
  await putBytes(registry.repository("team/model"), randomBytesOf(1, 1000), MEDIA_TYPES.layerTar);
  assert.ok(
    proxy.calls.length > 2 &&
      proxy.calls.every(({ target }) => target.startsWith("http://registry.test/v2/")),
  );
  assert.ok(server.requests.every(({ headers }) => headers["proxy-authorization"] === undefined));
  assert.ok(server.requests.every(({ headers }) => headers.host === "registry.test"));
  const before = proxy.calls.length;
  await using direct = createRegistry({
    host: "registry.test",
    plainHttp: true,
    environment: { ...environment, no_proxy: "registry.test" },
    sleep: async () => undefined,
  });
  await assert.rejects(direct.ping(), { code: "REGISTRY_UNREACHABLE" });
  assert.equal(proxy.calls.length, before);
});

test("HTTPS goes through a tunnel, with the registry's own certificate checked inside", async (t) => {
  const tls = await makeCertificate(t);
  const peer =
    tls === undefined ? undefined : await startDockerRegistry(t, { tls, auth: "htpasswd" });
  if (tls === undefined || peer === undefined) return;
  const proxy = await startForwardProxy(t, {
    upstream: peer.host,
    authorization: `Basic ${Buffer.from("proxy:secret").toString("base64")}`,
  });
  const keychain = createKeychain({
    explicit: {
      registry: "registry.test",
      credential: { kind: "basic", username: peer.username, password: peer.password },
    },
    home: "/nonexistent",
  });
  const environment = { HTTPS_PROXY: `http://proxy:secret@${proxy.host}` };
  await using registry = createRegistry({
    host: "registry.test",
    ca: tls.ca,
    keychain,
    environment,
  });
  const bytes = randomBytesOf(2, 3 * MIB);
  const stored = await putBytes(registry.repository("team/model"), bytes, MEDIA_TYPES.layerTar);
  assert.deepEqual(
    await bytesOf(registry.repository("team/model").open(stored)),
    Buffer.from(bytes),
  );
  assert.deepEqual(
    [...new Set(proxy.calls.map(({ method, target }) => `${method} ${target}`))],
    ["CONNECT registry.test:443"],
  );
  assert.ok(
    proxy.calls.every(({ headers }) => headers.authorization === undefined),
    "the registry's credential is inside the tunnel",
  );

  await using strict = createRegistry({ host: "registry.test", keychain, environment });
  await assert.rejects(strict.ping(), { code: "INSECURE_REFUSED" });
  await using misnamed = createRegistry({ host: "other.test", ca: tls.ca, environment });
  await assert.rejects(misnamed.ping(), { code: "INSECURE_REFUSED" });
  await using unknown = createRegistry({
    host: "registry.test",
    ca: tls.ca,
    environment: { HTTPS_PROXY: `http://${proxy.host}` },
    sleep: async () => undefined,
  });
  await assert.rejects(unknown.ping(), {
    code: "REGISTRY_UNREACHABLE",
    message: /the proxy .* answered 407/,
  });
});

/* ---- mirrors ---- */

test("a mirror is told whom it stands for, gets its own credential, and nothing is ever written to it", async (t) => {
  const [server, mirror] = [
    await startFaultRegistry(t),
    await startFaultRegistry(t, { auth: { kind: "basic", username: "mirror", password: "m" } }),
  ];
  const { bytes, target } = blob(5000);
  mirror.blobs.set(target.digest, Buffer.from(bytes));
  const keychain = createKeychain({
    environment: {
      DOCKER_AUTH_CONFIG: JSON.stringify({
        auths: { [mirror.host]: { auth: Buffer.from("mirror:m").toString("base64") } },
      }),
    },
    home: "/nonexistent",
  });
  await using registry = createRegistry({ host: server.host, keychain, mirrors: [mirror.host] });
  const repository = registry.repository("team/model");
  assert.deepEqual(await bytesOf(repository.open(target)), Buffer.from(bytes));
  assert.ok(
    mirror
      .seen("GET", "/blobs/")
      .every(({ path }) => path.includes(`ns=${encodeURIComponent(server.host)}`)),
  );
  assert.deepEqual(server.seen("GET", "/blobs/"), []);
  await repository.put(target, oneChunk(bytes));
  assert.deepEqual([...mirror.seen("POST"), ...mirror.seen("PUT"), ...mirror.seen("PATCH")], []);
  assert.ok(server.requests.every(({ headers }) => headers.authorization === undefined));
});

test("a mirror that lies is found out", async (t) => {
  const [server, mirror] = [await startFaultRegistry(t), await startFaultRegistry(t)];
  const { bytes, target } = blob(5000);
  mirror.blobs.set(target.digest, Buffer.from(bytes).reverse());
  await using registry = createRegistry({
    host: server.host,
    mirrors: [mirror.host],
    sleep: async () => undefined,
  });
  await assert.rejects(bytesOf(registry.repository("team/model").open(target)), {
    code: "DIGEST_MISMATCH",
  });
});
