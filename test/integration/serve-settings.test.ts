import { Client, credentials } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createTempDir } from "../../src/ground/process/index.ts";
import { createLogger, serveModel, type ServeOptions } from "../../src/serving/server/index.ts";

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly name?: string;
}

interface Served {
  readonly url: string;
  readonly grpcPort: number;
  readonly lines: readonly Line[];
  /** Asks the model once. */
  readonly infer: () => Promise<void>;
}

async function serve(t: TestContext, options: Partial<ServeOptions> = {}): Promise<Served> {
  const folder = await createTempDir("settings");
  t.after(() => folder[Symbol.asyncDispose]());
  await writeFile(
    join(folder.path, "model.mjs"),
    "export class Model { predict(x) { console.warn('careful'); return x; } }",
  );
  const lines: Line[] = [];
  const server = await serveModel(
    {
      ...{ schemaVersion: 1, name: "m", kind: "class", contract: "kserve", service: "MODEL" },
      codePath: folder.path,
      code: { file: "model.mjs", name: "Model", language: "javascript" },
      ports: { http: 0, grpc: 0 },
      server: {},
    },
    {
      host: "127.0.0.1",
      observe: { logsRequests: true },
      log: createLogger({ write: (line) => lines.push(JSON.parse(line) as Line) }),
      ...options,
    },
  );
  t.after(() => server[Symbol.asyncDispose]());
  const url = `http://127.0.0.1:${server.ports.http}`;
  const infer = async (): Promise<void> => {
    const inputs = [{ name: "x", datatype: "FP64", shape: [1, 1], data: [1] }];
    const answer = await fetch(`${url}/v2/models/m/infer`, {
      method: "POST",
      body: JSON.stringify({ inputs }),
    });
    assert.equal(answer.status, 200, await answer.text());
  };
  return { url, grpcPort: server.ports.grpc ?? 0, lines, infer };
}

async function change(
  url: string,
  settings: unknown,
): Promise<{ readonly status: number; readonly shown: Readonly<Record<string, unknown>> }> {
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(settings) });
  const shown = (await answer.json()) as Readonly<Record<string, unknown>>;
  return { status: answer.status, shown };
}

test("lines of the log stop and come back as its settings say", async (t) => {
  const { url, lines, infer } = await serve(t);
  const logging = `${url}/v2/logging`;
  const first = await (await fetch(logging)).json();
  assert.deepEqual(first, {
    ...{ log_file: "", log_info: true, log_warning: true, log_error: true },
    ...{ log_verbose_level: 0, log_format: "default" },
  });
  const counted = async (): Promise<readonly [requests: number, warnings: number]> => {
    const from = lines.length;
    await infer();
    await infer();
    const seen = lines.slice(from);
    const of = (level: string): number => seen.filter((line) => line.level === level).length;
    return [of("info"), of("warn")];
  };
  assert.ok((await counted())[0] >= 1);
  const { status, shown } = await change(logging, { log_info: false });
  assert.deepEqual([status, shown["log_info"], shown["log_warning"]], [200, false, true]);
  assert.equal((await counted())[0], 0);
  await change(logging, { log_info: true });
  assert.ok((await counted())[0] >= 1);
  for (const wrong of [
    { log_info: "no" },
    { log_verbose_level: -1 },
    { log_file: "/etc/passwd" },
    { log_format: "xml" },
    { log_everything: true },
    { log_info: false, log_error: 3 },
  ])
    assert.equal((await change(logging, wrong)).status, 400, JSON.stringify(wrong));
  assert.deepEqual(await (await fetch(logging)).json(), first, "a refused change changes nothing");
});

test("traces begin and end as their settings say, for the server and for one model", async (t) => {
  const { url, lines, infer } = await serve(t);
  const all = `${url}/v2/trace/setting`;
  const own = `${url}/v2/models/m/trace/setting`;
  const shown = await (await fetch(all)).json();
  assert.deepEqual(shown, {
    ...{ trace_file: "", trace_level: ["OFF"], trace_rate: "1", trace_count: "-1" },
    ...{ log_frequency: "0", trace_mode: "opentelemetry" },
  });
  const spans = async (): Promise<readonly (string | undefined)[]> => {
    const from = lines.length;
    await infer();
    await infer();
    return lines.slice(from).flatMap(({ msg, name }) => (msg === "span" ? [name] : []));
  };
  const ROUTE = "POST /v2/models/m/infer";
  assert.deepEqual(await spans(), []);
  await change(all, { trace_level: ["TIMESTAMPS"] });
  assert.ok((await spans()).includes(ROUTE));
  assert.deepEqual((await change(own, { trace_level: ["OFF"] })).shown["trace_level"], ["OFF"]);
  assert.deepEqual(await spans(), []);
  assert.deepEqual((await change(own, { trace_level: null })).shown["trace_level"], ["TIMESTAMPS"]);
  assert.equal((await change(own, { trace_count: "1" })).shown["trace_count"], "1");
  assert.equal((await spans()).filter((name) => name === ROUTE).length, 1);
  assert.equal(
    ((await (await fetch(own)).json()) as Line & { trace_count: string }).trace_count,
    "0",
  );
  const { shown: rated } = await change(all, { trace_rate: 1000, trace_level: "OFF" });
  assert.deepEqual([rated["trace_rate"], rated["trace_level"]], ["1000", ["OFF"]]);
  for (const wrong of [
    { no_such_setting: "1" },
    { trace_level: ["TENSORS"] },
    { trace_level: [] },
    { trace_rate: "often" },
    { trace_rate: -1 },
    { trace_file: "/tmp/x" },
    { log_frequency: "5" },
    { trace_mode: "triton" },
    { trace_count: {} },
  ])
    assert.equal((await change(all, wrong)).status, 400, JSON.stringify(wrong));
  assert.equal((await fetch(`${url}/v2/models/none/trace/setting`)).status, 404);
});

test("gRPC shows and changes the same settings", async (t) => {
  const { url, grpcPort } = await serve(t);
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  t.after(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  const call = (method: string, message: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const path = `/inference.GRPCInferenceService/${method}`;
      client.makeUnaryRequest(path, same, same, message, (error, answer) =>
        error === null ? resolve(answer ?? Buffer.alloc(0)) : reject(error),
      );
    });
  const field = (tag: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([tag, bytes.byteLength]), bytes]);
  const entry = (key: string, value: Buffer): Buffer =>
    field(10, Buffer.concat([field(10, Buffer.from(key)), field(18, value)]));
  const level = (text: string): Buffer => entry("trace_level", field(10, Buffer.from(text)));
  assert.ok((await call("TraceSetting", Buffer.alloc(0))).includes(level("OFF").subarray(2)));
  const on = await call("TraceSetting", level("TIMESTAMPS"));
  assert.ok(on.includes(level("TIMESTAMPS").subarray(2)));
  const cleared = await call("TraceSetting", entry("trace_level", Buffer.alloc(0)));
  assert.ok(cleared.includes(level("OFF").subarray(2)));
  await call("LogSettings", entry("log_warning", Buffer.from([8, 0])));
  await call("LogSettings", entry("log_verbose_level", Buffer.from([16, 1])));
  const shown = (await (await fetch(`${url}/v2/logging`)).json()) as Readonly<
    Record<string, unknown>
  >;
  assert.deepEqual([shown["log_warning"], shown["log_verbose_level"]], [false, 1]);
  await assert.rejects(call("LogSettings", entry("nothing", Buffer.from([8, 1]))), { code: 3 });
});

test("clients change nothing where they may not manage models", async (t) => {
  const { url } = await serve(t, { allowsControl: false });
  for (const path of ["/v2/logging", "/v2/trace/setting"]) {
    assert.equal((await fetch(url + path)).status, 200);
    const name = path === "/v2/logging" ? "log_info" : "trace_rate";
    assert.equal((await change(url + path, { [name]: 1 })).status, 403);
  }
});
