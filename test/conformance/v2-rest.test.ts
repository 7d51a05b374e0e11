import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { startV2Server } from "../support/v2-server.ts";

type Expected = Readonly<Record<string, unknown>>;

/** A request with what has to come back: the status, members of the JSON answer, or text that its error has. */
interface Case {
  readonly name: string;
  readonly path: string;
  /** Absent: GET. */
  readonly body?: unknown;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly blobs?: readonly string[];
  readonly status: number;
  readonly has?: Expected;
  readonly error?: RegExp;
}

const ONES = Array.from({ length: 16 }, () => 1);
const COUNT = Array.from({ length: 16 }, (_, index) => index);
const tensor = (
  name: string,
  datatype: string,
  shape: readonly number[],
  data: unknown,
): Expected => ({
  ...{ name, datatype, shape, data },
});
const PAIR = [tensor("INPUT0", "INT32", [1, 16], COUNT), tensor("INPUT1", "INT32", [1, 16], ONES)];
const SUM = tensor(
  "OUTPUT0",
  "INT32",
  [1, 16],
  COUNT.map((value) => value + 1),
);
const FOUR = tensor("INPUT0", "FP32", [1, 4], [1.5, -2.25, 0, 3]);
const FOUR_OUT = { ...FOUR, name: "OUTPUT0" };
const SCORES = tensor("INPUT0", "FP32", [1, 3], [0.25, 0.5, 0.125]);
const infer = (model: string): string => `/v2/models/${model}/infer`;

/** Answered alike by models that are classes and by those that are ONNX files. */
const BOTH: readonly Case[] = [
  { name: "live", path: "/v2/health/live", status: 200, has: { live: true } },
  { name: "ready", path: "/v2/health/ready", status: 200, has: { ready: true } },
  {
    name: "ready is GET only",
    path: "/v2/health/ready",
    method: "PUT",
    status: 405,
    error: /takes GET/,
  },
  { name: "metadata of the server", path: "/v2", status: 200, has: { name: "slipway" } },
  { name: "the same with a slash", path: "/v2/", status: 200, has: { name: "slipway" } },
  { name: "ready of a model", path: "/v2/models/add_sub/ready", status: 200, has: { ready: true } },
  { name: "ready of a version", path: "/v2/models/add_sub/versions/1/ready", status: 200 },
  { name: "an unknown model", path: "/v2/models/nosuch", status: 404, error: /"nosuch"/ },
  {
    name: "an unknown version",
    path: "/v2/models/add_sub/versions/2",
    status: 404,
    error: /version "2"/,
  },
  { name: "an unknown path", path: "/v2/nothing/here", status: 404, error: /no such path/ },
  { name: "infer is POST only", path: infer("add_sub"), status: 405, error: /takes POST/ },
  {
    name: "metadata of a model",
    path: "/v2/models/identity_fp32",
    status: 200,
    has: {
      ...{ name: "identity_fp32", versions: ["1"] },
      inputs: [{ name: "INPUT0", datatype: "FP32", shape: [-1, 4] }],
      outputs: [{ name: "OUTPUT0", datatype: "FP32", shape: [-1, 4] }],
    },
  },
  {
    name: "configuration",
    path: "/v2/models/add_sub/config",
    status: 200,
    has: { max_batch_size: 0 },
  },
  {
    name: "an inference with id, version and one output",
    path: "/v2/models/add_sub/versions/1/infer",
    body: { id: "ä1", inputs: PAIR, outputs: [{ name: "OUTPUT0" }] },
    status: 200,
    has: { model_name: "add_sub", model_version: "1", id: "ä1", outputs: [SUM] },
  },
  {
    name: "an unknown output",
    path: infer("add_sub"),
    body: { inputs: PAIR, outputs: [{ name: "no" }] },
    status: 400,
    error: /no/,
  },
  {
    name: "an input too few",
    path: infer("add_sub"),
    body: { inputs: PAIR.slice(1) },
    status: 400,
    error: /"INPUT0" is missing/,
  },
  {
    name: "an input twice",
    path: infer("add_sub"),
    body: { inputs: [...PAIR, PAIR[0]] },
    status: 400,
    error: /"INPUT0"/,
  },
  {
    name: "another datatype",
    path: infer("identity_fp32"),
    body: { inputs: [{ ...FOUR, datatype: "FP64" }] },
    status: 400,
    error: /datatype FP64, and FP32 is wanted/,
  },
  {
    name: "another shape",
    path: infer("identity_fp32"),
    body: { inputs: [{ ...FOUR, shape: [4] }] },
    status: 400,
    error: /"INPUT0"/,
  },
  {
    name: "no JSON",
    path: infer("identity_fp32"),
    body: "{'inputs'",
    status: 400,
    error: /no JSON at byte 1/,
  },
  {
    name: "raw bytes in, JSON out",
    path: infer("identity_fp32"),
    body: { inputs: [{ ...FOUR, data: undefined, parameters: { binary_data_size: 16 } }] },
    blobs: ["0000c03f000010c00000000000004040"],
    status: 200,
    has: { outputs: [FOUR_OUT] },
  },
  {
    name: "a header length beyond the body",
    path: infer("identity_fp32"),
    body: "{}",
    headers: { "inference-header-content-length": "3" },
    status: 400,
    error: /Inference-Header-Content-Length/,
  },
  {
    name: "a negative header length",
    path: infer("identity_fp32"),
    body: "{}",
    headers: { "inference-header-content-length": "-1" },
    status: 400,
    error: /Inference-Header-Content-Length/,
  },
  {
    name: "an encoding that is not known",
    path: infer("identity_fp32"),
    body: { inputs: [FOUR] },
    headers: { "content-encoding": "br" },
    status: 415,
    error: /br/,
  },
  {
    name: "the index is POST only",
    path: "/v2/repository/index",
    status: 405,
    error: /takes POST/,
  },
  {
    name: "the index wants a boolean",
    path: "/v2/repository/index",
    body: { ready: "yes" },
    status: 400,
    error: /boolean/,
  },
  {
    name: "code from clients is refused",
    path: "/v2/repository/models/add_sub/load",
    body: { parameters: { config: "{}" } },
    status: 400,
    error: /"config" is not served/,
  },
];

const CLASSES: readonly Case[] = [
  {
    name: "64-bit integers are exact",
    path: infer("identity_int64"),
    body: '{"inputs":[{"name":"INPUT0","datatype":"INT64","shape":[1,1],"data":[9007199254740993]}]}',
    status: 200,
  },
  {
    name: "text",
    path: infer("identity_bytes"),
    body: { inputs: [tensor("INPUT0", "BYTES", [2, 1], ["ä", ""])] },
    status: 200,
    has: { outputs: [tensor("OUTPUT0", "BYTES", [2, 1], ["ä", ""])] },
  },
  {
    name: "bytes that are no text cannot go out as JSON",
    path: infer("identity_bytes"),
    body: {
      inputs: [
        {
          ...tensor("INPUT0", "BYTES", [1, 1], 0),
          data: undefined,
          parameters: { binary_data_size: 5 },
        },
      ],
    },
    blobs: ["01000000ff"],
    status: 400,
    error: /"OUTPUT0": BYTES that are no UTF-8/,
  },
  {
    name: "classes in place of scores",
    path: infer("classify"),
    body: { inputs: [SCORES], outputs: [{ name: "SCORES", parameters: { classification: 2 } }] },
    status: 200,
    has: { outputs: [tensor("SCORES", "BYTES", [1, 2], ["0.500000:1:dog", "0.250000:0:cat"])] },
  },
  {
    name: "a model that raises",
    path: infer("fail"),
    body: { inputs: [FOUR] },
    status: 500,
    error: /this model always fails/,
  },
  {
    name: "half floats have no form in JSON",
    path: infer("identity_fp16"),
    body: { inputs: [tensor("INPUT0", "FP16", [1, 2], [1, 2])] },
    status: 400,
    error: /FP16 cannot be sent in JSON/,
  },
  {
    name: "half floats that would go out as JSON are refused before the model runs",
    path: infer("identity_fp16"),
    body: {
      inputs: [
        {
          ...tensor("INPUT0", "FP16", [1, 2], 0),
          data: undefined,
          parameters: { binary_data_size: 4 },
        },
      ],
    },
    blobs: ["003e00c0"],
    status: 400,
    error: /"OUTPUT0": FP16 cannot/,
  },
];

interface Sent {
  readonly method?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly blobs?: readonly string[] | undefined;
}

async function send(url: string, { method, body, headers, blobs }: Sent): Promise<Response> {
  if (body === undefined) return fetch(url, { method: method ?? "GET" });
  const json = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const parts = (blobs ?? []).map((hex) => Buffer.from(hex, "hex"));
  return fetch(url, {
    method: "POST",
    body: Buffer.concat([json, ...parts]),
    headers: {
      ...(blobs !== undefined && { "inference-header-content-length": String(json.byteLength) }),
      ...headers,
    },
  });
}

for (const kind of ["class", "onnx"] as const) {
  test(`Open Inference V2 over REST, models that are ${kind === "class" ? "classes" : "ONNX files"}`, async (t) => {
    await using server = await startV2Server(t, kind);
    if (server === undefined) return;
    const url = `http://127.0.0.1:${server.ports.http}`;
    for (const one of kind === "class" ? [...BOTH, ...CLASSES] : BOTH) {
      await t.test(one.name, async () => {
        const response = await send(url + one.path, one);
        const text = await response.text();
        assert.equal(response.status, one.status, text);
        assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
        const answer = JSON.parse(text) as Expected;
        for (const [name, value] of Object.entries(one.has ?? {}))
          assert.deepEqual(answer[name], value, name);
        if (one.error !== undefined) assert.match(String(answer["error"]), one.error);
        if (one.name.startsWith("64-bit")) assert.match(text, /\[9007199254740993\]/);
      });
    }
  });
}

test("outputs go back as raw bytes where that is asked for, packed where the client takes that", async (t) => {
  await using server = await startV2Server(t, "class");
  if (server === undefined) return;
  const url = `http://127.0.0.1:${server.ports.http}${infer("identity_fp32")}`;
  const bare = await send(url, {
    body: "",
    blobs: ["0000c03f000010c00000000000004040"],
    headers: { "accept-encoding": "gzip;q=0" },
  });
  assert.equal(bare.headers.get("content-type"), "application/octet-stream");
  assert.equal(bare.headers.get("content-encoding"), null);
  const size = Number(bare.headers.get("inference-header-content-length"));
  const body = Buffer.from(await bare.arrayBuffer());
  assert.equal(body.subarray(size).toString("hex"), "0000c03f000010c00000000000004040");
  assert.deepEqual(
    (JSON.parse(body.subarray(0, size).toString()) as Expected)["outputs"],
    [{ ...FOUR_OUT, data: undefined, parameters: { binary_data_size: 16 } }].map(
      (output) => JSON.parse(JSON.stringify(output)) as unknown,
    ),
  );
  const packed = await fetch(url, {
    method: "POST",
    body: gzipSync(JSON.stringify({ inputs: [FOUR], parameters: { binary_data_output: true } })),
    headers: { "content-encoding": "gzip", "accept-encoding": "gzip" },
  });
  assert.equal(packed.headers.get("content-encoding"), "gzip"); // fetch has unpacked it
  const unpacked = Buffer.from(await packed.arrayBuffer());
  assert.ok(unpacked.includes(Buffer.from("0000c03f000010c0", "hex")));
  assert.throws(() => gunzipSync(unpacked));
});

test("an ONNX file takes and gives half floats bit by bit, and text, but no other bytes", async (t) => {
  await using server = await startV2Server(t, "onnx");
  if (server === undefined) return;
  const url = `http://127.0.0.1:${server.ports.http}`;
  const ask = (model: string, datatype: string, hex: string): Promise<Response> =>
    send(url + infer(model), {
      body: {
        inputs: [
          {
            ...{ name: "INPUT0", datatype, shape: [1, 2] },
            parameters: { binary_data_size: hex.length / 2 },
          },
        ],
        parameters: { binary_data_output: true },
      },
      blobs: [hex],
    });
  const halves = await ask("identity_fp16", "FP16", "003e01fc");
  assert.equal(halves.status, 200);
  const body = Buffer.from(await halves.arrayBuffer());
  assert.equal(body.subarray(-4).toString("hex"), "003e01fc"); // a signalling NaN too
  const text = await ask("identity_bytes", "BYTES", "02000000c3a400000000");
  assert.ok(Buffer.from(await text.arrayBuffer()).includes("ä"));
  const refused = await ask("identity_bytes", "BYTES", "01000000ff00000000");
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /\\"INPUT0\\" holds bytes that are no UTF-8/);
});

test("models are counted, listed, taken out of use and loaded again", async (t) => {
  await using server = await startV2Server(t, "class");
  if (server === undefined) return;
  const url = `http://127.0.0.1:${server.ports.http}`;
  const get = async (path: string): Promise<Expected> =>
    (await (await fetch(url + path)).json()) as Expected;
  const post = (path: string, body: unknown = {}): Promise<Response> => send(url + path, { body });
  const rows = (count: number): Expected =>
    tensor(
      "INPUT0",
      "FP32",
      [count, 3],
      Array.from({ length: 3 * count }, () => 0),
    );
  for (const count of [2, 3]) await post(infer("classify"), { inputs: [rows(count)] });
  await post(infer("classify"), { inputs: [] });
  await post(infer("fail"), { inputs: [FOUR] });
  const [classify] = (await get("/v2/models/classify/stats"))["model_stats"] as readonly Expected[];
  assert.deepEqual([classify?.["inference_count"], classify?.["execution_count"]], [5, 2]);
  const [fail] = (await get("/v2/models/fail/stats"))["model_stats"] as readonly Expected[];
  const counts = (fail?.["inference_stats"] ?? {}) as Record<string, { readonly count: number }>;
  assert.deepEqual(
    [fail?.["inference_count"], counts["success"]?.count, counts["fail"]?.count],
    [0, 0, 1],
  );
  assert.equal(((await get("/v2/models/stats"))["model_stats"] as unknown[]).length, 7);

  assert.equal((await post("/v2/repository/models/classify/unload")).status, 200);
  assert.equal((await fetch(`${url}/v2/models/classify`)).status, 404);
  assert.equal((await post(infer("classify"), { inputs: [rows(1)] })).status, 404);
  assert.equal((await fetch(`${url}/v2/health/ready`)).status, 200);
  const index = async (body: unknown): Promise<readonly Expected[]> =>
    (await (await post("/v2/repository/index", body)).json()) as readonly Expected[];
  const gone = (await index({})).find(({ name }) => name === "classify");
  assert.deepEqual(gone, {
    name: "classify",
    version: "1",
    state: "UNAVAILABLE",
    reason: "unloaded",
  });
  assert.equal((await index({ ready: true })).length, 6);
  assert.equal((await post("/v2/repository/models/classify/load")).status, 200);
  assert.equal((await post(infer("classify"), { inputs: [rows(1)] })).status, 200);
  assert.equal((await post("/v2/repository/models/nosuch/load")).status, 404);
});

test("pages of other hosts can neither load nor unload models", async (t) => {
  await using server = await startV2Server(t, "onnx");
  if (server === undefined) return;
  const url = `http://127.0.0.1:${server.ports.http}`;
  const control = (action: string, origin: string): Promise<Response> =>
    send(`${url}/v2/repository/models/add_sub/${action}`, { body: {}, headers: { origin } });
  for (const action of ["unload", "load"])
    for (const origin of [
      "https://elsewhere.example",
      "null",
      "http://127.0.0.1:1",
      "",
      "no url",
    ]) {
      const refused = await control(action, origin);
      assert.equal(refused.status, 403, `${action} ${origin}`);
      assert.match(await refused.text(), /clients may not do that.*from a page of/);
    }
  assert.equal((await fetch(`${url}/v2/models/add_sub/ready`)).status, 200);
  assert.equal((await control("unload", url)).status, 200);
  assert.equal((await control("load", url)).status, 200);
});
