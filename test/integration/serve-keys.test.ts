import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createTempDir } from "../../src/ground/process/index.ts";
import type { ModelDescription } from "../../src/models/description/index.ts";
import { createLogger, serveModel, type RunningServer } from "../../src/serving/server/index.ts";
import { parseKeys } from "../../src/serving/server/keys/parse-keys.ts";

const ANN = "ann-has-a-long-key";
const BOB = "bob-has-a-long-key";
const ROOT = "root-has-a-long-key";
const KEYS = parseKeys(
  `ann ${ANN}\nbob ${BOB} rate=1/m burst=2\nroot ${ROOT} scopes=infer,manage`,
  "the test",
);

const SOURCE = "export class Model { predict(x) { return x; } }";

interface Served {
  readonly server: RunningServer;
  readonly url: string;
  readonly lines: readonly string[];
}

async function serve(t: TestContext): Promise<Served> {
  const folder = await createTempDir("keys");
  t.after(() => folder[Symbol.asyncDispose]());
  await writeFile(join(folder.path, "model.mjs"), SOURCE);
  const description: ModelDescription = {
    ...{ schemaVersion: 1, name: "m", kind: "class", contract: "kserve", service: "MODEL" },
    codePath: folder.path,
    code: { file: "model.mjs", name: "Model", language: "javascript" },
    ports: { http: 0, grpc: 0, metrics: 0 },
    server: {},
  };
  const lines: string[] = [];
  const server = await serveModel(description, {
    host: "127.0.0.1",
    keys: KEYS,
    observe: { logsRequests: true },
    log: createLogger({ write: (line) => lines.push(line) }),
  });
  t.after(() => server[Symbol.asyncDispose]());
  return { server, url: `http://127.0.0.1:${server.ports.http}`, lines };
}

const BODY = JSON.stringify({ data: { ndarray: [[1, 2]] } });
const V2_BODY = JSON.stringify({
  inputs: [{ name: "x", datatype: "FP64", shape: [1, 2], data: [1, 2] }],
});

function bearer(key: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${key}` };
}

test("over REST a server with keys answers probes without one, and every protocol's call with one", async (t) => {
  const { server, url, lines } = await serve(t);
  const get = (path: string, headers = {}): Promise<Response> => fetch(url + path, { headers });
  const post = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    fetch(url + path, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: path.startsWith("/v2") ? V2_BODY : BODY,
    });

  await t.test("probes and the page's files are open", async () => {
    for (const path of [
      ...["/live", "/ready", "/health/ping", "/health/status", "/health"],
      ...["/v2/health/live", "/v2/health/ready", "/v2/models/m/ready"],
    ])
      assert.equal((await get(path)).status, 200, path);
    assert.notEqual((await get("/")).status, 401);
    const metrics = await fetch(`http://127.0.0.1:${server.ports.metrics}/metrics`);
    assert.equal(metrics.status, 200, "the port of its own is for scrapers");
  });

  await t.test(
    "everything else is refused in the words of its protocol, before its body is read",
    async () => {
      for (const path of ["/metrics", "/openapi.json", "/ui/server.json", "/v2", "/v1/models/m"])
        assert.equal((await get(path)).status, 401, path);
      const v2 = await post("/v2/models/m/infer", bearer("nobody-has-this-key"));
      assert.equal(v2.status, 401);
      assert.equal(v2.headers.get("www-authenticate"), 'Bearer realm="slipway"');
      assert.match(((await v2.json()) as { error: string }).error, /not known here/);
      const seldon = await post("/api/v1.0/predictions");
      assert.equal(seldon.status, 401);
      assert.match(JSON.stringify(await seldon.json()), /shows no API key/);
      for (const path of ["/predict", "/v1/models/m:predict", "/service", "/v2/models/m/generate"])
        assert.equal((await post(path)).status, 401, path);
    },
  );

  await t.test("a key in either header is let in", async () => {
    assert.equal((await post("/api/v1.0/predictions", bearer(ANN))).status, 200);
    assert.equal((await post("/predict", { "x-api-key": ANN })).status, 200);
    assert.equal((await post("/v2/models/m/infer", bearer(ANN))).status, 200);
    const api = (await (await get("/openapi.json", bearer(ANN))).json()) as {
      readonly security: unknown;
    };
    assert.deepEqual(api.security, [{ bearer: [] }, { header: [] }]);
  });

  await t.test("only a key with the scope manages models", async () => {
    const path = "/v2/repository/models/m/load";
    const load = (key: string): Promise<Response> =>
      fetch(url + path, { method: "POST", headers: bearer(key) });
    assert.equal((await load(ANN)).status, 403);
    assert.equal((await load(ROOT)).status, 200);
  });

  await t.test("a key's rate bounds its holder alone, and says when to come back", async () => {
    const ask = (): Promise<Response> => post("/v2/models/m/infer", bearer(BOB));
    assert.deepEqual([(await ask()).status, (await ask()).status], [200, 200]);
    for (const answer of [await ask(), await post("/predict", bearer(BOB))]) {
      assert.equal(answer.status, 429);
      const seconds = Number(answer.headers.get("retry-after"));
      assert.ok(seconds > 50 && seconds <= 60, `${seconds} s`);
    }
    assert.equal((await post("/v2/models/m/infer", bearer(ANN))).status, 200);
  });

  await t.test(
    "what came of keys is counted by their names, and no key is written anywhere",
    async () => {
      const text = await (await get("/metrics", bearer(ANN))).text();
      assert.match(text, /slipway_key_requests_total\{key="bob",outcome="rate"\} 2\.0\n/);
      assert.match(text, /slipway_key_requests_total\{key="",outcome="unknown"\} 1\.0\n/);
      assert.match(text, /slipway_key_requests_total\{key="ann",outcome="scope"\} 1\.0\n/);
      const written = text + lines.join("");
      assert.match(written, /"path":"\/predict"|predict/);
      for (const key of [ANN, BOB, ROOT, "nobody-has-this-key"]) assert.ok(!written.includes(key));
    },
  );

  await t.test("exchanged keys hold from the next request on", async () => {
    server.replaceKeys(parseKeys("eve eve-has-a-long-key", "the test"));
    assert.equal((await post("/predict", bearer(ANN))).status, 401);
    assert.equal((await post("/predict", bearer("eve-has-a-long-key"))).status, 200);
  });
});

const V2 = "/inference.GRPCInferenceService/";

/** Calls a method with raw bytes; its status, and the trailer of when to try again. */
function call(client: Client, path: string, key?: string): Promise<readonly [number, unknown]> {
  const metadata = new Metadata();
  if (key !== undefined) metadata.set("authorization", `Bearer ${key}`);
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    const done = (error: ServiceError | null): void =>
      resolve([error?.code ?? 0, error?.metadata.get("retry-after")[0]]);
    client.makeUnaryRequest(path, same, same, Buffer.alloc(0), metadata, done);
  });
}

test("over gRPC the key is metadata, and the messages of a stream count each", async (t) => {
  const { server } = await serve(t);
  const client = new Client(`127.0.0.1:${server.ports.grpc}`, credentials.createInsecure());
  t.after(() => client.close());
  for (const open of ["/grpc.health.v1.Health/Check", `${V2}ServerLive`, `${V2}ServerReady`])
    assert.deepEqual(await call(client, open), [0, undefined], open);
  assert.deepEqual(await call(client, `${V2}ServerMetadata`), [16, undefined]);
  assert.deepEqual(await call(client, `${V2}ServerMetadata`, "nobody-has-this-key"), [
    16,
    undefined,
  ]);
  assert.deepEqual(await call(client, "/seldon.protos.Model/Predict"), [16, undefined]);
  assert.deepEqual(await call(client, `${V2}ServerMetadata`, ANN), [0, undefined]);
  assert.deepEqual(await call(client, `${V2}RepositoryModelLoad`, ANN), [7, undefined]);
  const metadata = new Metadata();
  metadata.set("x-api-key", BOB);
  const same = (bytes: Buffer): Buffer => bytes;
  const stream = client.makeBidiStreamRequest(`${V2}ModelStreamInfer`, same, same, metadata);
  const ended = new Promise<ServiceError>((resolve) => stream.on("error", resolve));
  let answers = 0;
  stream.on("data", () => (answers += 1));
  for (let count = 0; count < 3; count += 1) stream.write(Buffer.alloc(0));
  const { code, metadata: trailers } = await ended;
  assert.equal(code, 8, "the third message is one too many");
  assert.ok(answers <= 2);
  assert.match(String(trailers.get("retry-after")[0]), /^(?:5\d|60)$/);
  const [limited, seconds] = await call(client, `${V2}ServerMetadata`, BOB);
  assert.equal(limited, 8);
  assert.match(String(seconds), /^(?:5\d|60)$/);
});
