import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { isToolError } from "../../src/ground/errors/index.ts";
import { createTempDir } from "../../src/ground/process/index.ts";
import { digestOf, MEDIA_TYPES, type Descriptor } from "../../src/images/oci/index.ts";
import {
  createKeychain,
  createRegistry,
  type Registry,
  type RegistryOptions,
  type Repository,
} from "../../src/images/registry/index.ts";
import {
  startFaultRegistry,
  type FaultRegistry,
  type FaultRegistryOptions,
} from "../support/fault-registry.ts";
import { randomBytesOf } from "../support/random-image.ts";

const MIB = 2 ** 20;
const USER = { username: "tester", password: "s3cret, with: signs" };

interface Bench {
  readonly server: FaultRegistry;
  readonly registry: Registry;
  readonly repository: Repository;
  /** Pauses that the client asked for, in ms; none is made. */
  readonly pauses: number[];
}

async function setUp(
  t: TestContext,
  options: Partial<RegistryOptions> = {},
  faults: FaultRegistryOptions = {},
): Promise<Bench> {
  const server = await startFaultRegistry(t, faults);
  const pauses: number[] = [];
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    pauses.push(ms);
  };
  const keychain = createKeychain({
    explicit: { registry: server.host, credential: { kind: "basic", ...USER } },
    home: "/nonexistent",
  });
  const registry = createRegistry({ host: server.host, keychain, sleep, ...options });
  t.after(() => registry[Symbol.asyncDispose]());
  return { server, registry, repository: registry.repository("team/model"), pauses };
}

interface Content {
  readonly bytes: Buffer;
  readonly target: Descriptor;
  readonly open: (offset: number) => AsyncGenerator<Uint8Array>;
}

function content(size: number, seed = 1): Content {
  const bytes = Buffer.from(randomBytesOf(seed, size));
  const open = async function* (offset: number): AsyncGenerator<Uint8Array> {
    for (let at = offset; at < size; at += MIB) yield bytes.subarray(at, at + MIB);
  };
  return {
    bytes,
    open,
    target: { mediaType: MEDIA_TYPES.layerTar, digest: digestOf(bytes), size },
  };
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(stream));
}

function failsWith(...codes: string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isToolError(error), `a typed error, not ${String(error)}`);
    assert.ok(
      codes.includes(error.code),
      `${error.code} is none of ${codes.join(", ")}: ${error.message}`,
    );
    assert.ok(!JSON.stringify([error.message, error]).includes(USER.password), "no secret in it");
    return true;
  };
}

function holds(server: FaultRegistry, { target, bytes }: Content): boolean {
  return server.blobs.get(target.digest)?.equals(bytes) === true;
}

function received(server: FaultRegistry): number {
  return [...server.seen("PATCH"), ...server.seen("PUT", "/blobs/")].reduce(
    (sum, request) => sum + request.bytes,
    0,
  );
}

/* ---- uploads ---- */

test("an upload whose connection is cut goes on at the byte where it was cut", async (t) => {
  const { server, registry, repository } = await setUp(t);
  const large = content(24 * MIB);
  const cut = 9 * MIB + 123;
  server.fault({ method: "PATCH", action: { kind: "cut-request", atByte: cut } });
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(server, large));
  assert.equal(server.seen("PATCH").at(-1)?.headers["content-range"], `${cut}-${24 * MIB - 1}`);
  assert.equal(received(server), 24 * MIB, "the registry got every byte once");
  assert.ok(
    registry.stats().bytesResent <= 8 * MIB,
    "sent again: only what was in buffers on the way",
  );
});

test("an upload that is cut again and again ends as long as each try brings bytes", async (t) => {
  const { server, repository } = await setUp(t);
  const large = content(20 * MIB);
  server.fault({ method: "PATCH", times: 9, action: { kind: "cut-request", atByte: 2 * MIB } });
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(server, large));
  assert.equal(received(server), 20 * MIB);
});

test("an upload that brings no byte is given up, and is not reported as done", async (t) => {
  const { server, repository } = await setUp(t);
  const large = content(9 * MIB);
  server.fault({ method: "PATCH", times: 1000, action: { kind: "cut-request", atByte: 0 } });
  await assert.rejects(
    repository.putFrom(large.target, large.open),
    failsWith("REGISTRY_UNREACHABLE"),
  );
  assert.ok(server.seen("PATCH").length <= 10, "a bounded number of tries");
  assert.equal(await repository.has(large.target), false);
});

test("a registry that throttles is given the time it asks for", async (t) => {
  const { server, repository, pauses } = await setUp(t);
  const large = content(9 * MIB);
  server.fault({
    method: "POST",
    action: { kind: "answer", status: 429, headers: { "retry-after": "7" } },
  });
  server.fault({
    method: "PATCH",
    action: { kind: "answer", status: 429, headers: { "retry-after": "11" } },
  });
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(server, large));
  assert.deepEqual(
    pauses.filter((ms) => ms >= 7000),
    [7000, 11_000],
  );
});

test("a registry that throttles for ever is said to do so", async (t) => {
  const { server, repository } = await setUp(t);
  server.fault({ method: "POST", times: 1000, action: { kind: "answer", status: 429 } });
  await assert.rejects(
    repository.putFrom(content(100).target, content(100).open),
    failsWith("REGISTRY_THROTTLED"),
  );
});

test("a part at the wrong byte is put right by asking", async (t) => {
  const { server, repository } = await setUp(t, { chunkBytes: 4 * MIB });
  const large = content(12 * MIB);
  server.fault({ method: "PATCH", action: { kind: "cut-request", atByte: 4 * MIB } });
  server.fault({
    method: "GET",
    path: "uploads",
    action: {
      kind: "change-answer",
      change: (answer) => ({ ...answer, headers: { ...answer.headers, range: `0-${MIB - 1}` } }),
    },
  });
  await repository.putFrom(large.target, large.open);
  assert.ok(
    server.requests.some(({ status }) => status === 416),
    "the registry refused the wrong byte",
  );
  assert.ok(holds(server, large));
});

test("a commit that fails is asked for again without sending the content again", async (t) => {
  const { server, registry, repository } = await setUp(t);
  const large = content(9 * MIB);
  server.fault({ method: "PUT", times: 3, action: { kind: "answer", status: 503 } });
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(server, large));
  assert.equal(registry.stats().bytesUploaded, 9 * MIB);
});

test("a commit whose answer is lost is found out", async (t) => {
  const { server, registry, repository } = await setUp(t);
  const large = content(9 * MIB);
  server.fault({ method: "PUT", action: { kind: "no-answer" } });
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(server, large));
  assert.equal(registry.stats().bytesResent, 0);
  const small = content(1000, 2);
  server.fault({ method: "PUT", action: { kind: "no-answer" } });
  await repository.putFrom(small.target, small.open);
  assert.ok(holds(server, small));
});

test("a session that the registry has lost is begun anew, and what is sent again is counted", async (t) => {
  const { server, registry, repository } = await setUp(t, { chunkBytes: 4 * MIB });
  const large = content(16 * MIB);
  server.fault({
    method: "PATCH",
    times: 1,
    action: { kind: "change-answer", change: (answer) => answer },
  });
  server.fault({ method: "PATCH", times: 1, action: { kind: "lose-sessions" } });
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(server, large));
  assert.equal(server.seen("POST").length, 2);
  assert.ok(
    registry.stats().bytesResent >= 4 * MIB && registry.stats().bytesResent <= 8 * MIB,
    `${registry.stats().bytesResent}`,
  );
});

test("content of another digest is refused and not there", async (t) => {
  const { server, repository } = await setUp(t);
  for (const size of [1000, 9 * MIB]) {
    const [right, wrong] = [content(size, 1), content(size, 2)];
    await assert.rejects(
      repository.putFrom(right.target, wrong.open),
      failsWith("DIGEST_MISMATCH"),
    );
    assert.equal(server.blobs.size, 0);
  }
});

test("content that is too short or too long never becomes a whole request", async (t) => {
  const { server, repository } = await setUp(t);
  const { target, bytes } = content(9 * MIB);
  for (const size of [9 * MIB - 1, 9 * MIB + 1])
    await assert.rejects(
      repository.putFrom({ ...target, size }, content(9 * MIB).open),
      failsWith("SIZE_MISMATCH"),
    );
  assert.equal(server.blobs.size, 0);
  assert.equal(bytes.byteLength, 9 * MIB);
});

test("a success that comes before the content was sent is not believed", async (t) => {
  const { server, repository } = await setUp(t);
  for (const [size, method] of [
    [9 * MIB, "PATCH"],
    [7 * MIB, "PUT"],
  ] as const) {
    const large = content(size);
    server.fault({ method, action: { kind: "answer", status: 201 } });
    await assert.rejects(
      repository.putFrom(large.target, large.open),
      failsWith("REGISTRY_PROTOCOL"),
    );
    assert.equal(await repository.has(large.target), false);
  }
});

test("a success of another kind is believed only when the blob is there", async (t) => {
  const { server, repository } = await setUp(t);
  const small = content(5000);
  server.fault({ method: "PUT", action: { kind: "answer", status: 200, isAfterBody: true } });
  await repository.putFrom(small.target, small.open);
  assert.ok(holds(server, small));
  const other = content(5000, 2);
  server.fault({
    method: "PUT",
    action: {
      kind: "change-answer",
      change: (answer) => (server.blobs.delete(other.target.digest), { ...answer, status: 200 }),
    },
  });
  await assert.rejects(
    repository.putFrom(other.target, other.open),
    failsWith("REGISTRY_PROTOCOL"),
  );
});

test("a registry that stores another digest is caught", async (t) => {
  const { server, repository } = await setUp(t);
  const small = content(5000);
  server.fault({
    method: "PUT",
    action: {
      kind: "change-answer",
      change: (answer) => ({
        ...answer,
        headers: { ...answer.headers, "docker-content-digest": `sha256:${"0".repeat(64)}` },
      }),
    },
  });
  await assert.rejects(
    repository.putFrom(small.target, small.open),
    failsWith("REGISTRY_PROTOCOL"),
  );
});

test("a body that is refused as too large goes in smaller parts", async (t) => {
  const { server, repository } = await setUp(t);
  const large = content(24 * MIB);
  server.fault({ method: "PATCH", times: 2, action: { kind: "answer", status: 413 } });
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(server, large));
  assert.ok(
    server
      .seen("PATCH")
      .filter(({ status }) => status === 202)
      .every(({ bytes }) => bytes <= 6 * MIB),
  );
});

test("the registry's smallest part is respected", async (t) => {
  const { server, repository } = await setUp(t, { chunkBytes: MIB }, { minChunk: 4 * MIB });
  const large = content(10 * MIB);
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(server, large));
  assert.deepEqual(
    server.seen("PATCH").map(({ bytes }) => bytes),
    [4 * MIB, 4 * MIB, 2 * MIB],
  );
});

test("a registry without PATCH gets one PUT", async (t) => {
  const { server, repository } = await setUp(t);
  const large = content(9 * MIB);
  server.fault({ method: "PATCH", times: 100, action: { kind: "answer", status: 405 } });
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(server, large));
  const next = content(9 * MIB, 2);
  await repository.putFrom(next.target, next.open);
  assert.equal(server.seen("PATCH").length, 1, "and it is remembered");
});

test("a registry that stops reading is left after the time allowed, and the upload goes on", async (t) => {
  const { server, repository } = await setUp(t, { timeouts: { idleMs: 300 } });
  const large = content(16 * MIB);
  server.fault({
    method: "PATCH",
    action: { kind: "stall-request", atByte: 3 * MIB, reached: () => undefined },
  });
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(server, large));
  assert.equal(received(server), 16 * MIB);
});

test("a source that fails in mid-upload fails the upload with its own error, and the session is cancelled", async (t) => {
  const { server, repository } = await setUp(t);
  const { target } = content(9 * MIB);
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(MIB);
    throw new Error("the disk went away");
  };
  await assert.rejects(repository.putFrom(target, failing), /the disk went away/);
  assert.equal(server.sessions.size, 0);
});

test("content of unknown digest is hashed on its way, also over a cut", async (t) => {
  const { server, repository } = await setUp(t);
  const large = content(20 * MIB);
  server.fault({ method: "PATCH", action: { kind: "cut-request", atByte: 5 * MIB + 7 } });
  assert.equal(
    await repository.ingestFrom({ size: large.target.size, open: large.open }),
    large.target.digest,
  );
  assert.ok(holds(server, large));
  for (const size of [0, 1, 65_537]) {
    const small = content(size, 3);
    assert.equal(
      await repository.ingest(small.open(0), size),
      small.target.digest,
      `${size} bytes`,
    );
    assert.ok(holds(server, small));
  }
});

test("content that can be read once is not pushed after a cut, and says so", async (t) => {
  const { server, repository } = await setUp(t);
  const large = content(12 * MIB);
  server.fault({ method: "PATCH", action: { kind: "cut-request", atByte: 5 * MIB } });
  await assert.rejects(
    repository.ingest(large.open(0), large.target.size),
    failsWith("REGISTRY_UNREACHABLE"),
  );
  assert.equal(server.blobs.size, 0);
  assert.equal(server.sessions.size, 0, "the session is cancelled");
});

/* ---- tokens and other hosts ---- */

for (const kind of ["basic", "token"] as const) {
  test(`a push with ${kind} auth asks once and pushes`, async (t) => {
    const { server, repository } = await setUp(t, {}, { auth: { kind, ...USER } });
    const large = content(9 * MIB);
    await repository.putFrom(large.target, large.open);
    assert.ok(holds(server, large));
    assert.equal(await repository.has(large.target), true);
    assert.ok(server.seen("GET", "/token").length <= 2, "one token to push, one at most to read");
  });
}

test("a token that ends in mid-push is renewed once, and the push goes on", async (t) => {
  const { server, repository } = await setUp(
    t,
    { chunkBytes: 4 * MIB },
    { auth: { kind: "token", ...USER } },
  );
  const large = content(16 * MIB);
  server.fault({ method: "PATCH", action: { kind: "change-answer", change: (answer) => answer } });
  server.fault({ method: "PATCH", action: { kind: "expire-tokens" } });
  server.fault({ method: "PUT", path: "uploads", action: { kind: "expire-tokens" } });
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(server, large));
  assert.equal(received(server), 16 * MIB);
  assert.equal(server.seen("GET", "/token").length, 3);
});

test("a registry that refuses fresh tokens as well is believed", async (t) => {
  const { server, repository } = await setUp(t, {}, { auth: { kind: "token", ...USER } });
  const large = content(9 * MIB);
  server.fault({ method: "PATCH", times: 100, action: { kind: "expire-tokens" } });
  await assert.rejects(
    repository.putFrom(large.target, large.open),
    failsWith("REGISTRY_UNAUTHORIZED"),
  );
  assert.ok(server.seen("PATCH").length <= 3);
  assert.equal(server.blobs.size, 0);
});

test("a wrong password is told as such, with where it came from and without it", async (t) => {
  const server = await startFaultRegistry(t, { auth: { kind: "token", ...USER } });
  const keychain = createKeychain({
    environment: {
      DOCKER_AUTH_CONFIG: JSON.stringify({
        auths: { [server.host]: { auth: Buffer.from("tester:hunter2").toString("base64") } },
      }),
    },
    home: "/nonexistent",
  });
  await using registry = createRegistry({ host: server.host, keychain });
  await assert.rejects(registry.repository("a/b").has(content(1).target), (error: unknown) => {
    assert.ok(isToolError(error) && error.code === "REGISTRY_UNAUTHORIZED");
    assert.ok(!JSON.stringify([error.message, error.hint, error]).includes("hunter2"));
    return true;
  });
});

test("an upload location on another host gets the content without the credential", async (t) => {
  const { server, repository } = await setUp(t, {}, { auth: { kind: "basic", ...USER } });
  const storage = await startFaultRegistry(t);
  storage.sessions.set("elsewhere", []);
  const large = content(9 * MIB);
  server.fault({
    method: "POST",
    action: {
      kind: "change-answer",
      change: (answer) => ({
        ...answer,
        headers: {
          ...answer.headers,
          location: `http://${storage.host}/v2/team/model/blobs/uploads/elsewhere?X-Signature=a%2Fb%3D&_state=c`,
        },
      }),
    },
  });
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(storage, large));
  assert.ok(storage.requests.length >= 2);
  assert.ok(
    storage.requests.every(({ headers }) => headers.authorization === undefined),
    "no credential goes there",
  );
  assert.ok(
    storage.seen("PATCH")[0]?.path.includes("X-Signature=a%2Fb%3D&_state=c"),
    "the query is as the registry gave it",
  );
});

test("a download that is redirected to another host goes there without the credential", async (t) => {
  const { server, repository } = await setUp(t, {}, { auth: { kind: "token", ...USER } });
  const storage = await startFaultRegistry(t);
  const blob = content(100_000);
  storage.blobs.set(blob.target.digest, blob.bytes);
  server.fault({
    method: "GET",
    path: "/blobs/sha256",
    action: {
      kind: "answer",
      status: 307,
      headers: { location: `http://${storage.host}/v2/cdn/blobs/${blob.target.digest}?sig=secret` },
    },
  });
  assert.equal(await repository.has(blob.target), false, "by now the client has a token");
  assert.deepEqual(await collect(repository.open(blob.target)), blob.bytes);
  assert.equal(storage.requests.length, 1);
  assert.equal(storage.requests[0]?.headers.authorization, undefined);
});

test("redirects in a circle end", async (t) => {
  const { server, repository } = await setUp(t);
  const blob = content(10);
  server.fault({
    method: "GET",
    path: "/blobs/",
    times: 100,
    action: {
      kind: "answer",
      status: 302,
      headers: { location: `/v2/team/model/blobs/${blob.target.digest}` },
    },
  });
  await assert.rejects(collect(repository.open(blob.target)), failsWith("REGISTRY_PROTOCOL"));
  assert.ok(server.requests.length < 12);
});

/* ---- downloads ---- */

test("a download that is cut goes on with the byte where it was cut, and the whole is verified", async (t) => {
  const { server, repository } = await setUp(t);
  const blob = content(5 * MIB);
  server.blobs.set(blob.target.digest, blob.bytes);
  server.fault({
    method: "GET",
    path: "/blobs/",
    times: 3,
    action: { kind: "cut-answer", atByte: MIB },
  });
  assert.deepEqual(await collect(repository.open(blob.target)), blob.bytes);
  const ranges = server.seen("GET", "/blobs/").map(({ headers }) => headers.range);
  assert.equal(ranges.length, 4);
  assert.equal(ranges[0], undefined);
  assert.ok(ranges.slice(1).every((range) => range !== undefined));
});

test("a registry that ignores ranges gives the right bytes all the same", async (t) => {
  const { server, repository } = await setUp(t);
  const blob = content(3 * MIB);
  server.blobs.set(blob.target.digest, blob.bytes);
  server.fault({ method: "GET", path: "/blobs/", action: { kind: "cut-answer", atByte: MIB } });
  server.fault({
    method: "GET",
    path: "/blobs/",
    action: {
      kind: "change-answer",
      change: () => ({ status: 200, headers: {}, body: blob.bytes }),
    },
  });
  assert.deepEqual(await collect(repository.open(blob.target)), blob.bytes);
});

const LIES: readonly (readonly [
  string,
  readonly string[],
  (bytes: Buffer) => (answer: {
    status: number;
    headers: Readonly<Record<string, string>>;
    body: Buffer;
  }) => {
    status: number;
    headers: Readonly<Record<string, string>>;
    body: Buffer;
  },
])[] = [
  [
    "another byte",
    ["DIGEST_MISMATCH"],
    (bytes) => (answer) => ({
      ...answer,
      body: Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])]),
    }),
  ],
  [
    "fewer bytes",
    ["SIZE_MISMATCH"],
    (bytes) => (answer) => ({ ...answer, body: bytes.subarray(0, -1) }),
  ],
  [
    "more bytes",
    ["SIZE_MISMATCH"],
    (bytes) => (answer) => ({ ...answer, body: Buffer.concat([bytes, Buffer.from("x")]) }),
  ],
  [
    "a length that is too large",
    ["SIZE_MISMATCH"],
    (bytes) => (answer) => ({
      ...answer,
      headers: { ...answer.headers, "content-length": String(bytes.byteLength + 5) },
    }),
  ],
  [
    "a part nobody asked for",
    ["REGISTRY_PROTOCOL"],
    (bytes) => (answer) => ({
      status: 206,
      headers: {
        ...answer.headers,
        "content-range": `bytes 10-${bytes.byteLength - 1}/${bytes.byteLength}`,
      },
      body: bytes.subarray(10),
    }),
  ],
];
for (const [lie, codes, change] of LIES) {
  test(`a registry that serves ${lie} is caught`, async (t) => {
    const { server, repository } = await setUp(t);
    const blob = content(200_000);
    server.blobs.set(blob.target.digest, blob.bytes);
    server.fault({
      method: "GET",
      path: "/blobs/",
      times: 100,
      action: { kind: "change-answer", change: change(blob.bytes) },
    });
    await assert.rejects(collect(repository.open(blob.target)), failsWith(...codes));
  });
}

test("after a cut, wrong bytes under a right range are caught", async (t) => {
  const { server, repository } = await setUp(t);
  const blob = content(3 * MIB);
  server.blobs.set(blob.target.digest, blob.bytes);
  server.fault({ method: "GET", path: "/blobs/", action: { kind: "cut-answer", atByte: MIB } });
  server.fault({
    method: "GET",
    path: "/blobs/",
    action: {
      kind: "change-answer",
      change: (answer) => ({ ...answer, body: Buffer.alloc(answer.body.byteLength) }),
    },
  });
  await assert.rejects(collect(repository.open(blob.target)), failsWith("DIGEST_MISMATCH"));
});

test("a silent registry is left after the time allowed, and the download goes on", async (t) => {
  const { server, repository } = await setUp(t, { timeouts: { idleMs: 250 } });
  const blob = content(MIB);
  server.blobs.set(blob.target.digest, blob.bytes);
  server.fault({ method: "GET", path: "/blobs/", action: { kind: "stall-answer", atByte: 1000 } });
  assert.deepEqual(await collect(repository.open(blob.target)), blob.bytes);
});

test("a registry in trouble is asked again, a bounded number of times", async (t) => {
  const { server, repository } = await setUp(t);
  const blob = content(1000);
  server.blobs.set(blob.target.digest, blob.bytes);
  server.fault({
    path: "/blobs/",
    times: 3,
    action: { kind: "answer", status: 502, body: "<html>bad gateway</html>" },
  });
  assert.equal(await repository.has(blob.target), true);
  server.fault({ path: "/blobs/", times: 1000, action: { kind: "answer", status: 500 } });
  await assert.rejects(repository.has(blob.target), failsWith("REGISTRY_UNAVAILABLE"));
  assert.ok(server.requests.length < 15);
});

test("a manifest that is not what was asked for is caught", async (t) => {
  const { server, repository } = await setUp(t);
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.imageManifest,
      config: content(1).target,
      layers: [],
    }),
  );
  const target = {
    mediaType: MEDIA_TYPES.imageManifest,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  };
  await repository.put(
    target,
    (async function* () {
      yield bytes;
    })(),
  );
  await repository.tag(target, { registry: server.host, repository: "team/model", tag: "v1" });
  assert.equal(
    (await repository.resolve({ registry: server.host, repository: "team/model", tag: "v1" }))
      .digest,
    target.digest,
  );
  server.fault({
    method: "GET",
    path: "/manifests/",
    action: {
      kind: "change-answer",
      change: (answer) => ({ ...answer, body: Buffer.from(`${bytes.toString()} `) }),
    },
  });
  await assert.rejects(
    collect(repository.open(target)),
    failsWith("SIZE_MISMATCH", "DIGEST_MISMATCH"),
  );
});

/* ---- uploads that survive their process ---- */

for (const key of [undefined, "plan-1"]) {
  test(`a push whose process is killed is taken up by the next process${key === undefined ? "" : ", also when the digest is not known yet"}`, async (t) => {
    const server = await startFaultRegistry(t);
    await using state = await createTempDir("state");
    const size = 40 * MIB;
    const cut = 25 * MIB + 11;
    const reached = Promise.withResolvers<void>();
    server.fault({
      method: "PATCH",
      action: { kind: "stall-request", atByte: cut, reached: () => reached.resolve() },
    });
    const child = (): ReturnType<typeof spawn> =>
      spawn(
        process.execPath,
        [
          join(import.meta.dirname, "../support/push-child.ts"),
          server.host,
          state.path,
          "5",
          String(size),
          ...(key === undefined ? [] : [key]),
        ],
        { stdio: ["ignore", "pipe", "inherit"] },
      );

    const first = child();
    const gone = once(first, "exit");
    await reached.promise;
    first.kill("SIGKILL");
    await gone;
    assert.equal(server.blobs.size, 0);
    const [record = ""] = await readdir(join(state.path, "uploads"));
    assert.equal((await stat(join(state.path, "uploads", record))).mode & 0o777, 0o600);
    assert.ok((await readFile(join(state.path, "uploads", record), "utf8")).includes("location"));

    const second = child();
    const output = await collect(second.stdout as AsyncIterable<Uint8Array>);
    const done = JSON.parse(output.toString()) as {
      bytesUploaded: number;
      bytesResent: number;
      uploadsResumed: number;
      digest: string;
    };
    assert.equal(done.uploadsResumed, 1);
    assert.equal(done.bytesUploaded, size - cut, "only the rest was sent");
    assert.equal(received(server), size, "the registry got every byte once");
    assert.equal(digestOf(server.blobs.get(done.digest) ?? Buffer.alloc(0)), done.digest);
    assert.deepEqual(await readdir(join(state.path, "uploads")), [], "nothing is left to remember");
  });
}

test("an upload that was aborted is remembered, and taken up by the next one", async (t) => {
  await using state = await createTempDir("state");
  const { server, registry, repository } = await setUp(t, {
    stateDir: state.path,
    chunkBytes: 4 * MIB,
  });
  const large = content(20 * MIB);
  const controller = new AbortController();
  const reason = new Error("enough");
  server.fault({
    method: "PATCH",
    times: 2,
    action: { kind: "change-answer", change: (answer) => answer },
  });
  server.fault({
    method: "PATCH",
    action: { kind: "stall-request", atByte: MIB, reached: () => controller.abort(reason) },
  });
  await assert.rejects(
    repository.putFrom(large.target, large.open, { signal: controller.signal }),
    (error: unknown) => error === reason,
  );
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(server, large));
  assert.equal(registry.stats().uploadsResumed, 1);
  assert.ok(received(server) <= 20 * MIB + MIB);
});

test("a remembered session that the registry no longer knows costs a new one, no more", async (t) => {
  await using state = await createTempDir("state");
  const { server, repository } = await setUp(t, { stateDir: state.path });
  const large = content(10 * MIB);
  const controller = new AbortController();
  server.fault({
    method: "PATCH",
    action: {
      kind: "stall-request",
      atByte: MIB,
      reached: () => controller.abort(new Error("enough")),
    },
  });
  await assert.rejects(
    repository.putFrom(large.target, large.open, { signal: controller.signal }),
    /enough/,
  );
  server.sessions.clear();
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(server, large));
});

test("a remembered session that holds other bytes is found out by the digest and begun anew", async (t) => {
  await using state = await createTempDir("state");
  const { server, repository } = await setUp(t, { stateDir: state.path });
  const large = content(10 * MIB);
  const controller = new AbortController();
  server.fault({
    method: "PATCH",
    action: {
      kind: "stall-request",
      atByte: MIB,
      reached: () => controller.abort(new Error("enough")),
    },
  });
  await assert.rejects(
    repository.putFrom(large.target, large.open, { signal: controller.signal }),
    /enough/,
  );
  for (const [id, chunks] of server.sessions)
    server.sessions.set(
      id,
      chunks.map((chunk) => Buffer.alloc(chunk.byteLength)),
    );
  await repository.putFrom(large.target, large.open);
  assert.ok(holds(server, large));
  assert.equal(server.blobs.size, 1);
});
