import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { startV2Server } from "../support/v2-server.ts";

/** A request with what has to come back: the status, the whole JSON answer, some of its members, or text that its error has. */
interface Case {
  readonly name: string;
  readonly path: string;
  /** Absent: GET. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly packs?: boolean;
  readonly status: number;
  readonly is?: unknown;
  readonly has?: Readonly<Record<string, unknown>>;
  readonly error?: RegExp;
}

const predict = (model: string): string => `/v1/models/${model}:predict`;
const ones = (value = 1): readonly number[] => Array.from({ length: 16 }, () => value);
const FOURS = [
  [1, 2, 3, 4],
  [5, 6, 7, 8.5],
];
const PAIRS = [
  { INPUT0: ones(3), INPUT1: ones() },
  { INPUT1: ones(2), INPUT0: ones(5) },
];
const SUMS = [
  { OUTPUT0: ones(4), OUTPUT1: ones(2) },
  { OUTPUT0: ones(7), OUTPUT1: ones(3) },
];
const AVAILABLE = [
  { version: "1", state: "AVAILABLE", status: { error_code: "OK", error_message: "" } },
];
const MATRIX = {
  dtype: "DT_FLOAT",
  tensor_shape: {
    dim: [
      { size: "-1", name: "" },
      { size: "4", name: "" },
    ],
    unknown_rank: false,
  },
};
const refused = (name: string, model: string, body: unknown, error: RegExp): Case => ({
  ...{ name, path: predict(model), body, status: 400, error },
});

/** Answered alike by models that are classes and by those that are ONNX files. */
const BOTH: readonly Case[] = [
  {
    ...{ name: "rows", path: predict("identity_fp32"), body: { instances: FOURS } },
    ...{ status: 200, is: { predictions: FOURS } },
  },
  {
    ...{ name: "columns", path: predict("identity_fp32"), body: { inputs: FOURS } },
    ...{ status: 200, is: { outputs: FOURS } },
  },
  {
    ...{ name: "named rows of two inputs", path: predict("add_sub"), body: { instances: PAIRS } },
    ...{ status: 200, is: { predictions: SUMS } },
  },
  {
    ...{ name: "named columns", path: predict("add_sub"), status: 200 },
    body: { inputs: { INPUT0: [ones(3), ones(5)], INPUT1: [ones(1), ones(2)] } },
    is: { outputs: { OUTPUT0: [ones(4), ones(7)], OUTPUT1: [ones(2), ones(3)] } },
  },
  {
    ...{ name: "a version, a signature and members that mean nothing", status: 200 },
    path: "/v1/models/identity_fp32/versions/1:predict",
    body: { signature_name: "serving_default", instances: FOURS, more: { a: [1] } },
    is: { predictions: FOURS },
  },
  {
    ...{ name: "the colon encoded, a form's type, a packed body", status: 200, packs: true },
    path: "/v1/models/identity_fp32%3Apredict",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    ...{ body: { instances: FOURS }, is: { predictions: FOURS } },
  },
  {
    ...{ name: "half floats", path: predict("identity_fp16"), status: 200 },
    ...{ body: { instances: [[1.5, -2]] }, is: { predictions: [[1.5, -2]] } },
  },
  {
    ...{ name: "text and base64", path: predict("identity_bytes"), status: 200 },
    body: { instances: [["a", { b64: "w6Q=" }]] },
    is: { predictions: [["a", "ä"]] },
  },
  refused("ragged", "identity_fp32", { instances: [[1, 2, 3, 4], [5]] }, /"INPUT0": value 1/),
  refused("a row too short", "identity_fp32", { instances: [[1]] }, /\(1,1\), and \(-1,4\) is/),
  refused(
    "text for numbers",
    "identity_fp32",
    { instances: [["a"]] },
    /"INPUT0": element 0 is "a"/,
  ),
  refused("a name too few", "add_sub", { inputs: { INPUT0: [ones()] } }, /"INPUT1" is missing/),
  refused("bare rows for two inputs", "add_sub", { instances: [ones()] }, /"INPUT0", "INPUT1"/),
  refused("both keys", "add_sub", { instances: [1], inputs: [1] }, /both instances and inputs/),
  refused("no JSON", "identity_fp32", '{"instances":[1,]}', /no JSON at byte 16/),
  refused("another signature", "add_sub", { signature_name: "x", inputs: 1 }, /signature "x"/),
  { name: "an unknown model", path: predict("no"), body: {}, status: 404, error: /"no"/ },
  {
    ...{ name: "an unknown version", path: "/v1/models/add_sub/versions/9:predict", body: {} },
    ...{ status: 404, error: /version "9"/ },
  },
  {
    ...{ name: "a label", path: "/v1/models/add_sub/labels/stable:predict", body: {} },
    ...{ status: 404, error: /label "stable"/ },
  },
  { name: "predict is POST only", path: predict("add_sub"), status: 405, error: /takes POST/ },
  { name: "no verb", path: "/v1/models/add_sub", body: {}, status: 405, error: /takes GET/ },
  ...["classify", "regress", "explain"].map((verb) => ({
    ...{ name: verb, path: `/v1/models/add_sub:${verb}`, body: { examples: [] }, status: 501 },
    error: new RegExp(`by :${verb}`),
  })),
  { name: "an unknown path", path: "/v1/nothing", status: 404, error: /no such path/ },
  {
    ...{ name: "status", path: "/v1/models/add_sub", status: 200 },
    is: { name: "add_sub", ready: true, model_version_status: AVAILABLE },
  },
  {
    ...{ name: "status of a version", path: "/v1/models/add_sub/versions/1", status: 200 },
    has: { model_version_status: AVAILABLE },
  },
  { name: "status of an unknown model", path: "/v1/models/no", status: 404, error: /"no"/ },
  {
    ...{ name: "metadata", path: "/v1/models/identity_fp32/metadata", status: 200 },
    is: {
      model_spec: { name: "identity_fp32", signature_name: "", version: "1" },
      metadata: {
        signature_def: {
          signature_def: {
            serving_default: {
              inputs: { INPUT0: { ...MATRIX, name: "INPUT0" } },
              outputs: { OUTPUT0: { ...MATRIX, name: "OUTPUT0" } },
              method_name: "tensorflow/serving/predict",
            },
          },
        },
      },
    },
  },
];

const CLASSES: readonly Case[] = [
  {
    ...{ name: "bytes that are no text cannot go back as text", status: 400 },
    ...{ path: predict("identity_bytes"), body: { instances: [[{ b64: "/w==" }]] } },
    error: /"OUTPUT0": BYTES that are no UTF-8/,
  },
  {
    ...{ name: "a model that raises", path: predict("fail"), status: 500 },
    ...{ body: { instances: FOURS }, error: /this model always fails/ },
  },
];

async function send(url: string, { body, headers, packs = false }: Case): Promise<Response> {
  if (body === undefined) return fetch(url);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(url, {
    method: "POST",
    body: packs ? gzipSync(text) : text,
    headers: { ...headers, ...(packs && { "content-encoding": "gzip" }) },
  });
}

for (const kind of ["class", "onnx"] as const) {
  test(`V1 over REST, models that are ${kind === "class" ? "classes" : "ONNX files"}`, async (t) => {
    await using server = await startV2Server(t, kind);
    if (server === undefined) return;
    const url = `http://127.0.0.1:${server.ports.http}`;
    for (const one of kind === "class" ? [...BOTH, ...CLASSES] : BOTH) {
      await t.test(one.name, async () => {
        const response = await send(url + one.path, one);
        const text = await response.text();
        assert.equal(response.status, one.status, text);
        assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
        const answer = JSON.parse(text) as Readonly<Record<string, unknown>>;
        if (one.is !== undefined) assert.deepEqual(answer, one.is);
        for (const [name, value] of Object.entries(one.has ?? {}))
          assert.deepEqual(answer[name], value, name);
        if (one.error !== undefined) assert.match(String(answer["error"]), one.error);
      });
    }
  });
}

test("64-bit integers are exact, NaN is a bare word, and models that are gone are not listed", async (t) => {
  await using server = await startV2Server(t, "class");
  if (server === undefined) return;
  const url = `http://127.0.0.1:${server.ports.http}`;
  const post = async (path: string, body: string): Promise<string> =>
    (await fetch(url + path, { method: "POST", body })).text();
  assert.equal(
    await post(predict("identity_int64"), '{"instances":[[9007199254740993]]}'),
    '{"predictions":[[9007199254740993]]}',
  );
  assert.equal(
    await post(predict("identity_fp32"), '{"inputs":[[NaN,Infinity,-Infinity,1]]}'),
    '{"outputs":[[NaN,Infinity,-Infinity,1.0]]}',
  );
  const names = async (): Promise<readonly string[]> =>
    ((await (await fetch(`${url}/v1/models`)).json()) as { models: readonly string[] }).models;
  assert.ok((await names()).includes("classify"));
  await post("/v2/repository/models/classify/unload", "{}");
  assert.equal((await names()).includes("classify"), false);
  for (const path of ["/v1/models/classify", "/v1/models/classify/metadata"])
    assert.equal((await fetch(url + path)).status, 404, path);
  assert.match(await post(predict("classify"), '{"inputs":[]}'), /classify.*it is not loaded/);
});

test("CloudEvents are read and answered in the binary and in the structured mode", async (t) => {
  await using server = await startV2Server(t, "onnx");
  if (server === undefined) return;
  const url = `http://127.0.0.1:${server.ports.http}${predict("identity_fp32")}`;
  const send = (body: unknown, headers: Readonly<Record<string, string>>): Promise<Response> =>
    fetch(url, { method: "POST", body: JSON.stringify(body), headers });
  const attributes = { specversion: "1.0", id: "7", source: "here", type: "ask" };
  const names = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]);
  const headers = Object.fromEntries(names) as Readonly<Record<string, string>>;

  const binary = await send({ instances: FOURS }, headers);
  assert.deepEqual([binary.status, await binary.json()], [200, { predictions: FOURS }]);
  assert.deepEqual(
    ["ce-specversion", "ce-source", "ce-type"].map((name) => binary.headers.get(name)),
    ["1.0", "io.kserve.inference.identity_fp32", "io.kserve.inference.response"],
  );
  assert.match(binary.headers.get("ce-id") ?? "", /^[\da-f-]{36}$/);

  const type = { "content-type": "application/cloudevents+json; charset=utf-8" };
  const data = Buffer.from(JSON.stringify({ inputs: FOURS })).toString("base64");
  for (const [sent, answer] of [
    [{ ...attributes, data: { instances: FOURS } }, { predictions: FOURS }],
    [{ ...attributes, data_base64: data }, { outputs: FOURS }],
  ] as const) {
    const structured = await send(sent, type);
    assert.equal(structured.headers.get("content-type"), "application/cloudevents+json");
    const event = (await structured.json()) as Readonly<Record<string, unknown>>;
    assert.deepEqual([structured.status, event["data"]], [200, answer]);
    assert.equal(event["type"], "io.kserve.inference.response");
  }

  for (const [body, wrong, why] of [
    [{ instances: FOURS }, { ...headers, "ce-id": "" }, /no id/],
    [{ instances: FOURS }, { ...headers, "ce-specversion": "0.3" }, /version 0\.3/],
    [{ ...attributes }, type, /no data/],
    [[], type, /no JSON object/],
  ] as const) {
    const refusal = await send(body, wrong);
    assert.equal(refusal.status, 400);
    assert.match(((await refusal.json()) as { error: string }).error, why);
  }
});
