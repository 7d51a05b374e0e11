import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { ServiceType } from "../../src/models/description/index.ts";
import {
  createLogger,
  serveModel,
  type RunningServer,
  type ServeOptions,
} from "../../src/serving/server/index.ts";
import { pythonEnv } from "../support/python-env.ts";
import { startGrpcClient, type GrpcAnswer, type GrpcCase } from "../support/seldon/grpc.ts";
import { WRAPPER_PACKAGES } from "../support/seldon/servers.ts";
import {
  get,
  json,
  multipart,
  send,
  type WireAnswer,
  type WireRequest,
} from "../support/seldon/wire.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/js-models");

interface Setup extends Partial<ServeOptions> {
  readonly file?: string;
  readonly service?: ServiceType;
  readonly timeoutMs?: number;
  readonly hasGrpc?: boolean;
}

async function start(
  name: string,
  {
    file = "Model.ts",
    service = "MODEL",
    timeoutMs = 60_000,
    hasGrpc = false,
    ...options
  }: Setup = {},
): Promise<RunningServer> {
  return serveModel(
    {
      schemaVersion: 1,
      name,
      kind: "class",
      contract: "seldon",
      service,
      codePath: FOLDER,
      code: { file, name, language: "javascript" },
      ports: { http: 0, ...(hasGrpc && { grpc: 0 }) },
      server: { timeoutMs },
    },
    {
      host: "127.0.0.1",
      log: createLogger({ level: "fatal", write: () => undefined }),
      ...options,
    },
  );
}

async function ask(server: RunningServer, request: WireRequest): Promise<WireAnswer> {
  return send(server.ports.http, request);
}

function asking(name: string, data: object = { ndarray: [[1, 2]] }): WireRequest {
  return json("/api/v1.0/predictions", { data: { names: [name], ...data } });
}

const TAGS = '"meta":{"tags":{"model":"js"}}';

test("a TypeScript class answers every kind of value", async () => {
  await using server = await start("default");
  const expected: Readonly<Record<string, readonly [status: number, body: string]>> = {
    echo: [200, `{"data":{"names":["one","two"],"ndarray":[[1,2]]},${TAGS}}\n`],
    text: [200, `{${TAGS},"strData":"w\\u00f6rter"}\n`],
    bytes: [200, `{"binData":"AQL/",${TAGS}}\n`],
    object: [200, `{"jsonData":{"a":[1.5,null,NaN],"b":1,"\\u00e9":{"z":true}},${TAGS}}\n`],
    typed: [200, `{"data":{"names":[],"ndarray":[1.0,2.5]},${TAGS}}\n`],
    shaped: [200, `{"data":{"names":["one","two"],"ndarray":[[1,2],[3,4]]},${TAGS}}\n`],
    strings: [200, `{"data":{"names":["one","two"],"ndarray":[["a","b"]]},${TAGS}}\n`],
    mixed: [200, `{"data":{"names":["one","two"],"ndarray":[["a",1]]},${TAGS}}\n`],
    truths: [200, `{"data":{"names":["one","two"],"ndarray":[[true,false]]},${TAGS}}\n`],
    response: [
      200,
      '{"data":{"names":["one","two"],"ndarray":[[1,2]]},"meta":{"metrics":[{"key":"made","type":"COUNTER","value":2}],"tags":{"model":"js","own":"yes"}}}\n',
    ],
    number: [400, "Unknown data type returned as payload (must be list or np array):5"],
    nothing: [400, "Unknown data type returned as payload (must be list or np array):null"],
    "bad-metric": [500, "MICROSERVICE_BAD_METRIC"],
    error: [500, '"info":"out of order","reason":"MICROSERVICE_INTERNAL_ERROR"'],
    refuse: [403, '"info":"not today","reason":"MICROSERVICE_BAD_DATA"'],
  };
  for (const [name, [status, body]] of Object.entries(expected)) {
    const answer = await ask(server, asking(name));
    assert.equal(answer.status, status, `${name}: ${answer.body}`);
    if (status === 200) assert.equal(answer.body, body, name);
    else assert.ok(answer.body.includes(body), `${name}: ${answer.body}`);
  }
});

test("arguments are nested lists, names, meta and typed parameters; load() has run", async () => {
  const parameters = [
    { name: "factor", value: "2.5", type: "FLOAT" },
    { name: "name", value: 7, type: "STRING" },
  ];
  await using server = await start("default", { parameters });
  const answer = await ask(
    server,
    json("/predict", {
      meta: { puid: "p" },
      data: { names: ["arguments", "b"], tensor: { shape: [1, 2], values: [1, 2.5] } },
    }),
  );
  assert.deepEqual((JSON.parse(answer.body) as { jsonData: unknown }).jsonData, {
    X: [[1, 2.5]],
    names: ["arguments", "b"],
    meta: { puid: "p" },
    factor: 2.5,
    name: "7",
    loaded: true,
  });
  assert.equal(
    (await ask(server, asking("arguments", { ndarray: [["a", null, 1]] }))).body.includes(
      '"X":[["a",null,1]]',
    ),
    true,
  );
  assert.ok(
    (
      await ask(server, json("/predict", '{"data":{"names":["echo"],"ndarray":[[NaN,"NaN"]]}}'))
    ).body.includes('[[NaN,"NaN"]]'),
  );
});

test("camel case and snake case are both heard, by every endpoint", async () => {
  await using server = await start("default", {
    parameters: [{ name: "factor", value: "10", type: "INT" }],
  });
  const row = { data: { ndarray: [[1, 2]] } };
  assert.ok((await ask(server, json("/transform-input", row))).body.includes("[[10,20]]"));
  assert.ok((await ask(server, json("/transform-output", row))).body.includes("[[1,2]]"));
  assert.ok((await ask(server, json("/route", row))).body.includes("[[1]]"));
  assert.ok(
    (await ask(server, json("/aggregate", [row, { data: { ndarray: [[3, 4]] } }]))).body.includes(
      "[[3,4]]",
    ),
  );
  assert.ok(
    (
      await ask(
        server,
        json("/send-feedback", {
          request: row,
          reward: 1.5,
          response: { meta: { routing: { "0": 2 } } },
        }),
      )
    ).body.includes('"reward":1.5,"routing":2.0'),
  );
  assert.ok((await ask(server, get("/health/status"))).body.includes('"jsonData":{"pulse":60}'));
  assert.ok((await ask(server, get("/metadata"))).body.includes('"name":"js-model"'));
});

test("what a class lacks is answered as for a Python class", async () => {
  await using server = await start("Bare");
  const row = { data: { ndarray: [[1, 2]] } };
  assert.ok((await ask(server, json("/predict", row))).body.includes("Predict not defined"));
  assert.ok((await ask(server, json("/route", row))).body.includes("Route not defined"));
  assert.ok((await ask(server, json("/aggregate", [row]))).body.includes("Aggregate not defined"));
  assert.equal(
    (await ask(server, json("/transform-input", row))).body,
    '{"data":{"names":["t:0","t:1"],"ndarray":[[1,2]]},"meta":{}}\n',
  );
  assert.equal((await ask(server, json("/send-feedback", { reward: 1 }))).status, 200);
  assert.ok((await ask(server, get("/health/status"))).body.includes("healthy"));
});

test("score of an outlier detector becomes a tag", async () => {
  await using server = await start("Detector", { service: "OUTLIER_DETECTOR" });
  const answer = await ask(server, json("/transform-input", { data: { ndarray: [[1, 9]] } }));
  assert.equal(
    answer.body,
    '{"data":{"names":["t:0","t:1"],"ndarray":[[1,9]]},"meta":{"tags":{"outlierScore":9}}}\n',
  );
});

test("raw methods are given the whole message, with files of forms as bytes", async () => {
  await using server = await start("Raw");
  assert.equal(
    (await ask(server, json("/predict", { strData: "a", meta: { x: 1 } }))).body,
    '{"jsonData":{"raw":{"meta":{"x":1},"strData":"a"}}}\n',
  );
  assert.equal(
    (await ask(server, multipart("/predict", [{ name: "binData", content: "ab", filename: "f" }])))
      .body,
    '{"jsonData":{"raw":{"binData":[97,98]}}}\n',
  );
});

test("a CommonJS class of the older wrapper works", async () => {
  await using server = await start("Old", { file: "Old.cjs" });
  assert.equal(
    (await ask(server, asking("x"))).body,
    '{"data":{"names":["left","right"],"ndarray":[[2,3]]},"meta":{}}\n',
  );
});

test("a class that cannot be loaded says why", async () => {
  await assert.rejects(start("Failing"), {
    code: "MODEL_LOAD_FAILED",
    message: /Error: no weights/,
  });
  await assert.rejects(start("Missing"), {
    code: "MODEL_LOAD_FAILED",
    message: /there is no export "Missing"/,
  });
  await assert.rejects(start("Missing", { file: "Missing.ts" }), { code: "MODEL_LOAD_FAILED" });
  await assert.rejects(
    start("default", { parameters: [{ name: "factor", value: "x", type: "INT" }] }),
    { message: /factor with value x cannot be parsed as INT/ },
  );
});

test("a call that hangs or ends its thread fails alone, and health is answered meanwhile", async () => {
  await using server = await start("Hanging", { timeoutMs: 300 });
  const hanging = ask(server, asking("hang"));
  assert.equal((await ask(server, get("/health/ping"))).body, "pong");
  assert.equal((await hanging).status, 504);
  assert.equal((await ask(server, asking("exit"))).status, 500);
  assert.equal((await ask(server, asking("echo"))).status, 200);
});

test("what user code prints is logged with the request's puid", async () => {
  const lines: string[] = [];
  await using server = await start("default", {
    log: createLogger({ write: (line) => void lines.push(line) }),
  });
  await ask(
    server,
    json("/predict", { meta: { puid: "the-puid" }, data: { names: ["echo"], ndarray: [[1]] } }),
  );
  const line = lines
    .map((text) => JSON.parse(text) as { msg: string; puid?: string })
    .find(({ msg }) => msg === "asked for echo");
  assert.equal(line?.puid, "the-puid");
});

test("over gRPC raw methods are given messages in their JSON form, and what they return is a message again", async (t) => {
  const environment = await pythonEnv(t, { packages: WRAPPER_PACKAGES });
  if (environment === undefined) return;
  await using server = await start("Raw", { hasGrpc: true });
  await using client = await startGrpcClient({
    python: environment.python,
    target: `127.0.0.1:${server.ports.grpc ?? 0}`,
  });
  const ask = (
    service: GrpcCase["service"],
    method: string,
    request: unknown,
  ): Promise<GrpcAnswer> =>
    client.call({
      service,
      method,
      type:
        method === "Aggregate"
          ? "SeldonMessageList"
          : method === "SendFeedback"
            ? "Feedback"
            : "SeldonMessage",
      request,
    });
  const meta = { puid: "p", routing: { r: -1 }, tags: { a: 1 } };
  const payloads: readonly object[] = [
    { strData: "ü" },
    { binData: "AQI=" },
    { jsonData: { a: [1, null] } },
    { data: { names: ["x"], ndarray: [["t", 1.5]] } },
    { data: { tensor: { shape: [1, 2], values: [1, 2.5] } } },
  ];
  for (const payload of payloads) {
    const shown = await ask("Model", "Predict", { ...payload, meta });
    assert.equal(shown.code, "OK", `${JSON.stringify(payload)}: ${shown.details}`);
    const { raw } = (shown.answer as { jsonData: { raw: object } }).jsonData;
    assert.deepEqual(raw, { ...withNames(payload), meta });
    const back = await ask("Transformer", "TransformInput", { ...payload, meta });
    assert.deepEqual(back.answer, {
      ...payload,
      meta: { ...meta, tags: { of: "raw" }, metrics: [{ key: "raws", value: 1 }] },
    });
  }
  assert.deepEqual(
    (
      await ask("Combiner", "Aggregate", {
        seldonMessages: [{ strData: "a" }, { strData: "b", meta }],
      })
    ).answer,
    { strData: "b", meta },
  );
  assert.deepEqual(
    (
      await ask("Model", "SendFeedback", {
        request: { strData: "q" },
        truth: { strData: "t" },
        reward: 2,
      })
    ).answer,
    { strData: "t", meta: {} },
  );
  assert.deepEqual(
    (await ask("Model", "SendFeedback", { request: { strData: "q" }, reward: 0.5 })).answer,
    {},
  );
  assert.deepEqual((await ask("OutputTransformer", "TransformOutput", { strData: "x" })).answer, {
    data: { names: ["a"], tensor: { shape: [2, 1], values: [1, 2] } },
  });
  assert.equal((await ask("Router", "Route", { strData: "x" })).code, "UNKNOWN");
  const counted = await fetch(`http://127.0.0.1:${server.ports.http}/metrics`).then((response) =>
    response.text(),
  );
  assert.match(counted, /raws_total\{[^}]*\} 5/);
});

/** Both forms of `data` have names in JSON, be it none. */
function withNames(payload: object): object {
  return "data" in payload ? { data: { names: [], ...(payload.data as object) } } : payload;
}
