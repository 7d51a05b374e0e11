import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { ModelDescription } from "../../src/models/description/index.ts";
import { createLogger, serveModel } from "../../src/serving/server/index.ts";
import { parseKeys } from "../../src/serving/server/keys/parse-keys.ts";
import type { ServeOptions } from "../../src/serving/server/index.ts";

interface Answer {
  readonly error?: string;
  readonly outputs?: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape: readonly number[];
    readonly data: readonly unknown[];
  }[];
}

interface Served {
  readonly url: string;
  readonly lines: readonly string[];
  readonly stop: () => Promise<void>;
}

async function serve(
  t: TestContext,
  name: string,
  more: Partial<ModelDescription> & { readonly options?: Partial<ServeOptions> } = {},
): Promise<Served> {
  const { options, ...described } = more;
  const lines: string[] = [];
  const server = await serveModel(
    {
      ...{ schemaVersion: 1, name: "m", kind: "class", contract: "kserve", service: "MODEL" },
      codePath: join(import.meta.dirname, "../fixtures/js-models"),
      code: { file: "Typed.ts", name, language: "javascript" },
      ports: { http: 0 },
      server: {},
      ...described,
    },
    { host: "127.0.0.1", log: createLogger({ write: (line) => lines.push(line) }), ...options },
  );
  t.after(() => server[Symbol.asyncDispose]());
  return { url: `http://127.0.0.1:${server.ports.http}`, lines, stop: () => server.stop() };
}

async function infer(
  { url }: Served,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly answer: Answer }> {
  const response = await fetch(`${url}/v2/models/m/infer`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  return { status: response.status, answer: (await response.json()) as Answer };
}

const x = (...data: readonly number[]): object => ({
  name: "x",
  datatype: "FP64",
  shape: [data.length],
  data,
});

function byName({ outputs = [] }: Answer): Readonly<Record<string, readonly unknown[]>> {
  return Object.fromEntries(outputs.map(({ name, data }) => [name, data]));
}

test("a TypeScript class gets tensors of every datatype by name, and gives them back as they were", async (t) => {
  const served = await serve(t, "Echo");
  const file = join(import.meta.dirname, "../fixtures/frames/tensors.json");
  const fixtures = JSON.parse(await readFile(file, "utf8")) as {
    readonly datatype: string;
    readonly shape: readonly number[];
    readonly data: string;
  }[];
  const blobs = fixtures.map(({ data }) => Buffer.from(data, "hex"));
  const inputs = fixtures.map(({ datatype, shape }, at) => ({
    ...{ name: `${datatype}-${at}`, datatype, shape },
    parameters: { binary_data_size: blobs[at]?.byteLength },
  }));
  const head = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
  const response = await fetch(`${served.url}/v2/models/m/infer`, {
    method: "POST",
    headers: { "Inference-Header-Content-Length": String(head.byteLength) },
    body: Buffer.concat([head, ...blobs]),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(response.status, 200, bytes.toString("latin1"));
  const length = Number(response.headers.get("inference-header-content-length"));
  const { outputs = [] } = JSON.parse(bytes.toString("utf8", 0, length)) as Answer;
  assert.deepEqual(
    outputs.map(({ name, datatype, shape }) => [name, datatype, shape]),
    inputs.map(({ name, datatype, shape }) => [name, datatype, shape]),
  );
  assert.deepEqual(bytes.subarray(length), Buffer.concat(blobs));
});

test("a class is loaded, asks for parameters, headers and more by name, and is unloaded; no API key reaches it", async (t) => {
  const key = "a-key-of-the-client";
  const served = await serve(t, "Asking", { options: { keys: parseKeys(`ann ${key}`, "") } });
  const body = { id: "7", parameters: { k: 5 }, inputs: [x(1, 2)] };
  const headers = { "x-colour": "red", authorization: `Bearer ${key}` };
  const { answer } = await infer(served, body, headers);
  assert.deepEqual(byName(answer), {
    doubled: [2, 4],
    seen: ['["red",5,"7",["none"]]'],
    key: ["undefined"],
  });
  const one = await infer(served, { ...body, outputs: [{ name: "doubled" }] }, headers);
  assert.deepEqual(byName(one.answer), { doubled: [2, 4] });
  const none = await infer(served, { ...body, outputs: [{ name: "tripled" }] }, headers);
  assert.equal(none.status, 400);
  assert.match(none.answer.error ?? "", /"tripled"; it gave doubled, seen, key/);
  await served.stop();
  assert.ok(served.lines.some((line) => line.includes('"unloaded"')));
});

test("a generator streams, stops when its client goes, and answers whole where nobody streams", async (t) => {
  const served = await serve(t, "Counting");
  const whole = await infer(served, { inputs: [x(4)] });
  assert.deepEqual(byName(whole.answer), { at: [0, 1, 2], x: [4, 4, 4] });
  const stream = (times: number): Promise<Response> =>
    fetch(`${served.url}/v2/models/m/generate_stream`, {
      method: "POST",
      body: JSON.stringify({ x: 4, parameters: { times } }),
    });
  const text = await (await stream(2)).text();
  assert.deepEqual(text.match(/"at":\s*\[?\d/g)?.length, 2, text);
  assert.match(await (await stream(9)).text(), /five are enough/);
  const stops = (): number => served.lines.filter((line) => line.includes('"stopped"')).length;
  const before = stops();
  const left = await stream(5);
  const reader = left.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  const answer = await infer(served, { inputs: [x(1)] });
  assert.equal(answer.status, 200, "the thread is free again");
  assert.ok(stops() >= before + 2);
});

test("metadata.json or the description says what comes in: what does not fit is refused before the class sees it", async (t) => {
  const spec = { name: "x", datatype: "FP64", shape: [-1] } as const;
  const served = await serve(t, "Asking", { signature: { inputs: [spec], outputs: [] } });
  const { status, answer } = await infer(served, { inputs: [{ ...x(1), name: "y" }] });
  assert.equal(status, 400);
  assert.match(answer.error ?? "", /"y"|"x"/);
  const metadata = (await (await fetch(`${served.url}/v2/models/m`)).json()) as object;
  assert.match(
    JSON.stringify(metadata),
    /"inputs":\[\{"name":"x","datatype":"FP64","shape":\[-1\]/,
  );
});

test("requests to a class are joined, and answered as if each had come alone", async (t) => {
  const served = await serve(t, "RowSums", { server: { maxBatch: 16 } });
  const row = (at: number): number[] => [at / 3, at * 1e7, -at / 7];
  const ask = async (at: number): Promise<Answer> =>
    (
      await infer(served, {
        inputs: [{ name: "x", datatype: "FP32", shape: [1, 3], data: row(at) }],
      })
    ).answer;
  const alone: unknown[] = [];
  for (let at = 0; at < 24; at += 1) alone.push(byName(await ask(at))["sum"]);
  const together = await Promise.all(Array.from({ length: 24 }, (_, at) => ask(at)));
  assert.deepEqual(
    together.map((answer) => byName(answer)["sum"]),
    alone,
  );
  assert.ok(
    together.some((answer) => Number(byName(answer)["calls"]?.[0]) > 1),
    "some were joined",
  );
});

test("what is no tensor is the class's fault, and the error says which output it was", async (t) => {
  const served = await serve(t, "Wrong");
  for (const [give, why] of [
    ["nothing", /undefined as "output"/],
    ["date", /as "y"/],
    ["ragged", /"y".*differ/],
    ["shape", /3 elements with the shape \[2,2\] as "y"/],
    ["fit", /"y".*UINT8/],
    ["datatype", /INT7/],
    ["anything", /^cannot give anything$/],
  ] as const) {
    const { status, answer } = await infer(served, { parameters: { give }, inputs: [x(1)] });
    assert.equal(status, 500, give);
    assert.match(answer.error ?? "", why);
  }
});
