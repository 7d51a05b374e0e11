import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, stat, utimes, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { guardOf, planOf } from "../../src/ground/bytes/index.ts";
import { digestOf, type Descriptor, type Reference } from "../../src/images/oci/index.ts";
import {
  createRegistryServer,
  type RequestLogEntry,
} from "../../src/images/registry-server/index.ts";
import type { Store } from "../../src/images/store/index.ts";
import {
  blobOf,
  randomBlob,
  send,
  startRegistry,
  type Blob,
  type RegistryFixture,
} from "../support/registry-fixture.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar";
const CONFIG = "application/vnd.oci.image.config.v1+json";

async function startUpload(registry: RegistryFixture, name = "team/iris"): Promise<string> {
  const answer = await registry.send("POST", `/v2/${name}/blobs/uploads/`, {
    headers: { "Content-Length": "0" },
  });
  assert.equal(answer.status, 202);
  return answer.headers.location ?? assert.fail("an upload has a location");
}

async function putBlob(store: Store, bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
  const target: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  await store.put(target, chunked(bytes));
  return target;
}

async function* chunked(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** An image in the store whose one layer is a recipe over a file. */
async function putPlannedImage(
  registry: RegistryFixture,
  reference: Reference,
): Promise<{ readonly layer: Descriptor; readonly content: Buffer; readonly path: string }> {
  const { store } = registry;
  const path = join(await mkdtemp(join(registry.folder, "weights-")), "weights.bin");
  const weights = Buffer.alloc(3_000_000, "weights ");
  await writeFile(path, weights);
  const content = Buffer.concat([Buffer.from("head"), weights]);
  const layer: Descriptor = {
    mediaType: LAYER,
    digest: digestOf(content),
    size: content.byteLength,
  };
  await store.putPlan(
    layer,
    planOf([
      { kind: "bytes", bytes: Buffer.from("head") },
      { kind: "file", path, guard: guardOf(await stat(path, { bigint: true })) },
    ]),
  );
  const config = await putBlob(
    store,
    Buffer.from(
      `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["${layer.digest}"]}}`,
    ),
    CONFIG,
  );
  const manifest = await putBlob(
    store,
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] })),
    MANIFEST,
  );
  await store.tag(manifest, reference);
  return { layer, content, path };
}

async function rawSocket(registry: RegistryFixture): Promise<Socket> {
  const socket = connect(registry.server.port, registry.server.host);
  await once(socket, "connect");
  return socket;
}

async function rawExchange(registry: RegistryFixture, text: string): Promise<string> {
  const socket = await rawSocket(registry);
  socket.write(text);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

test("images of the store are repositories, and a recipe's content is streamed from its files", async () => {
  await using registry = await startRegistry();
  const { layer, content } = await putPlannedImage(registry, {
    registry: "store",
    repository: "iris",
    tag: "v1",
  });
  const manifest = await registry.send("GET", "/v2/iris/manifests/v1");
  assert.equal(manifest.status, 200);
  const { layers } = JSON.parse(manifest.body.toString());
  assert.equal(layers[0].digest, layer.digest);
  assert.deepEqual((await registry.send("GET", `/v2/iris/blobs/${layer.digest}`)).body, content);
  const part = await registry.send("GET", `/v2/iris/blobs/${layer.digest}`, {
    headers: { Range: "bytes=2-1048580" },
  });
  assert.deepEqual([part.status, part.body.equals(content.subarray(2, 1_048_581))], [206, true]);
  assert.equal(await registry.store.blobPath(layer.digest), undefined);
});

test("images of other registries are visible under their whole name, if it is a legal one", async () => {
  await using registry = await startRegistry();
  const { layer } = await putPlannedImage(registry, {
    registry: "docker.io",
    repository: "library/python",
    tag: "3.11",
  });
  await putPlannedImage(registry, {
    registry: "localhost:5000",
    repository: "team/iris",
    tag: "v1",
  });
  assert.equal(
    (await registry.send("GET", "/v2/docker.io/library/python/manifests/3.11")).status,
    200,
  );
  assert.equal(
    (await registry.send("HEAD", `/v2/docker.io/library/python/blobs/${layer.digest}`)).status,
    200,
  );
  assert.deepEqual(JSON.parse((await registry.send("GET", "/v2/_catalog")).body.toString()), {
    repositories: ["docker.io/library/python"],
  });
});

test("what is pushed is in the store under its name, and the reverse way round", async () => {
  await using registry = await startRegistry();
  const config = blobOf(`{"architecture":"amd64","os":"linux"}`);
  await registry.send("POST", `/v2/team/iris/blobs/uploads/?digest=${config.digest}`, {
    body: config.bytes,
  });
  const manifest = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: CONFIG, digest: config.digest, size: config.size },
      layers: [],
    }),
  );
  assert.equal(
    (
      await registry.send("PUT", "/v2/team/iris/manifests/v1", {
        body: manifest.bytes,
        headers: { "Content-Type": MANIFEST },
      })
    ).status,
    201,
  );
  const reference: Reference = { registry: "store", repository: "team/iris", tag: "v1" };
  assert.equal((await registry.store.resolve(reference)).digest, manifest.digest);
  await registry.store.untag(reference);
  assert.equal((await registry.send("GET", "/v2/team/iris/manifests/v1")).status, 404);
});

test("a recipe whose file changed is not there; one that changes while it is sent is cut off", async () => {
  await using registry = await startRegistry();
  const { layer, path } = await putPlannedImage(registry, {
    registry: "store",
    repository: "iris",
    tag: "v1",
  });
  const socket = await rawSocket(registry);
  socket.write(`GET /v2/iris/blobs/${layer.digest} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await once(socket, "readable");
  await utimes(path, 1, 1);
  let received = 0;
  socket.on("data", (chunk: Buffer) => (received += chunk.byteLength));
  await once(socket, "close");
  assert.ok(received < layer.size, `${received} bytes came`);
  assert.equal((await registry.send("HEAD", `/v2/iris/blobs/${layer.digest}`)).status, 404);
  assert.equal((await registry.send("GET", "/v2/iris/manifests/v1")).status, 200);
});

test("an upload goes on after the registry was started anew", async () => {
  await using registry = await startRegistry();
  const blob = randomBlob(200_000);
  const location = await startUpload(registry);
  assert.equal(
    (await registry.send("PATCH", location, { body: blob.bytes.subarray(0, 100_000) })).status,
    202,
  );
  await registry.server.close();
  await using again = await createRegistryServer({ store: registry.store });
  const status = await send(again, { method: "GET", path: location });
  assert.deepEqual([status.status, status.headers.range], [204, "0-99999"]);
  const closing = await send(again, {
    method: "PUT",
    path: `${location}?digest=${blob.digest}`,
    body: blob.bytes.subarray(100_000),
  });
  assert.equal(closing.status, 201);
  assert.deepEqual(
    (await send(again, { method: "GET", path: `/v2/team/iris/blobs/${blob.digest}` })).body,
    blob.bytes,
  );
});

test("bytes that came before the client vanished are kept, and the upload goes on behind them", async () => {
  const entries: RequestLogEntry[] = [];
  const { promise: cut, resolve } = Promise.withResolvers<void>();
  await using registry = await startRegistry({
    onRequest: (entry) => {
      entries.push(entry);
      if (entry.method === "PATCH") resolve();
    },
  });
  const blob = randomBlob(2_000_000);
  const location = await startUpload(registry);
  const socket = await rawSocket(registry);
  socket.write(
    `PATCH ${location} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${blob.size}\r\n\r\n`,
  );
  socket.write(blob.bytes.subarray(0, 1_500_000), () => socket.destroy());
  await cut;
  const status = await registry.send("GET", location);
  const offset = Number(/^0-(\d+)$/.exec(status.headers.range ?? "")?.[1] ?? 0) + 1;
  assert.ok(offset > 1 && offset <= 1_500_000, `${offset} bytes were kept`);
  const closing = await registry.send("PUT", `${location}?digest=${blob.digest}`, {
    body: blob.bytes.subarray(offset),
    headers: { "Content-Range": `${offset}-${blob.size - 1}` },
  });
  assert.equal(closing.status, 201);
});

test("a client that comes back takes its upload over from its own dead connection", async () => {
  await using registry = await startRegistry();
  const blob = randomBlob(2_000_000);
  const location = await startUpload(registry);
  const dead = await rawSocket(registry);
  let refusal = "";
  dead.on("data", (chunk: Buffer) => (refusal += chunk.toString()));
  dead.write(
    `PATCH ${location} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${blob.size}\r\n\r\n`,
  );
  dead.write(blob.bytes.subarray(0, 1_500_000));
  // From here on the first request holds the upload, and its sender is silent.
  while ((await registry.send("GET", location)).headers.range === "0-0");
  const { status, headers } = await registry.send("PATCH", location, { body: "" });
  const offset = Number(headers.range?.slice(2)) + 1;
  assert.ok(status === 202 && offset > 1 && offset <= 1_500_000, `${status}, ${offset} bytes`);
  const answer = await registry.send("PUT", `${location}?digest=${blob.digest}`, {
    body: blob.bytes.subarray(offset),
    headers: { "Content-Range": `${offset}-${blob.size - 1}` },
  });
  assert.equal(answer.status, 201);
  assert.match(refusal, /^HTTP\/1\.1 409 /);
  dead.destroy();
});

test("uploads are bounded in number, and idle ones make room", async () => {
  await using registry = await startRegistry({ maxSessions: 2, maxSessionIdleMs: 60_000 });
  const first = await startUpload(registry);
  const second = await startUpload(registry);
  const refused = await registry.send("POST", "/v2/team/iris/blobs/uploads/", {
    headers: { "Content-Length": "0" },
  });
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers["retry-after"]) > 0);
  assert.equal(JSON.parse(refused.body.toString()).errors[0].code, "TOOMANYREQUESTS");
  const id = first.split("/").at(-1) ?? "";
  await utimes(join(registry.store.dataDir, "registry/uploads", id, "data"), 1, 1);
  await startUpload(registry);
  assert.equal((await registry.send("GET", first)).status, 404);
  assert.equal((await registry.send("GET", second)).status, 204);
});

test("uploads that were given up long ago go when the registry starts", async () => {
  await using registry = await startRegistry();
  const [old, young] = [await startUpload(registry), await startUpload(registry)];
  const id = old.split("/").at(-1) ?? "";
  for (const path of ["", "data"])
    await utimes(join(registry.store.dataDir, "registry/uploads", id, path), 1, 1);
  await using again = await createRegistryServer({ store: registry.store });
  assert.deepEqual(
    [
      (await send(again, { method: "GET", path: old })).status,
      (await send(again, { method: "GET", path: young })).status,
    ],
    [404, 204],
  );
});

test("what a collection took is not there any more, and can be pushed again", async () => {
  await using registry = await startRegistry();
  const blob = randomBlob();
  const push = async (): Promise<number> =>
    (
      await registry.send("POST", `/v2/a/blobs/uploads/?digest=${blob.digest}`, {
        body: blob.bytes,
      })
    ).status;
  assert.equal(await push(), 201);
  await registry.store.removeBlob(digestOf(blob.bytes));
  for (let at = 0; at < 2; at += 1)
    assert.equal((await registry.send("HEAD", `/v2/a/blobs/${blob.digest}`)).status, 404);
  assert.equal(await push(), 201);
  assert.equal((await registry.send("HEAD", `/v2/a/blobs/${blob.digest}`)).status, 200);
});

test("a finished or failed upload leaves no file behind", async () => {
  await using registry = await startRegistry();
  const blob = randomBlob();
  await registry.send("POST", `/v2/a/blobs/uploads/?digest=${blob.digest}`, { body: blob.bytes });
  await registry.send("POST", `/v2/a/blobs/uploads/?digest=${blob.digest}`, {
    body: "something else",
  });
  await registry.send("PUT", `${await startUpload(registry)}?digest=${blob.digest}`, {
    body: blob.bytes,
  });
  assert.deepEqual(await readdir(join(registry.store.dataDir, "registry/uploads")), []);
});

test("a read-only registry gives and takes nothing", async () => {
  await using registry = await startRegistry({ readOnly: true });
  const { layer } = await putPlannedImage(registry, {
    registry: "store",
    repository: "iris",
    tag: "v1",
  });
  assert.equal((await registry.send("GET", `/v2/iris/blobs/${layer.digest}`)).status, 200);
  const writes = [
    ["POST", "/v2/iris/blobs/uploads/"],
    ["PUT", "/v2/iris/manifests/v2"],
    ["DELETE", "/v2/iris/manifests/v1"],
    ["DELETE", `/v2/iris/blobs/${layer.digest}`],
  ] as const;
  for (const [method, path] of writes)
    assert.equal(
      (await registry.send(method, path, { body: "{}" })).status,
      405,
      `${method} ${path}`,
    );
});

test("referrers come by pages", async () => {
  await using registry = await startRegistry({ pageSize: 2 });
  const config = blobOf("{}");
  await registry.send("POST", `/v2/a/blobs/uploads/?digest=${config.digest}`, {
    body: config.bytes,
  });
  const subject = { mediaType: MANIFEST, digest: randomBlob().digest, size: 3 };
  const digests: string[] = [];
  for (let at = 0; at < 5; at += 1) {
    const manifest = blobOf(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        artifactType: at === 0 ? "application/a" : "application/b",
        config: { mediaType: "application/vnd.oci.empty.v1+json", digest: config.digest, size: 2 },
        layers: [],
        subject,
        annotations: { at: String(at) },
      }),
    );
    assert.equal(
      (
        await registry.send("PUT", `/v2/a/manifests/${manifest.digest}`, {
          body: manifest.bytes,
          headers: { "Content-Type": MANIFEST },
        })
      ).status,
      201,
    );
    digests.push(manifest.digest);
  }
  const follow = async (start: string): Promise<string[]> => {
    const seen: string[] = [];
    for (let path: string | undefined = start; path !== undefined;) {
      const answer = await registry.send("GET", path);
      seen.push(
        ...JSON.parse(answer.body.toString()).manifests.map(
          (entry: { digest: string }) => entry.digest,
        ),
      );
      path = /<([^>]*)>; rel="next"/.exec(String(answer.headers["link"] ?? ""))?.[1];
    }
    return seen;
  };
  assert.deepEqual(await follow(`/v2/a/referrers/${subject.digest}`), digests.toSorted());
  assert.deepEqual(
    await follow(`/v2/a/referrers/${subject.digest}?artifactType=application/b`),
    digests.slice(1).toSorted(),
  );
});

const HOSTILE: readonly (readonly [string, string, readonly number[]])[] = [
  ["a path out of the store", "/v2/../../etc/passwd/blobs/x", [400, 404]],
  ["an encoded path out of the store", "/v2/%2e%2e/%2e%2e/manifests/latest", [400]],
  ["a NUL in a name", "/v2/a%00b/tags/list", [400]],
  ["a broken escape", "/v2/%zz/tags/list", [400]],
  ["an upper-case name", "/v2/Team/iris/tags/list", [400]],
  ["a name of 300 letters", `/v2/${"a".repeat(300)}/tags/list`, [400]],
  ["a tag of 200 letters", `/v2/a/manifests/${"a".repeat(200)}`, [404]],
  ["a tag that is a path", "/v2/a/manifests/..", [404]],
  ["a digest with a path in it", "/v2/a/blobs/sha256:..%2f..%2fetc%2fpasswd", [400, 404]],
  ["an upload that is a path", "/v2/a/blobs/uploads/..", [404]],
  ["an unknown endpoint", "/v2/a/nothing/here", [404]],
  ["a path outside the protocol", "/etc/passwd", [404]],
  ["a whole URL", "http://127.0.0.1/v2/", [404]],
  ["an asterisk", "*", [404]],
];
for (const [what, path, statuses] of HOSTILE) {
  test(`${what} is refused with an error body`, async () => {
    await using registry = await startRegistry();
    const answer = await registry.send("GET", path);
    assert.ok(statuses.includes(answer.status), `${answer.status}`);
    assert.match(JSON.parse(answer.body.toString()).errors[0].code, /^[A-Z_]+$/);
  });
}

test("methods that do not go with a path are 405 with a list of those that do", async () => {
  await using registry = await startRegistry();
  for (const method of ["POST", "TRACE", "PROPFIND"]) {
    const answer = await registry.send(method, "/v2/a/tags/list");
    assert.deepEqual([answer.status, answer.headers.allow], [405, "GET, HEAD"]);
  }
});

test("pages in a browser are kept out: requests with an origin, and names that point at this machine", async () => {
  await using registry = await startRegistry();
  assert.equal(
    (await registry.send("GET", "/v2/", { headers: { Origin: "https://evil.example" } })).status,
    403,
  );
  assert.equal(
    (await registry.send("GET", "/v2/", { headers: { Host: "evil.example" } })).status,
    403,
  );
  for (const host of ["localhost:5000", "127.0.0.1", "[::1]:80"])
    assert.equal((await registry.send("GET", "/v2/", { headers: { Host: host } })).status, 200);
});

test("headers without end are refused, and garbage does not stop the registry", async () => {
  await using registry = await startRegistry();
  assert.match(
    await rawExchange(
      registry,
      `GET /v2/ HTTP/1.1\r\nHost: localhost\r\nX-Long: ${"x".repeat(40_000)}\r\n\r\n`,
    ),
    /^HTTP\/1\.1 431 /,
  );
  assert.match(await rawExchange(registry, "\0\x01garbage\r\n\r\n"), /^HTTP\/1\.1 400 /);
  assert.match(
    await rawExchange(
      registry,
      "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    /^HTTP\/1\.1 400 /,
  );
  assert.equal((await registry.send("GET", "/v2/")).status, 200);
});

const MANIFESTS: readonly (readonly [string, string])[] = [
  ["no JSON", "{"],
  ["bytes that are no UTF-8", "\xff"],
  ["a list", "[]"],
  ["null", "null"],
  [
    "another schema version",
    `{"schemaVersion":1,"mediaType":"${MANIFEST}","config":{},"layers":[]}`,
  ],
  [
    "another media type than announced",
    `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`,
  ],
  ["no config", `{"schemaVersion":2,"layers":[]}`],
  [
    "both kinds at once",
    `{"schemaVersion":2,"config":{"mediaType":"a","digest":"${randomBlob().digest}","size":1},"layers":[],"manifests":[]}`,
  ],
  [
    "a digest that is none",
    `{"schemaVersion":2,"config":{"mediaType":"a","digest":"sha256:../../x","size":1},"layers":[]}`,
  ],
  [
    "a negative size",
    `{"schemaVersion":2,"config":{"mediaType":"a","digest":"${randomBlob().digest}","size":-1},"layers":[]}`,
  ],
  [
    "layers that are no list",
    `{"schemaVersion":2,"config":{"mediaType":"a","digest":"${randomBlob().digest}","size":1},"layers":{"length":1}}`,
  ],
  [
    "more layers than there can be",
    `{"schemaVersion":2,"config":{"mediaType":"a","digest":"${randomBlob().digest}","size":1},"layers":[${"0,".repeat(20_000)}0]}`,
  ],
  ["deep nesting", `${"[".repeat(100_000)}`],
];
for (const [what, text] of MANIFESTS) {
  test(`a manifest of ${what} is 400 MANIFEST_INVALID`, async () => {
    await using registry = await startRegistry();
    const answer = await registry.send("PUT", "/v2/a/manifests/x", {
      body: Buffer.from(text, "latin1"),
      headers: { "Content-Type": MANIFEST },
    });
    assert.deepEqual(
      [answer.status, JSON.parse(answer.body.toString()).errors[0].code],
      [400, "MANIFEST_INVALID"],
    );
  });
}

test("a layer that claims to be a manifest does not make the registry read it as one", async () => {
  await using registry = await startRegistry();
  const layer: Blob = randomBlob(5 << 20);
  await registry.send("POST", `/v2/a/blobs/uploads/?digest=${layer.digest}`, { body: layer.bytes });
  const manifest = blobOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: MANIFEST, digest: layer.digest, size: layer.size },
      layers: [],
    }),
  );
  await registry.send("PUT", "/v2/a/manifests/x", {
    body: manifest.bytes,
    headers: { "Content-Type": MANIFEST },
  });
  assert.equal((await registry.send("GET", "/v2/a/manifests/x")).status, 200);
  assert.equal((await registry.send("HEAD", `/v2/a/blobs/${layer.digest}`)).status, 200);
  const other = await registry.send("HEAD", `/v2/a/blobs/${randomBlob().digest}`);
  assert.equal(other.status, 404);
  await registry.store.gc();
});

test("a client that stops reading does not hold the others up", async () => {
  await using registry = await startRegistry();
  const { layer } = await putPlannedImage(registry, {
    registry: "store",
    repository: "iris",
    tag: "v1",
  });
  const slow = await rawSocket(registry);
  slow.pause();
  slow.write(`GET /v2/iris/blobs/${layer.digest} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  assert.equal(
    (await registry.send("GET", `/v2/iris/blobs/${layer.digest}`)).body.byteLength,
    layer.size,
  );
  slow.destroy();
});

test("closing lets a running download end and takes no new one", async () => {
  await using registry = await startRegistry();
  const { layer } = await putPlannedImage(registry, {
    registry: "store",
    repository: "iris",
    tag: "v1",
  });
  const socket = await rawSocket(registry);
  socket.write(
    `GET /v2/iris/blobs/${layer.digest} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
  );
  await once(socket, "readable");
  const closed = registry.server.close(30_000);
  await assert.rejects(registry.send("GET", "/v2/"), { code: "ECONNREFUSED" });
  let received = 0;
  for await (const chunk of socket) received += (chunk as Buffer).byteLength;
  assert.ok(received > layer.size);
  await closed;
});

test("closing cuts what does not end in time", async () => {
  await using registry = await startRegistry();
  const location = await startUpload(registry);
  const socket = await rawSocket(registry);
  socket.on("error", () => undefined);
  socket.write(`PATCH ${location} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n12345`);
  const ended = new Promise((resolve) => socket.once("close", resolve)); // by a reset, too
  await registry.server.close(1);
  await ended;
});

test("a port that is taken is named", async () => {
  await using registry = await startRegistry();
  await assert.rejects(
    createRegistryServer({ store: registry.store, port: registry.server.port }),
    { code: "PORT_TAKEN", message: new RegExp(`127\\.0\\.0\\.1:${registry.server.port}`) },
  );
});
