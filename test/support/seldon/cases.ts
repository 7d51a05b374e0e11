import { form, get, json, multipart, type WireRequest } from "./wire.ts";
import type { SeldonServer } from "./servers.ts";

/** What we answer in place of what the wrapper answers. */
export interface Deviation {
  readonly status: number;
  /** Text that the body has. */
  readonly body: string;
}

type Deviations = Readonly<Record<string, Deviation>>;

/** Requests to one server, in this order. */
export interface SeldonGroup {
  readonly id: string;
  readonly server: SeldonServer;
  readonly requests: Readonly<Record<string, WireRequest>>;
  /** Where the wrapper does harm and we do not, by request; `SELDON_STRICT_COMPAT=1` gives the wrapper's answer. */
  readonly better?: Deviations;
  /** Where we differ in every mode, by request; each has its reason in docs/spec-map.md. */
  readonly different?: Deviations;
  /** The server must not come up at all. */
  readonly failsToStart?: boolean;
}

const PREDICT = "/api/v1.0/predictions";
const ROW = { data: { names: ["a", "b"], ndarray: [[1, 2]] } };

function predictions(bodies: Readonly<Record<string, unknown>>, path: string = PREDICT): Record<string, WireRequest> {
  return Object.fromEntries(Object.entries(bodies).map(([id, body]) => [id, json(path, body)]));
}

/** A request for the answer called `name` of the class `Answers`. */
function asking(name: string, kind: "ndarray" | "tensor" = "ndarray"): unknown {
  return { data: { names: [name], ...(kind === "tensor" ? { tensor: { shape: [1, 1], values: [1] } } : { ndarray: [[1]] }) } };
}

const PAYLOADS = predictions({
  "ndarray of integers": ROW,
  "ndarray of floats": { data: { ndarray: [[1.0, 2.5], [-0.0, 1e300]] } },
  "ndarray of one axis": { data: { ndarray: [1, 2, 3] } },
  "ndarray of no axis": { data: { ndarray: 5 } },
  "ndarray of three axes": { data: { ndarray: [[[1, 2], [3, 4]], [[5, 6], [7, 8]]] } },
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
  "tensor": { data: { tensor: { shape: [2, 2], values: [1, 2, 3, 4] } } },
  "tensor of floats": { data: { names: ["x"], tensor: { shape: [3, 1], values: [1, 2.5, 3] } } },
  "tensor of one axis": { data: { tensor: { shape: [2], values: [1, 2] } } },
  "tensor of no axis": { data: { tensor: { shape: [], values: [1] } } },
  "tensor with an open axis": { data: { tensor: { shape: [-1, 2], values: [1, 2, 3, 4] } } },
  "tensor of nested values": { data: { tensor: { shape: [2, 2], values: [[1, 2], [3, 4]] } } },
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
  "strData": { strData: "wörter \u{1f600} <b>&" },
  "strData empty": { strData: "" },
  "strData number": { strData: 5 },
  "strData null": { strData: null },
  "strData with surrogates": '{"strData":"\\ud800 \\udc00"}',
  "binData": { binData: Buffer.from("\0\xff bytes", "latin1").toString("base64") },
  "binData empty": { binData: "" },
  "binData without padding": { binData: "AAE" },
  "binData with stray characters": { binData: "AA\n E=!!" },
  "binData with letters beyond ASCII": { binData: "é===" },
  "binData number": { binData: 5 },
  "binData null": { binData: null },
  "customData": { customData: { type: "x" } },
  "data before jsonData": { jsonData: 1, data: { ndarray: [1] } },
  "jsonData before strData": { strData: "a", jsonData: { a: 1 } },
  "strData before binData": { binData: "AAE=", strData: "a" },
  "unknown keys beside": { data: { ndarray: [1], other: 1 }, extra: { a: 1 } },
});

const META = predictions({
  "puid": { meta: { puid: "id-1" }, ...ROW },
  "puid number": { meta: { puid: 5 }, ...ROW },
  "puid empty": { meta: { puid: "" }, ...ROW },
  "tags": { meta: { tags: { z: 1, a: { b: [1.5] } } }, ...ROW },
  "metrics": { meta: { metrics: [{ type: "COUNTER", key: "in", value: 1 }, { anything: 1 }] }, ...ROW },
  "request path": { meta: { requestPath: { before: "image:1" } }, ...ROW },
  "routing": { meta: { routing: { a: 1 } }, ...ROW },
  "unknown keys": { meta: { other: 1 }, ...ROW },
  "empty": { meta: {}, ...ROW },
  "null": { meta: null, ...ROW },
  "list": { meta: [], ...ROW },
  "text": { meta: "text", ...ROW },
  "tags a list": { meta: { tags: [1] }, ...ROW },
  "tags null": { meta: { tags: null }, ...ROW },
  "metrics an object": { meta: { metrics: { a: 1 } }, ...ROW },
  "metrics a number": { meta: { metrics: 5 }, ...ROW },
  "request path a number": { meta: { requestPath: 5 }, ...ROW },
});

const BODIES: Readonly<Record<string, WireRequest>> = {
  "no body": { method: "POST", path: PREDICT },
  "empty body": json(PREDICT, ""),
  "white space": json(PREDICT, "  \n"),
  "not JSON": json(PREDICT, "{data: 1}"),
  "JSON that ends too early": json(PREDICT, '{"data":{"ndarray":[[1,'),
  "JSON with more behind it": json(PREDICT, '{"strData":"a"} x'),
  "null": json(PREDICT, "null"),
  "true": json(PREDICT, "true"),
  "number": json(PREDICT, "5"),
  "text": json(PREDICT, '"text"'),
  "list": json(PREDICT, "[1,2]"),
  "empty object": json(PREDICT, "{}"),
  "object without payload": json(PREDICT, { a: { b: [1, "x", null, true, 1.5] }, meta: {} }),
  "not UTF-8": { path: PREDICT, body: Buffer.from('{"strData":"\xff"}', "latin1"), headers: { "Content-Type": "application/json" } },
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
  "chunked": { ...json(PREDICT, ROW), headers: { "Content-Type": "application/json", "Transfer-Encoding": "chunked" } },
  "form": form("/predict", { json: JSON.stringify(ROW) }),
  "form to the versioned path": form(PREDICT, { json: JSON.stringify(ROW), other: "x" }),
  "form that is not JSON": form("/predict", { json: "{" }),
  "form with an empty field": form("/predict", { json: "" }),
  "form without the field": form("/predict", { other: "x" }),
  "query": get("/predict", { json: JSON.stringify(ROW) }),
  "query that is not JSON": get("/predict", { json: "{" }),
  "query that is empty": get("/predict", { json: "" }),
  "query before body": json(`${PREDICT}?json=${encodeURIComponent('{"strData":"query"}')}`, { strData: "body" }),
  "form before query": form(`/predict?json=${encodeURIComponent('{"strData":"query"}')}`, { json: '{"strData":"form"}' }),
  "GET without anything": get("/predict"),
  "multipart data": multipart(PREDICT, [{ name: "data", content: '{"ndarray":[[1,2]]}' }]),
  "multipart with meta": multipart(PREDICT, [{ name: "data", content: '{"ndarray":[[1,2]]}' }, { name: "meta", content: '{"puid":"p"}' }]),
  "multipart strData": multipart(PREDICT, [{ name: "strData", content: '"quoted"' }]),
  "multipart strData file": multipart(PREDICT, [{ name: "strData", content: "of a file é", filename: "a.txt" }]),
  "multipart strData file that is not UTF-8": multipart(PREDICT, [{ name: "strData", content: Buffer.from([0xff, 0xfe]), filename: "a.txt" }]),
  "multipart binData file": multipart(PREDICT, [{ name: "binData", content: Buffer.from([0, 1, 255]), filename: "a.bin" }]),
  "multipart binData text": multipart(PREDICT, [{ name: "binData", content: "AAE=" }]),
  "multipart jsonData": multipart(PREDICT, [{ name: "jsonData", content: '{"a":[1]}' }]),
  "multipart jsonData file": multipart(PREDICT, [{ name: "jsonData", content: '{"a":[1]}', filename: "a.json" }]),
  "multipart not JSON": multipart(PREDICT, [{ name: "data", content: "{" }]),
  "multipart nothing known": multipart(PREDICT, [{ name: "other", content: "1" }]),
  "multipart empty": multipart(PREDICT, []),
  "multipart the same field twice": multipart(PREDICT, [{ name: "strData", content: "a" }, { name: "strData", content: "b" }]),
};

const PATHS: Readonly<Record<string, WireRequest>> = {
  "unknown path": get("/nothing"),
  "unknown path, posted": json("/nothing", ROW),
  "trailing slash": json("/predict/", ROW),
  "combine": json("/combine", { seldonMessages: [ROW] }),
  "GET of predictions": get(PREDICT),
  "PUT": { ...json("/predict", ROW), method: "PUT" },
  "DELETE": { method: "DELETE", path: "/predict" },
  "POST of ping": json("/health/ping", ROW),
  "POST of metadata": json("/metadata", ROW),
  "GET of feedback": get("/api/v1.0/feedback"),
  "HEAD of ping": { method: "HEAD", path: "/health/ping" },
  "ping": get("/health/ping"),
  "status": get("/health/status"),
  "status with version": get("/api/v1.0/health/status"),
  "metadata": get("/metadata"),
  "metadata with version": get("/api/v1.0/metadata"),
  "predictions 0.1": json("/api/v0.1/predictions", ROW),
  "predict, posted": json("/predict", ROW),
  "feedback 0.1": json("/api/v0.1/feedback", { reward: 1 }),
  "transform input": json("/transform-input", ROW),
  "transform output": json("/transform-output", ROW),
  "route": json("/route", ROW),
  "aggregate": json("/aggregate", { seldonMessages: [ROW] }),
  "transform input by query": get("/transform-input", { json: JSON.stringify(ROW) }),
  "pages of an idle server": { ...get("/metrics"), port: "metrics" },
  "metrics port, unknown path": { ...get("/nothing"), port: "metrics" },
};

const FEEDBACK = predictions(
  {
    "everything": { request: { data: { names: ["a"], ndarray: [[1, 2]] }, meta: { puid: "p", tags: { a: 1 } } }, response: { meta: { routing: { "0": 2 } }, data: { ndarray: [9] } }, reward: 0.5, truth: { data: { ndarray: [3] } } },
    "reward alone": { reward: 1 },
    "nothing": {},
    "tensor": { request: { data: { tensor: { shape: [1, 2], values: [1, 2] } } }, reward: 1 },
    "text": { request: { strData: "text" }, truth: { strData: "t" } },
    "JSON": { request: { jsonData: { a: 1 } } },
    "bytes": { request: { binData: "AAE=" } },
    "reward text": { reward: "x" },
    "reward as text of a number": { reward: "1.5" },
    "reward null": { reward: null },
    "unknown field": { rewards: 1 },
    "unknown field within": { request: { datum: 1 } },
    "tensor of text": { request: { data: { tensor: { values: ["x"] } } } },
    "ndarray of text": { request: { data: { ndarray: [["x", 1]] } } },
    "list": [],
    "number": 5,
    "not JSON": "{",
    "reward NaN": '{"reward":NaN}',
    "reward of any size": { reward: 16777217 },
  },
  "/send-feedback",
);

const AGGREGATE = predictions(
  {
    "messages": { seldonMessages: [{ data: { names: ["a"], ndarray: [[1]] } }, { data: { ndarray: [[2.5]] } }] },
    "bare list": [{ data: { tensor: { shape: [1, 1], values: [1] } } }, { strData: "x" }, { binData: "AAE=" }, { jsonData: { a: 1 } }],
    "no messages": { seldonMessages: [] },
    "an empty list": [],
    "not a list": { seldonMessages: { a: 1 } },
    "null": { seldonMessages: null },
    "another key": { messages: [ROW] },
    "a message without payload": { seldonMessages: [{ meta: {} }] },
    "a message that is a number": { seldonMessages: [5] },
    "text": '"text"',
    "with meta": { seldonMessages: [{ meta: { puid: "1", tags: { a: 1, b: 1 } }, ...ROW }, { meta: { puid: "2", tags: { b: 2 }, metrics: [{ key: "k" }] }, ...ROW }] },
  },
  "/aggregate",
);

const ANSWER_NAMES = [
  "vector", "scalar-array", "deep", "empty", "no-columns", "list", "list-mixed", "list-empty", "text", "bytes", "bytearray", "dict", "dict-int-keys", "dict-mixed-keys",
  "dict-nan", "dict-date", "dict-numpy", "dict-numpy-int", "dict-set", "none", "int", "float", "tuple", "bool", "numpy-number", "float32", "float16", "int8", "uint64", "bools", "strings",
  "objects", "complex", "dates", "byte-strings", "nan", "big-endian", "strided", "fortran", "numbers", "response", "response-text", "response-bare",
  "response-bad-metric", "response-tuple-metric", "error", "type-error", "key-error", "assertion", "refuse", "refuse-403", "refuse-reason", "refuse-500",
] as const;
const KINDS_IN_TENSOR = ["vector", "deep", "list", "strings", "bools", "nan", "numbers", "response", "dict", "empty"] as const;
const ANSWERS: Readonly<Record<string, WireRequest>> = {
  ...predictions(Object.fromEntries(ANSWER_NAMES.map((name) => [name, asking(name)]))),
  ...predictions(Object.fromEntries(KINDS_IN_TENSOR.map((name) => [`${name} for a tensor`, asking(name, "tensor")]))),
  ...Object.fromEntries(["vector", "text", "response", "error", "none", "refuse-403", "response-bad-metric"].map((name) => [`${name} of transform-input`, json("/transform-input", asking(name))])),
  ...Object.fromEntries(["vector", "bytes", "response", "error", "none"].map((name) => [`${name} of transform-output`, json("/transform-output", asking(name))])),
  ...Object.fromEntries(["vector", "dict", "response", "error", "none"].map((name) => [`${name} of aggregate`, json("/aggregate", { seldonMessages: [asking(name)] })])),
  ...Object.fromEntries(["int", "response", "response-int", "error", "none", "float", "bool", "numpy-number"].map((name) => [`${name} of route`, json("/route", asking(name))])),
  ...Object.fromEntries(["vector", "none", "text", "dict", "response", "error", "list-mixed", "bytes"].map((name) => [`${name} of feedback`, json("/send-feedback", { request: asking(name), reward: 1 })])),
};

const METADATA = { metadata: get("/metadata") };
const PARAMETERS = { parameters: json("/predict", { data: { names: ["parameters"], ndarray: [1] } }) };

function withParameters(...parameters: readonly (readonly [name: string, value: unknown, type?: string])[]): Readonly<Record<string, string>> {
  return { PREDICTIVE_UNIT_PARAMETERS: JSON.stringify(parameters.map(([name, value, type]) => ({ name, value, type }))) };
}

const PAGE: WireRequest = { ...get("/metrics"), port: "metrics" };
const ONE = { data: { names: ["a"], ndarray: [[1, 2]] } };
const FULL: Readonly<Record<string, WireRequest>> = {
  "predict": json("/predict", ONE),
  "predict again": json("/predict", { ...ONE, meta: { puid: "p", tags: { version: "incoming", other: true }, metrics: [{ key: "incoming" }], requestPath: { before: "x:1" } } }),
  "predict one axis": json("/predict", { data: { ndarray: [1, 2] } }),
  "predict more columns than names": json("/predict", { data: { ndarray: [[1, 2, 3]] } }),
  "transform input": json("/transform-input", ONE),
  "route": json("/route", ONE),
  "route a tensor": json("/route", { meta: { puid: "p", tags: { a: 1 } }, data: { tensor: { shape: [1], values: [1] } } }),
  "aggregate": json("/aggregate", { seldonMessages: [{ meta: { tags: { a: 1 } }, ...ONE }, ONE] }),
  "feedback": json("/send-feedback", { request: { meta: { puid: "p" }, ...ONE }, reward: 2.5 }),
  "health": get("/health/status"),
  "metadata": get("/metadata"),
  "page": PAGE,
};

const RAW = predictions({ "predict": ROW, "text": { strData: "t" }, "status": { strData: "status" }, "declined": { strData: "decline" }, "metrics": { strData: "metrics" }, "array": { strData: "array" }, "error": { strData: "error" }, "not a message": [1] });
const RAW_REQUESTS: Readonly<Record<string, WireRequest>> = {
  ...RAW,
  "transform input": json("/transform-input", ROW),
  "transform output": json("/transform-output", ROW),
  "route": json("/route", ROW),
  "aggregate": json("/aggregate", { seldonMessages: [ROW] }),
  "aggregate a list": json("/aggregate", [ROW]),
  "health": get("/health/status"),
  "multipart": multipart("/predict", [{ name: "binData", content: "bytes", filename: "a" }]),
};

const NOT_FOUND: Deviation = { status: 404, body: "404 Not Found" };
const NOT_ALLOWED: Deviation = { status: 405, body: "405 Method Not Allowed" };
const PATHS_BETTER: Deviations = {
  "unknown path": NOT_FOUND,
  "unknown path, posted": NOT_FOUND,
  "trailing slash": NOT_FOUND,
  "combine": NOT_FOUND,
  "GET of predictions": NOT_ALLOWED,
  "PUT": NOT_ALLOWED,
  "DELETE": NOT_ALLOWED,
  "POST of ping": NOT_ALLOWED,
  "POST of metadata": NOT_ALLOWED,
  "GET of feedback": NOT_ALLOWED,
};
const PATHS_DIFFERENT: Deviations = { "metrics port, unknown path": { status: 404, body: "not found" } };
const NO_PREDICT: Deviation = { status: 400, body: "Predict not defined" };
const PAYLOADS_DIFFERENT: Deviations = {
  "tensor a list": { status: 500, body: "object is not subscriptable" },
  "strData with surrogates": { status: 200, body: "\\ufffd" },
};
/** The wrapper passes on what protobuf says, which is worded differently in each of its releases. */
const FEEDBACK_DIFFERENT: Deviations = {
  "reward text": { status: 400, body: "Invalid JSON: " },
  "reward NaN": { status: 400, body: "Invalid JSON: " },
  "unknown field": { status: 400, body: 'has no field named \\"rewards\\"' },
  "unknown field within": { status: 400, body: 'has no field named \\"datum\\"' },
  "tensor of text": { status: 400, body: "Invalid JSON: " },
  "list": { status: 400, body: "Invalid JSON: " },
  "number": { status: 400, body: "Invalid JSON: " },
};
/** Python's words for what is wrong with JSON. */
const BAD_JSON: Deviation = { status: 500, body: "Expecting " };

/** Everything that is asked of the wrapper and of us. */
export const SELDON_GROUPS: readonly SeldonGroup[] = [
  { id: "payloads", server: { name: "Echo" }, requests: PAYLOADS, different: PAYLOADS_DIFFERENT },
  { id: "meta", server: { name: "Echo" }, requests: META },
  {
    id: "bodies",
    server: { name: "Echo" },
    requests: BODIES,
    different: {
      "deep nesting": { status: 400, body: "nested deeper than 200 levels" },
      "form that is not JSON": BAD_JSON,
      "query that is not JSON": BAD_JSON,
      "multipart not JSON": BAD_JSON,
      "multipart strData file that is not UTF-8": { status: 500, body: "'utf-8' codec can't decode" },
    },
  },
  { id: "paths", server: { name: "Echo" }, requests: PATHS, better: PATHS_BETTER, different: PATHS_DIFFERENT },
  { id: "bare class", server: { name: "Echo.Bare" }, requests: { ...PATHS, ...FEEDBACK }, better: { ...PATHS_BETTER, "predictions 0.1": NO_PREDICT, "predict, posted": NO_PREDICT }, different: { ...PATHS_DIFFERENT, ...FEEDBACK_DIFFERENT } },
  { id: "answers", server: { name: "Answers" }, requests: ANSWERS },
  { id: "arguments", server: { name: "Args" }, requests: { ...PAYLOADS, "meta": json("/predict", { meta: { puid: "a", b: [1.0, null, "é"] }, ...ROW }), "transform input": json("/transform-input", ROW), "transform output": json("/transform-output", ROW) }, different: { ...PAYLOADS_DIFFERENT, "names of numbers": { status: 200, body: '"names":["1","2"]' }, "names null": { status: 200, body: '"names":[]' } } },
  { id: "feedback", server: { name: "Args" }, requests: FEEDBACK, different: FEEDBACK_DIFFERENT },
  { id: "feedback of a unit", server: { name: "Args", env: { PREDICTIVE_UNIT_ID: "unit" } }, requests: { "routed": json("/send-feedback", { response: { meta: { routing: { unit: 3, "0": 4 } } } }) } },
  { id: "aggregate", server: { name: "Args", service: "COMBINER" }, requests: AGGREGATE },
  { id: "old methods", server: { name: "Args.Old", service: "ROUTER" }, requests: { predict: json("/predict", ROW), "transform input": json("/transform-input", ROW), "transform output": json("/transform-output", ROW), route: json("/route", ROW), feedback: json("/send-feedback", { reward: 1.5 }) }, better: { feedback: { status: 200, body: '"values":[1.5]' } } },
  { id: "full", server: { name: "Full" }, requests: FULL },
  { id: "full of a unit", server: { name: "Full", env: { PREDICTIVE_UNIT_ID: "unit", PREDICTIVE_UNIT_IMAGE: "registry:5000/org/name:1.2", SELDON_DEPLOYMENT_ID: "deployment", PREDICTOR_ID: "main", PREDICTOR_LABELS: '{"version":"v2"}' } }, requests: FULL },
  { id: "metrics left out", server: { name: "Full", env: { INCLUDE_METRICS_IN_CLIENT_RESPONSE: "no", PREDICTIVE_UNIT_METRICS_ENDPOINT: "/prometheus" } }, requests: { "predict": json("/predict", { ...ONE, meta: { metrics: [{ key: "incoming" }] } }), "page": { ...get("/prometheus"), port: "metrics" }, "not the page": { ...PAGE } }, different: { "not the page": { status: 200, body: "requests_seen_total" } } },
  { id: "class_names attribute", server: { name: "Full.Attribute" }, requests: { predict: json("/predict", ONE), health: get("/health/status"), ...METADATA }, better: { metadata: { status: 500, body: '\\"name\\" is not of the right form' } } },
  { id: "bad metrics", server: { name: "Full.BadMetrics" }, requests: { "predict": json("/predict", ONE), "transform input": json("/transform-input", ONE), "route": json("/route", ONE), "feedback": json("/send-feedback", { reward: 1 }), "health": get("/health/status"), "page": PAGE } },
  { id: "raw", server: { name: "Raw" }, requests: RAW_REQUESTS },
  { id: "raw without metrics", server: { name: "Raw", env: { INCLUDE_METRICS_IN_CLIENT_RESPONSE: "false" } }, requests: { "metrics": json("/predict", { strData: "metrics" }), "page": PAGE } },
  { id: "rest", server: { name: "Raw.Rest" }, requests: { ...RAW_REQUESTS, feedback: json("/send-feedback", { reward: 1 }) } },
  { id: "empty component", server: { name: "Components.Empty" }, requests: { ...PATHS, ...FEEDBACK }, better: PATHS_BETTER, different: { ...PATHS_DIFFERENT, ...FEEDBACK_DIFFERENT } },
  { id: "component", server: { name: "Components.Halved", env: withParameters(["by", "4", "INT"]) }, requests: { predict: json("/predict", ONE), "transform output": json("/transform-output", ONE), health: get("/health/status"), ...METADATA } },
  { id: "router", server: { name: "Components.Router", service: "ROUTER" }, requests: predictions(Object.fromEntries(["three", "minus", "none", "bool", "float", "text"].map((name) => [name, asking(name)])), "/route") },
  { id: "transformer", server: { name: "Components.Scale", service: "TRANSFORMER" }, requests: { "input": json("/transform-input", { meta: { puid: "p", tags: { a: 1 } }, ...ONE }), "output": json("/transform-output", { data: { tensor: { shape: [1, 1], values: [5] } } }), "text": json("/transform-input", { strData: "x" }), "predict": json("/predict", ONE) } },
  { id: "combiner", server: { name: "Components.Mean", service: "COMBINER" }, requests: { "two": json("/aggregate", { seldonMessages: [{ meta: { puid: "1", tags: { a: 1 }, requestPath: { x: "1" } }, ...ONE }, { meta: { puid: "2", tags: { a: 2 }, metrics: [{ key: "k" }] }, data: { ndarray: [[3, 5]] } }] }), "tensor": json("/aggregate", [{ data: { tensor: { shape: [2], values: [1, 2] } } }]), "of unlike shapes": json("/aggregate", [{ data: { ndarray: [[1, 2]] } }, { data: { ndarray: [[1, 2, 3]] } }]) } },
  { id: "score", server: { name: "Components.Outlier", service: "OUTLIER_DETECTOR" }, requests: { "input": json("/transform-input", ONE) }, better: { input: { status: 200, body: '"tags":{"detector":"max","outlierScore":2.0}' } } },
  { id: "detector", server: { name: "Components.Detector", service: "OUTLIER_DETECTOR", env: withParameters(["threshold", "1.5", "FLOAT"]) }, requests: { "outlier": json("/transform-input", ONE), "inlier": json("/transform-input", { data: { ndarray: [[1]] } }), "predict": json("/predict", ONE) } },
  { id: "service output transformer", server: { name: "Echo", service: "OUTPUT_TRANSFORMER" }, requests: {}, failsToStart: true },
  { id: "handled errors", server: { name: "Handled" }, requests: { handled: json("/predict", asking("teapot")), "not handled": json("/predict", asking("other")) } },
  { id: "parameters", server: { name: "Args", env: withParameters(["i", "5", "INT"], ["f", "1.5", "FLOAT"], ["d", "2", "DOUBLE"], ["s", 7, "STRING"], ["b", "on", "BOOL"]) }, requests: PARAMETERS },
  { id: "parameters of JSON types", server: { name: "Args", env: withParameters(["i", 5, "INT"], ["f", 2, "FLOAT"], ["s", true, "STRING"]) }, requests: PARAMETERS },
  { id: "parameters by flag", server: { name: "Args", args: ["--parameters", '[{"name":"b","value":"Y","type":"BOOL"}]'], env: withParameters(["b", "no", "BOOL"]) }, requests: PARAMETERS },
  { id: "bad number", server: { name: "Args", env: withParameters(["i", "five", "INT"]) }, requests: {}, failsToStart: true },
  { id: "bad truth", server: { name: "Args", env: withParameters(["b", "maybe", "BOOL"]) }, requests: {}, failsToStart: true },
  { id: "bad type", server: { name: "Args", env: withParameters(["i", "5", "INTEGER"]) }, requests: {}, failsToStart: true },
  { id: "unknown parameter", server: { name: "Args", env: withParameters(["other", "5", "INT"]) }, requests: {}, failsToStart: true },
  { id: "missing parameter", server: { name: "Args.Required" }, requests: {}, failsToStart: true },
  { id: "parameters that are not JSON", server: { name: "Args", env: { PREDICTIVE_UNIT_PARAMETERS: "[" } }, requests: {}, failsToStart: true },
  { id: "failing constructor", server: { name: "Failing.Constructor" }, requests: {}, failsToStart: true },
  { id: "failing load", server: { name: "Failing.Loader" }, requests: {}, failsToStart: true },
  { id: "missing class", server: { name: "Failing.Missing" }, requests: {}, failsToStart: true },
  { id: "missing module", server: { name: "Missing" }, requests: {}, failsToStart: true },
  { id: "unknown argument", server: { name: "Echo", args: ["REST"] }, requests: {}, failsToStart: true },
  { id: "unknown log level", server: { name: "Echo", env: { SELDON_LOG_LEVEL: "LOUD" } }, requests: {}, failsToStart: true },
  { id: "metadata from the environment", server: { name: "Full", env: { MODEL_METADATA: "name: other\nversions: [a, b]\ncustom: {k: v}\n", PREDICTIVE_UNIT_IMAGE: "org/image:9" } }, requests: METADATA },
  { id: "metadata from the image", server: { name: "Echo", env: { PREDICTIVE_UNIT_IMAGE: "org/image:9" } }, requests: METADATA },
  { id: "metadata that is no YAML", server: { name: "Full", env: { MODEL_METADATA: "{a: [" } }, requests: METADATA },
  { id: "metadata of another shape", server: { name: "Echo", env: { MODEL_METADATA: '{"inputs":[{"messagetype":"tensor","schema":{"names":"a"}}]}' } }, requests: METADATA, better: { metadata: { status: 500, body: '\\"inputs\\" is not of the right form' } } },
  { id: "text as it is", server: { name: "Answers", env: { FLASK_JSON_AS_ASCII: "false" } }, requests: predictions({ text: asking("text"), strings: asking("strings"), dict: asking("dict"), error: asking("error") }) },
  { id: "keys as they come", server: { name: "Answers", env: { FLASK_JSON_SORT_KEYS: "false" } }, requests: predictions({ "text": asking("text"), "vector": asking("vector"), "dict": asking("dict"), "dict-int-keys": asking("dict-int-keys"), "dict-mixed-keys": asking("dict-mixed-keys"), "response": asking("response"), "error": asking("error"), "tensor": asking("vector", "tensor") }) },
  { id: "pretty", server: { name: "Full", env: { FLASK_JSONIFY_PRETTYPRINT_REGULAR: "true" } }, requests: { predict: json("/predict", ONE), error: json("/predict", {}), ...METADATA } },
  { id: "settings of Flask", server: { name: "Answers", env: { FLASK_PROPAGATE_EXCEPTIONS: "1", FLASK_TRAP_HTTP_EXCEPTIONS: "1", FLASK_TRAP_BAD_REQUEST_ERRORS: "1", FLASK_TESTING: "1", FLASK_EXPLAIN_TEMPLATE_LOADING: "1" } }, requests: { "error": json(PREDICT, asking("error")), "unknown path": get("/nothing"), "empty": json(PREDICT, {}) }, better: { "unknown path": NOT_FOUND } },
  { id: "passthrough", server: { name: "Raw.Bytes", env: { PAYLOAD_PASSTHROUGH: "true" } }, requests: { "predict": json("/predict", '{"any":  1}'), "not JSON": json(PREDICT, "words"), "no type": { path: PREDICT, body: "words" }, "empty": json(PREDICT, "") } },
];
