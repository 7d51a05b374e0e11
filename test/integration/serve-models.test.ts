import assert from "node:assert/strict";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { serveFolder } from "../../src/app/use-cases.ts";
import type { ServeFolderRequest, AppEvent } from "../../src/app/index.ts";
import { createTempDir } from "../../src/ground/process/index.ts";

const ONNX = join(import.meta.dirname, "../fixtures/v2/identity_fp32/model.onnx");
const OTHER_ONNX = join(import.meta.dirname, "../fixtures/v2/identity_fp16/model.onnx");
const ONE = { name: "INPUT0", datatype: "FP32", shape: [1, 4], data: [1, 2, 3, 4] };

interface Folder {
  readonly path: string;
  /** Puts a model there; `text` is the content of a file that is no model. */
  readonly put: (path: string, text?: string) => Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Serving {
  readonly events: readonly AppEvent[];
  readonly get: (path: string) => Promise<Answer>;
  readonly post: (path: string, body: unknown) => Promise<Answer>;
  /** Asks until the answer is the one that is wanted. */
  until(path: string, isWanted: (answer: Answer) => boolean): Promise<void>;
  infer(path: string): Promise<Answer>;
}

async function folderOf(t: TestContext): Promise<Folder> {
  const folder = await createTempDir("models");
  t.after(async () => folder[Symbol.asyncDispose]());
  return {
    path: folder.path,
    put: async (path, text) => {
      const file = join(folder.path, path);
      await mkdir(dirname(file), { recursive: true });
      if (text === undefined) await cp(ONNX, file);
      else await writeFile(file, text);
    },
  };
}

/** Serves a folder until the test ends. */
async function serve(
  t: TestContext,
  folder: string,
  options: Partial<ServeFolderRequest> = {},
): Promise<Serving> {
  const ended = new AbortController();
  const ready = Promise.withResolvers<string>();
  const events: AppEvent[] = [];
  const running = serveFolder(
    { folder, ports: { http: 0, grpc: 0 }, apiType: "rest", ...options },
    {
      cwd: folder,
      environment: { PATH: process.env["PATH"] },
      signal: ended.signal,
      emit: (event) => {
        events.push(event);
        if (event.kind === "ready") ready.resolve(event.url ?? "");
      },
    },
  );
  running.catch((error: unknown) => ready.reject(error));
  t.after(async () => {
    ended.abort();
    await running;
  });
  const url = await ready.promise;
  const answerOf = async (response: Response): Promise<Answer> => ({
    status: response.status,
    body: (await response.json()) as Answer["body"],
  });
  const get = async (path: string): Promise<Answer> => answerOf(await fetch(url + path));
  const post = async (path: string, body: unknown): Promise<Answer> =>
    answerOf(await fetch(url + path, { method: "POST", body: JSON.stringify(body) }));
  return {
    ...{ events, get, post },
    infer: (path) => post(`/v2/models/${path}/infer`, { inputs: [ONE] }),
    until: async (path, isWanted) => {
      while (!isWanted(await get(path)));
    },
  };
}

test("versions, labels and shares of a folder of models; one bad model stops nobody", async (t) => {
  const { path, put } = await folderOf(t);
  for (const file of ["a/1/model.onnx", "a/2/model.onnx", "a/3/model.onnx", "plain/model.onnx"])
    await put(file);
  await put("a/versions.yaml", "labels: {stable: 1}\nweights: {1: 1, 2: 0}\n");
  await put("torn/model.onnx", "no model at all");
  await put("wrong/config.pbtxt", "max_batch_size: many");
  const server = await serve(t, path);
  assert.equal((await server.get("/v2/health/ready")).status, 200);
  const index = (await server.post("/v2/repository/index", {})).body as unknown as {
    readonly name: string;
    readonly version: string;
    readonly state: string;
    readonly reason: string;
  }[];
  assert.deepEqual(
    index.map(({ name, version, state }) => [name, version, state]),
    [
      ["a", "1", "READY"],
      ["a", "2", "READY"],
      ["a", "3", "READY"],
      ["plain", "1", "READY"],
      ["torn", "1", "UNAVAILABLE"],
      ["wrong", "1", "UNAVAILABLE"],
    ],
  );
  assert.match(index[5]?.reason ?? "", /max_batch_size is "many"/);
  assert.equal((await server.infer("a")).body["model_version"], "1");
  assert.equal((await server.infer("a/versions/3")).body["model_version"], "3");
  assert.equal((await server.infer("a/versions/stable")).body["model_version"], "1");
  const v1 = await server.post("/v1/models/a/labels/stable:predict", { instances: [[1, 2, 3, 4]] });
  assert.deepEqual([v1.status, v1.body["predictions"]], [200, [[1, 2, 3, 4]]]);
  assert.equal((await server.post("/v1/models/a/labels/no:predict", {})).status, 404);
  assert.equal((await server.infer("torn")).status, 503);
});

test("models load with their first call, and those that were not called for longest make room", async (t) => {
  const { path, put } = await folderOf(t);
  for (const name of ["a", "b", "c", "d"]) await put(`${name}/model.onnx`);
  await put("torn/model.onnx", "no model at all");
  // room for two models of one thread each, beside the first, which stays
  const server = await serve(t, path, { memoryBudgetMib: 80 });
  assert.equal((await server.get("/v2/health/ready")).status, 200);
  const called = async (): Promise<readonly string[]> => {
    const { body } = await server.get("/v2/models/stats");
    const all = body["model_stats"] as {
      readonly name: string;
      readonly execution_count: number;
    }[];
    return all.filter((one) => one.execution_count > 0).map(({ name }) => name);
  };
  assert.deepEqual(await called(), []);
  for (const name of ["b", "c", "d", "b", "a"])
    assert.deepEqual((await server.infer(name)).body["outputs"], [{ ...ONE, name: "OUTPUT0" }]);
  assert.deepEqual(await called(), ["a", "b", "c", "d"]);
  const metadata = await server.get("/v2/models/c");
  assert.deepEqual((metadata.body["inputs"] as unknown[]).length, 1);
  assert.equal((await server.infer("torn")).status, 500);
  assert.equal((await server.infer("torn")).status, 503); // not tried again at once
  assert.equal((await server.get("/v2/health/ready")).status, 200);
});

test("a folder of models is followed: versions come, go and change while others are served", async (t) => {
  const { path, put } = await folderOf(t);
  await put("first/model.onnx");
  await put("m/1/model.onnx");
  const server = await serve(t, path, { isWatched: true });
  assert.equal((await server.infer("m")).body["model_version"], "1");
  await put("m/2/model.onnx");
  await server.until("/v2/models/m/versions/2/ready", ({ status }) => status === 200);
  await server.until("/v2/models/m/versions/1", ({ status }) => status === 404); // the newest only
  assert.equal((await server.infer("m")).body["model_version"], "2");
  await cp(OTHER_ONNX, join(path, "m/2/model.onnx"));
  await server.until("/v2/models/m", ({ body }) => JSON.stringify(body).includes("FP16"));
  await put("n/model.onnx");
  await server.until("/v2/models/n/ready", ({ status }) => status === 200);
  await rm(join(path, "n"), { recursive: true });
  await server.until("/v2/models/n", ({ status }) => status === 404);
  assert.equal((await server.infer("first")).status, 200);
});

test("requests beside a model are sent to it before any client's, and a model that fails them is not served", async (t) => {
  const { path, put } = await folderOf(t);
  for (const name of ["good", "bad"]) await put(`${name}/model.onnx`);
  await put("good/warmup.json", JSON.stringify([{ inputs: [ONE] }, { inputs: [ONE] }]));
  await put("bad/warmup.json", JSON.stringify({ inputs: [{ ...ONE, shape: [4] }] }));
  const server = await serve(t, path);
  assert.equal((await server.infer("good")).status, 200);
  const index = (await server.post("/v2/repository/index", {})).body as unknown as {
    readonly name: string;
    readonly reason: string;
  }[];
  assert.match(
    index.find(({ name }) => name === "bad")?.reason ?? "",
    /request 1 of ".*warmup\.json" failed: .*"INPUT0"/,
  );
});
