import { form, get, json, multipart, type WireRequest } from "./wire.ts";

/** Where clients of the wrapper post predictions. */
export const PREDICT: string = "/api/v1.0/predictions";
/** A request of one row. */
export const ROW: object = { data: { names: ["a", "b"], ndarray: [[1, 2]] } };

/** Requests by name, posted as JSON to one path. */
export function predictions(
  bodies: Readonly<Record<string, unknown>>,
  path: string = PREDICT,
): Record<string, WireRequest> {
  return Object.fromEntries(Object.entries(bodies).map(([id, body]) => [id, json(path, body)]));
}

/** A request for the answer called `name` of the class `Answers`. */
export function asking(name: string, kind: "ndarray" | "tensor" = "ndarray"): unknown {
  return {
    data: {
      names: [name],
      ...(kind === "tensor" ? { tensor: { shape: [1, 1], values: [1] } } : { ndarray: [[1]] }),
    },
  };
}

/** Every kind of payload, and what is wrong with them. */
export const PAYLOADS: Readonly<Record<string, WireRequest>> = predictions({
  "ndarray of integers": ROW,
  "ndarray of floats": {
    data: {
      ndarray: [
        [1.0, 2.5],
        [-0.0, 1e300],
      ],
    },
  },
  "ndarray of one axis": { data: { ndarray: [1, 2, 3] } },
  "ndarray of no axis": { data: { ndarray: 5 } },
  "ndarray of three axes": {
    data: {
      ndarray: [
        [
          [1, 2],
          [3, 4],
        ],
        [
          [5, 6],
          [7, 8],
        ],
      ],
    },
  },
  "ndarray empty": { data: { ndarray: [] } },
  "ndarray of empty rows": { data: { ndarray: [[], []] } },
  "ndarray of text": { data: { ndarray: [["a", "é"]] } },
  "ndarray of text and numbers": { data: { ndarray: [["a", 1, 2.5]] } },
  "ndarray of text and truth": '{"data":{"ndarray":[["a",true,null]]}}',
  "ndarray with null": { data: { ndarray: [[1, null]] } },
  "ndarray of objects": { data: { ndarray: [[{ a: 1 }]] } },
  "ndarray of truths": { data: { ndarray: [[true, false]] } },
  "ndarray of truths and numbers": { data: { ndarray: [[true, 2]] } },
  "ndarray with NaN": '{"data":{"ndarray":[[NaN,Infinity,-Infinity]]}}',
  "ndarray ragged": { data: { ndarray: [[1], [1, 2]] } },
  "ndarray of uneven depth": { data: { ndarray: [1, [2]] } },
  "ndarray of big integers": '{"data":{"ndarray":[[9223372036854775807,-9223372036854775808]]}}',
  "ndarray of unsigned integers": '{"data":{"ndarray":[[18446744073709551615]]}}',
  "ndarray of huge integers": '{"data":{"ndarray":[[123456789012345678901234567890]]}}',
  "ndarray of text alone": { data: { ndarray: "text" } },
  "ndarray null": { data: { ndarray: null } },
  tensor: { data: { tensor: { shape: [2, 2], values: [1, 2, 3, 4] } } },
  "tensor of floats": { data: { names: ["x"], tensor: { shape: [3, 1], values: [1, 2.5, 3] } } },
  "tensor of one axis": { data: { tensor: { shape: [2], values: [1, 2] } } },
  "tensor of no axis": { data: { tensor: { shape: [], values: [1] } } },
  "tensor with an open axis": { data: { tensor: { shape: [-1, 2], values: [1, 2, 3, 4] } } },
  "tensor of nested values": {
    data: {
      tensor: {
        shape: [2, 2],
        values: [
          [1, 2],
          [3, 4],
        ],
      },
    },
  },
  "tensor of text": { data: { tensor: { shape: [1, 2], values: ["a", "b"] } } },
  "tensor with NaN": '{"data":{"tensor":{"shape":[2],"values":[NaN,1]}}}',
  "tensor that does not fit": { data: { tensor: { shape: [2, 2], values: [1, 2, 3] } } },
  "tensor without shape": { data: { tensor: { values: [1] } } },
  "tensor without values": { data: { tensor: { shape: [1] } } },
  "tensor null": { data: { tensor: null } },
  "tensor a list": { data: { tensor: [1, 2] } },
  "tensor with a shape of text": { data: { tensor: { shape: ["1"], values: [1] } } },
  "tensor with a shape of floats": '{"data":{"tensor":{"shape":[1.0],"values":[1]}}}',
  "tensor with a bare shape": { data: { tensor: { shape: 2, values: [1, 2] } } },
  "tensor empty": { data: { tensor: { shape: [0], values: [] } } },
  "tensor before ndarray": { data: { ndarray: [[1]], tensor: { shape: [1], values: [2] } } },
  "names of numbers": { data: { names: [1, 2], ndarray: [[1, 2]] } },
  "names text": { data: { names: "ab", ndarray: [[1, 2]] } },
  "names null": { data: { names: null, ndarray: [[1, 2]] } },
  "data without an array": { data: { names: ["a"] } },
  "data null": { data: null },
  "data a list": { data: [1] },
  "data text": { data: "text" },
  "data number": { data: 5 },
  "jsonData object": { jsonData: { b: 1, a: { c: [1.5, null, true] } } },
  "jsonData list": { jsonData: [1, 2, 3] },
  "jsonData nested list": { jsonData: [[1, 2.5]] },
  "jsonData list of text": { jsonData: ["a", "b"] },
  "jsonData text": { jsonData: "text" },
  "jsonData number": { jsonData: 5 },
  "jsonData true": { jsonData: true },
  "jsonData null": { jsonData: null },
  "jsonData with NaN": '{"jsonData":{"a":NaN}}',
  strData: { strData: "wörter \u{1f600} <b>&" },
  "strData empty": { strData: "" },
  "strData number": { strData: 5 },
  "strData null": { strData: null },
  "strData with surrogates": '{"strData":"\\ud800 \\udc00"}',
  binData: { binData: Buffer.from("\0\xff bytes", "latin1").toString("base64") },
  "binData empty": { binData: "" },
  "binData without padding": { binData: "AAE" },
  "binData with stray characters": { binData: "AA\n E=!!" },
  "binData with letters beyond ASCII": { binData: "é===" },
  "binData number": { binData: 5 },
  "binData null": { binData: null },
  customData: { customData: { type: "x" } },
  "data before jsonData": { jsonData: 1, data: { ndarray: [1] } },
  "jsonData before strData": { strData: "a", jsonData: { a: 1 } },
  "strData before binData": { binData: "AAE=", strData: "a" },
  "unknown keys beside": { data: { ndarray: [1], other: 1 }, extra: { a: 1 } },
});

/** What may stand in `meta`. */
export const META: Readonly<Record<string, WireRequest>> = predictions({
  puid: { meta: { puid: "id-1" }, ...ROW },
  "puid number": { meta: { puid: 5 }, ...ROW },
  "puid empty": { meta: { puid: "" }, ...ROW },
  tags: { meta: { tags: { z: 1, a: { b: [1.5] } } }, ...ROW },
  metrics: {
    meta: { metrics: [{ type: "COUNTER", key: "in", value: 1 }, { anything: 1 }] },
    ...ROW,
  },
  "request path": { meta: { requestPath: { before: "image:1" } }, ...ROW },
  routing: { meta: { routing: { a: 1 } }, ...ROW },
  "unknown keys": { meta: { other: 1 }, ...ROW },
  empty: { meta: {}, ...ROW },
  null: { meta: null, ...ROW },
  list: { meta: [], ...ROW },
  text: { meta: "text", ...ROW },
  "tags a list": { meta: { tags: [1] }, ...ROW },
  "tags null": { meta: { tags: null }, ...ROW },
  "metrics an object": { meta: { metrics: { a: 1 } }, ...ROW },
  "metrics a number": { meta: { metrics: 5 }, ...ROW },
  "request path a number": { meta: { requestPath: 5 }, ...ROW },
});

/** Every place where a message is looked for. */
export const BODIES: Readonly<Record<string, WireRequest>> = {
  "no body": { method: "POST", path: PREDICT },
  "empty body": json(PREDICT, ""),
  "white space": json(PREDICT, "  \n"),
  "not JSON": json(PREDICT, "{data: 1}"),
  "JSON that ends too early": json(PREDICT, '{"data":{"ndarray":[[1,'),
  "JSON with more behind it": json(PREDICT, '{"strData":"a"} x'),
  null: json(PREDICT, "null"),
  true: json(PREDICT, "true"),
  number: json(PREDICT, "5"),
  text: json(PREDICT, '"text"'),
  list: json(PREDICT, "[1,2]"),
  "empty object": json(PREDICT, "{}"),
  "object without payload": json(PREDICT, { a: { b: [1, "x", null, true, 1.5] }, meta: {} }),
  "not UTF-8": {
    path: PREDICT,
    body: Buffer.from('{"strData":"\xff"}', "latin1"),
    headers: { "Content-Type": "application/json" },
  },
  "UTF-8 with a mark": json(PREDICT, '\ufeff{"strData":"a"}'),
  "keys twice": json(PREDICT, '{"strData":"a","strData":"b"}'),
  "control characters in text": json(PREDICT, '{"strData":"a\u0001b"}'),
  "deep nesting": json(PREDICT, `{"jsonData":${"[".repeat(200)}${"]".repeat(200)}}`),
  "type with charset": json(PREDICT, ROW, "application/json; charset=utf-8"),
  "type in capitals": json(PREDICT, ROW, "Application/JSON"),
  "type ending in +json": json(PREDICT, ROW, "application/vnd.api+json"),
  "type text": json(PREDICT, ROW, "text/plain"),
  "type of curl": json(PREDICT, ROW, "application/x-www-form-urlencoded"),
  "no type": { path: PREDICT, body: JSON.stringify(ROW) },
  chunked: {
    ...json(PREDICT, ROW),
    headers: { "Content-Type": "application/json", "Transfer-Encoding": "chunked" },
  },
  form: form("/predict", { json: JSON.stringify(ROW) }),
  "form to the versioned path": form(PREDICT, { json: JSON.stringify(ROW), other: "x" }),
  "form that is not JSON": form("/predict", { json: "{" }),
  "form with an empty field": form("/predict", { json: "" }),
  "form without the field": form("/predict", { other: "x" }),
  query: get("/predict", { json: JSON.stringify(ROW) }),
  "query that is not JSON": get("/predict", { json: "{" }),
  "query that is empty": get("/predict", { json: "" }),
  "query before body": json(`${PREDICT}?json=${encodeURIComponent('{"strData":"query"}')}`, {
    strData: "body",
  }),
  "form before query": form(`/predict?json=${encodeURIComponent('{"strData":"query"}')}`, {
    json: '{"strData":"form"}',
  }),
  "GET without anything": get("/predict"),
  "multipart data": multipart(PREDICT, [{ name: "data", content: '{"ndarray":[[1,2]]}' }]),
  "multipart with meta": multipart(PREDICT, [
    { name: "data", content: '{"ndarray":[[1,2]]}' },
    { name: "meta", content: '{"puid":"p"}' },
  ]),
  "multipart strData": multipart(PREDICT, [{ name: "strData", content: '"quoted"' }]),
  "multipart strData file": multipart(PREDICT, [
    { name: "strData", content: "of a file é", filename: "a.txt" },
  ]),
  "multipart strData file that is not UTF-8": multipart(PREDICT, [
    { name: "strData", content: Buffer.from([0xff, 0xfe]), filename: "a.txt" },
  ]),
  "multipart binData file": multipart(PREDICT, [
    { name: "binData", content: Buffer.from([0, 1, 255]), filename: "a.bin" },
  ]),
  "multipart binData text": multipart(PREDICT, [{ name: "binData", content: "AAE=" }]),
  "multipart jsonData": multipart(PREDICT, [{ name: "jsonData", content: '{"a":[1]}' }]),
  "multipart jsonData file": multipart(PREDICT, [
    { name: "jsonData", content: '{"a":[1]}', filename: "a.json" },
  ]),
  "multipart not JSON": multipart(PREDICT, [{ name: "data", content: "{" }]),
  "multipart nothing known": multipart(PREDICT, [{ name: "other", content: "1" }]),
  "multipart empty": multipart(PREDICT, []),
  "multipart the same field twice": multipart(PREDICT, [
    { name: "strData", content: "a" },
    { name: "strData", content: "b" },
  ]),
};

/** Every path, and some that are none. */
export const PATHS: Readonly<Record<string, WireRequest>> = {
  "unknown path": get("/nothing"),
  "unknown path, posted": json("/nothing", ROW),
  "trailing slash": json("/predict/", ROW),
  combine: json("/combine", { seldonMessages: [ROW] }),
  "GET of predictions": get(PREDICT),
  PUT: { ...json("/predict", ROW), method: "PUT" },
  DELETE: { method: "DELETE", path: "/predict" },
  "POST of ping": json("/health/ping", ROW),
  "POST of metadata": json("/metadata", ROW),
  "GET of feedback": get("/api/v1.0/feedback"),
  "HEAD of ping": { method: "HEAD", path: "/health/ping" },
  ping: get("/health/ping"),
  status: get("/health/status"),
  "status with version": get("/api/v1.0/health/status"),
  metadata: get("/metadata"),
  "metadata with version": get("/api/v1.0/metadata"),
  "predictions 0.1": json("/api/v0.1/predictions", ROW),
  "predict, posted": json("/predict", ROW),
  "feedback 0.1": json("/api/v0.1/feedback", { reward: 1 }),
  "transform input": json("/transform-input", ROW),
  "transform output": json("/transform-output", ROW),
  route: json("/route", ROW),
  aggregate: json("/aggregate", { seldonMessages: [ROW] }),
  "transform input by query": get("/transform-input", { json: JSON.stringify(ROW) }),
  "pages of an idle server": { ...get("/metrics"), port: "metrics" },
  "metrics port, unknown path": { ...get("/nothing"), port: "metrics" },
};

/** Feedback, right and wrong. */
export const FEEDBACK: Readonly<Record<string, WireRequest>> = predictions(
  {
    everything: {
      request: { data: { names: ["a"], ndarray: [[1, 2]] }, meta: { puid: "p", tags: { a: 1 } } },
      response: { meta: { routing: { "0": 2 } }, data: { ndarray: [9] } },
      reward: 0.5,
      truth: { data: { ndarray: [3] } },
    },
    "reward alone": { reward: 1 },
    nothing: {},
    tensor: { request: { data: { tensor: { shape: [1, 2], values: [1, 2] } } }, reward: 1 },
    text: { request: { strData: "text" }, truth: { strData: "t" } },
    JSON: { request: { jsonData: { a: 1 } } },
    bytes: { request: { binData: "AAE=" } },
    "reward text": { reward: "x" },
    "reward as text of a number": { reward: "1.5" },
    "reward null": { reward: null },
    "unknown field": { rewards: 1 },
    "unknown field within": { request: { datum: 1 } },
    "tensor of text": { request: { data: { tensor: { values: ["x"] } } } },
    "ndarray of text": { request: { data: { ndarray: [["x", 1]] } } },
    list: [],
    number: 5,
    "not JSON": "{",
    "reward NaN": '{"reward":NaN}',
    "reward of any size": { reward: 16777217 },
  },
  "/send-feedback",
);

/** Lists of messages, right and wrong. */
export const AGGREGATE: Readonly<Record<string, WireRequest>> = predictions(
  {
    messages: {
      seldonMessages: [{ data: { names: ["a"], ndarray: [[1]] } }, { data: { ndarray: [[2.5]] } }],
    },
    "bare list": [
      { data: { tensor: { shape: [1, 1], values: [1] } } },
      { strData: "x" },
      { binData: "AAE=" },
      { jsonData: { a: 1 } },
    ],
    "no messages": { seldonMessages: [] },
    "an empty list": [],
    "not a list": { seldonMessages: { a: 1 } },
    null: { seldonMessages: null },
    "another key": { messages: [ROW] },
    "a message without payload": { seldonMessages: [{ meta: {} }] },
    "a message that is a number": { seldonMessages: [5] },
    text: '"text"',
    "with meta": {
      seldonMessages: [
        { meta: { puid: "1", tags: { a: 1, b: 1 } }, ...ROW },
        { meta: { puid: "2", tags: { b: 2 }, metrics: [{ key: "k" }] }, ...ROW },
      ],
    },
  },
  "/aggregate",
);

const ANSWER_NAMES = [
  "vector",
  "scalar-array",
  "deep",
  "empty",
  "no-columns",
  "list",
  "list-mixed",
  "list-empty",
  "text",
  "bytes",
  "bytearray",
  "dict",
  "dict-int-keys",
  "dict-mixed-keys",
  "dict-nan",
  "dict-date",
  "dict-numpy",
  "dict-numpy-int",
  "dict-set",
  "none",
  "int",
  "float",
  "tuple",
  "bool",
  "numpy-number",
  "float32",
  "float16",
  "int8",
  "uint64",
  "bools",
  "strings",
  "objects",
  "complex",
  "dates",
  "byte-strings",
  "nan",
  "big-endian",
  "strided",
  "fortran",
  "numbers",
  "response",
  "response-text",
  "response-bare",
  "response-bad-metric",
  "response-tuple-metric",
  "error",
  "type-error",
  "key-error",
  "assertion",
  "refuse",
  "refuse-403",
  "refuse-reason",
  "refuse-500",
] as const;
const KINDS_IN_TENSOR = [
  "vector",
  "deep",
  "list",
  "strings",
  "bools",
  "nan",
  "numbers",
  "response",
  "dict",
  "empty",
] as const;
/** Everything that user code may return or raise. */
export const ANSWERS: Readonly<Record<string, WireRequest>> = {
  ...predictions(Object.fromEntries(ANSWER_NAMES.map((name) => [name, asking(name)]))),
  ...predictions(
    Object.fromEntries(
      KINDS_IN_TENSOR.map((name) => [`${name} for a tensor`, asking(name, "tensor")]),
    ),
  ),
  ...Object.fromEntries(
    ["vector", "text", "response", "error", "none", "refuse-403", "response-bad-metric"].map(
      (name) => [`${name} of transform-input`, json("/transform-input", asking(name))],
    ),
  ),
  ...Object.fromEntries(
    ["vector", "bytes", "response", "error", "none"].map((name) => [
      `${name} of transform-output`,
      json("/transform-output", asking(name)),
    ]),
  ),
  ...Object.fromEntries(
    ["vector", "dict", "response", "error", "none"].map((name) => [
      `${name} of aggregate`,
      json("/aggregate", { seldonMessages: [asking(name)] }),
    ]),
  ),
  ...Object.fromEntries(
    ["int", "response", "response-int", "error", "none", "float", "bool", "numpy-number"].map(
      (name) => [`${name} of route`, json("/route", asking(name))],
    ),
  ),
  ...Object.fromEntries(
    ["vector", "none", "text", "dict", "response", "error", "list-mixed", "bytes"].map((name) => [
      `${name} of feedback`,
      json("/send-feedback", { request: asking(name), reward: 1 }),
    ]),
  ),
};

/** What the model says of itself. */
export const METADATA: Readonly<Record<string, WireRequest>> = { metadata: get("/metadata") };
/** What the constructor was given. */
export const PARAMETERS: Readonly<Record<string, WireRequest>> = {
  parameters: json("/predict", { data: { names: ["parameters"], ndarray: [1] } }),
};

/** The variable that typed parameters come in. */
export function withParameters(
  ...parameters: readonly (readonly [name: string, value: unknown, type?: string])[]
): Readonly<Record<string, string>> {
  return {
    PREDICTIVE_UNIT_PARAMETERS: JSON.stringify(
      parameters.map(([name, value, type]) => ({ name, value, type })),
    ),
  };
}

/** The metrics page. */
export const PAGE: WireRequest = { ...get("/metrics"), port: "metrics" };
/** A request whose column is not called as its answer. */
export const ONE: object = { data: { names: ["a"], ndarray: [[1, 2]] } };
/** For a class that has every optional method; the order matters, since it counts. */
export const FULL: Readonly<Record<string, WireRequest>> = {
  predict: json("/predict", ONE),
  "predict again": json("/predict", {
    ...ONE,
    meta: {
      puid: "p",
      tags: { version: "incoming", other: true },
      metrics: [{ key: "incoming" }],
      requestPath: { before: "x:1" },
    },
  }),
  "predict one axis": json("/predict", { data: { ndarray: [1, 2] } }),
  "predict more columns than names": json("/predict", { data: { ndarray: [[1, 2, 3]] } }),
  "transform input": json("/transform-input", ONE),
  route: json("/route", ONE),
  "route a tensor": json("/route", {
    meta: { puid: "p", tags: { a: 1 } },
    data: { tensor: { shape: [1], values: [1] } },
  }),
  aggregate: json("/aggregate", { seldonMessages: [{ meta: { tags: { a: 1 } }, ...ONE }, ONE] }),
  feedback: json("/send-feedback", { request: { meta: { puid: "p" }, ...ONE }, reward: 2.5 }),
  health: get("/health/status"),
  metadata: get("/metadata"),
  page: PAGE,
};

const RAW = predictions({
  predict: ROW,
  text: { strData: "t" },
  status: { strData: "status" },
  declined: { strData: "decline" },
  metrics: { strData: "metrics" },
  array: { strData: "array" },
  error: { strData: "error" },
  "not a message": [1],
});
/** For methods that are given whole messages. */
export const RAW_REQUESTS: Readonly<Record<string, WireRequest>> = {
  ...RAW,
  "transform input": json("/transform-input", ROW),
  "transform output": json("/transform-output", ROW),
  route: json("/route", ROW),
  aggregate: json("/aggregate", { seldonMessages: [ROW] }),
  "aggregate a list": json("/aggregate", [ROW]),
  health: get("/health/status"),
  multipart: multipart("/predict", [{ name: "binData", content: "bytes", filename: "a" }]),
};
