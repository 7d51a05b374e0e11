import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { createSession, serve, type ReadyEvent } from "../../src/app/index.ts";
import { tarOf, zipOf } from "../support/archives.ts";
import { startModelStore } from "../support/model-store.ts";

const DIGITS = resolve(import.meta.dirname, "../fixtures/onnx/digits.onnx");

interface Fetching {
  readonly request: Parameters<typeof serve>[0];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Serves until the test ends; resolves when it is ready, and rejects when that fails. */
async function startServe(
  t: TestContext,
  { request, environment = {} }: Fetching,
): Promise<ReadyEvent> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-serve-fetched-"));
  const abort = new AbortController();
  const { promise, resolve: onReady } = Promise.withResolvers<ReadyEvent>();
  const session = createSession({
    cwd: folder,
    environment: { ...environment, HOME: folder },
    signal: abort.signal,
    onEvent: (event) => event.kind === "ready" && onReady(event),
  });
  const serving = serve({ ports: { http: 0, grpc: 0, metrics: 0 }, ...request }, session);
  t.after(async () => {
    abort.abort();
    await serving.catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  });
  return Promise.race([promise, serving.then(() => promise)]);
}

async function predictDigit({ url, served }: ReadyEvent): Promise<unknown> {
  const input = { name: "x", shape: [1, 64], datatype: "FP32", data: Array(64).fill(0) };
  const metadata = (await (await fetch(`${url}/v2/models/${served?.model}`)).json()) as {
    readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
  };
  const [{ name, shape } = { name: "", shape: [] }] = metadata.inputs;
  const fixed = shape.map((size) => Math.max(size, 1));
  const data = Array(fixed.reduce((product, size) => product * size, 1)).fill(0);
  const response = await fetch(`${url}/v2/models/${served?.model}/infer`, {
    method: "POST",
    body: JSON.stringify({ inputs: [{ ...input, name, shape: fixed, data }] }),
  });
  return response.status;
}

test("a model of the store is fetched, recognised and served by the variables of a file", async (t) => {
  const archive = zipOf({ "model/model/digits.onnx": await readFile(DIGITS) });
  const { port, requests } = await startModelStore(t, archive);
  const folder = await mkdtemp(join(tmpdir(), "slipway-env-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "model.env");
  const lines = ["# the store", `XQUERY_ADDR=store.test:${port}`, "MODEL_ID=digits 7", "GUID=abc"];
  await writeFile(file, [...lines, "MODEL_VERSION=3", "HOSTS=127.0.0.1<->store.test"].join("\n"));
  const ready = await startServe(t, { request: { envFiles: [file] } });
  assert.equal(ready.served?.model, "digits-7");
  assert.equal(ready.served.kind, "onnx");
  assert.equal(await predictDigit(ready), 200);
  assert.equal(requests[0]?.target, "/?model_id=digits%207&model_version=3&guid=abc");
});

test("a URI in place of a folder is fetched and served; code in it is not run", async (t) => {
  const source = "class Model:\n    def predict(self, X, names):\n        return X\n";
  const files = { "digits.onnx": await readFile(DIGITS), "Model.py": source };
  const { address } = await startModelStore(t, tarOf(files));
  const ready = await startServe(t, { request: { folder: `http://${address}/m.tar` } });
  assert.equal(ready.served?.kind, "onnx");
  assert.equal(await predictDigit(ready), 200);
});

test("what cannot be served is an error that names where it came from", async (t) => {
  const { address } = await startModelStore(t, zipOf({ "model/model/notes.md": "x" }));
  const env = { XQUERY_ADDR: address, MODEL_ID: "1" };
  await assert.rejects(startServe(t, { request: { isFetched: true, env } }), {
    code: "MODEL_NOT_DETECTED",
    message: new RegExp(`"http://${address}/ 1"`),
  });
  await assert.rejects(startServe(t, { request: { isFetched: true } }), { code: "USAGE" });
});
