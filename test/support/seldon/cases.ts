import {
  PREDICT,
  ROW,
  PAYLOADS,
  META,
  BODIES,
  PATHS,
  FEEDBACK,
  AGGREGATE,
  ANSWERS,
  METADATA,
  PARAMETERS,
  PAGE,
  ONE,
  FULL,
  RAW_REQUESTS,
  predictions,
  asking,
  withParameters,
} from "./requests.ts";
import { ODD_GROUPS } from "./odd-cases.ts";
import { get, json, type WireRequest } from "./wire.ts";
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
  /** The server must not come up at all: neither the wrapper nor ours, or ours only where it is better. */
  readonly failsToStart?: "both" | "ours";
}

const NOT_FOUND: Deviation = { status: 404, body: "404 Not Found" };
const NOT_ALLOWED: Deviation = { status: 405, body: "405 Method Not Allowed" };
const PATHS_BETTER: Deviations = {
  "unknown path": NOT_FOUND,
  "unknown path, posted": NOT_FOUND,
  "trailing slash": NOT_FOUND,
  combine: NOT_FOUND,
  "GET of predictions": NOT_ALLOWED,
  PUT: NOT_ALLOWED,
  DELETE: NOT_ALLOWED,
  "POST of ping": NOT_ALLOWED,
  "POST of metadata": NOT_ALLOWED,
  "GET of feedback": NOT_ALLOWED,
};
const PATHS_DIFFERENT: Deviations = {
  "metrics port, unknown path": { status: 404, body: "not found" },
};
/** One row is refused, so what counts calls counts one less. */
const FULL_BETTER: Deviations = {
  "predict more columns than names": {
    status: 400,
    body: "the array has shape (1,3), and the model's metadata declares (2,)",
  },
  ...Object.fromEntries(
    ["transform input", "route", "route a tensor", "aggregate", "health"].map((id) => [
      id,
      { status: 200, body: '"calls":3' },
    ]),
  ),
  feedback: { status: 200, body: '"calls":3.0' },
  page: { status: 200, body: "requests_seen_total" },
};
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
  list: { status: 400, body: "Invalid JSON: " },
  number: { status: 400, body: "Invalid JSON: " },
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
      "multipart strData file that is not UTF-8": {
        status: 500,
        body: "'utf-8' codec can't decode",
      },
    },
  },
  {
    id: "paths",
    server: { name: "Echo" },
    requests: PATHS,
    better: PATHS_BETTER,
    different: PATHS_DIFFERENT,
  },
  {
    id: "bare class",
    server: { name: "Echo.Bare" },
    requests: { ...PATHS, ...FEEDBACK },
    better: { ...PATHS_BETTER, "predictions 0.1": NO_PREDICT, "predict, posted": NO_PREDICT },
    different: { ...PATHS_DIFFERENT, ...FEEDBACK_DIFFERENT },
  },
  {
    id: "answers",
    server: { name: "Answers" },
    requests: ANSWERS,
    better: { "dict-numpy-int": { status: 200, body: '"jsonData":{"a":1}' } },
  },
  {
    id: "arguments",
    server: { name: "Args" },
    requests: {
      ...PAYLOADS,
      meta: json("/predict", { meta: { puid: "a", b: [1.0, null, "é"] }, ...ROW }),
      "transform input": json("/transform-input", ROW),
      "transform output": json("/transform-output", ROW),
    },
    different: {
      ...PAYLOADS_DIFFERENT,
      "names of numbers": { status: 200, body: '"names":["1","2"]' },
      "names null": { status: 200, body: '"names":[]' },
    },
  },
  { id: "feedback", server: { name: "Args" }, requests: FEEDBACK, different: FEEDBACK_DIFFERENT },
  {
    id: "feedback of a unit",
    server: { name: "Args", env: { PREDICTIVE_UNIT_ID: "unit" } },
    requests: {
      routed: json("/send-feedback", { response: { meta: { routing: { unit: 3, "0": 4 } } } }),
    },
  },
  { id: "aggregate", server: { name: "Args", service: "COMBINER" }, requests: AGGREGATE },
  {
    id: "old methods",
    server: { name: "Args.Old", service: "ROUTER" },
    requests: {
      predict: json("/predict", ROW),
      "transform input": json("/transform-input", ROW),
      "transform output": json("/transform-output", ROW),
      route: json("/route", ROW),
      feedback: json("/send-feedback", { reward: 1.5 }),
    },
    better: { feedback: { status: 200, body: '"values":[1.5]' } },
  },
  { id: "full", server: { name: "Full" }, requests: FULL, better: FULL_BETTER },
  {
    id: "full of a unit",
    server: {
      name: "Full",
      env: {
        PREDICTIVE_UNIT_ID: "unit",
        PREDICTIVE_UNIT_IMAGE: "registry:5000/org/name:1.2",
        SELDON_DEPLOYMENT_ID: "deployment",
        PREDICTOR_ID: "main",
        PREDICTOR_LABELS: '{"version":"v2"}',
      },
    },
    requests: FULL,
    better: FULL_BETTER,
  },
  {
    id: "metrics left out",
    server: {
      name: "Full",
      env: {
        INCLUDE_METRICS_IN_CLIENT_RESPONSE: "no",
        PREDICTIVE_UNIT_METRICS_ENDPOINT: "/prometheus",
      },
    },
    requests: {
      predict: json("/predict", { ...ONE, meta: { metrics: [{ key: "incoming" }] } }),
      page: { ...get("/prometheus"), port: "metrics" },
      "not the page": { ...PAGE },
    },
    different: { "not the page": { status: 200, body: "requests_seen_total" } },
  },
  {
    id: "class_names attribute",
    server: { name: "Full.Attribute" },
    requests: { predict: json("/predict", ONE), health: get("/health/status"), ...METADATA },
    better: { metadata: { status: 500, body: '\\"name\\" is not of the right form' } },
  },
  {
    id: "bad metrics",
    server: { name: "Full.BadMetrics" },
    requests: {
      predict: json("/predict", ONE),
      "transform input": json("/transform-input", ONE),
      route: json("/route", ONE),
      feedback: json("/send-feedback", { reward: 1 }),
      health: get("/health/status"),
      page: PAGE,
    },
  },
  { id: "raw", server: { name: "Raw" }, requests: RAW_REQUESTS },
  {
    id: "raw without metrics",
    server: { name: "Raw", env: { INCLUDE_METRICS_IN_CLIENT_RESPONSE: "false" } },
    requests: { metrics: json("/predict", { strData: "metrics" }), page: PAGE },
  },
  {
    id: "rest",
    server: { name: "Raw.Rest" },
    requests: { ...RAW_REQUESTS, feedback: json("/send-feedback", { reward: 1 }) },
  },
  {
    id: "empty component",
    server: { name: "Components.Empty" },
    requests: { ...PATHS, ...FEEDBACK },
    better: PATHS_BETTER,
    different: { ...PATHS_DIFFERENT, ...FEEDBACK_DIFFERENT },
  },
  {
    id: "component",
    server: { name: "Components.Halved", env: withParameters(["by", "4", "INT"]) },
    requests: {
      predict: json("/predict", ONE),
      "transform output": json("/transform-output", ONE),
      health: get("/health/status"),
      ...METADATA,
    },
  },
  {
    id: "router",
    server: { name: "Components.Router", service: "ROUTER" },
    requests: predictions(
      Object.fromEntries(
        ["three", "minus", "none", "bool", "float", "text"].map((name) => [name, asking(name)]),
      ),
      "/route",
    ),
  },
  {
    id: "transformer",
    server: { name: "Components.Scale", service: "TRANSFORMER" },
    requests: {
      input: json("/transform-input", { meta: { puid: "p", tags: { a: 1 } }, ...ONE }),
      output: json("/transform-output", { data: { tensor: { shape: [1, 1], values: [5] } } }),
      text: json("/transform-input", { strData: "x" }),
      predict: json("/predict", ONE),
    },
  },
  {
    id: "combiner",
    server: { name: "Components.Mean", service: "COMBINER" },
    requests: {
      two: json("/aggregate", {
        seldonMessages: [
          { meta: { puid: "1", tags: { a: 1 }, requestPath: { x: "1" } }, ...ONE },
          {
            meta: { puid: "2", tags: { a: 2 }, metrics: [{ key: "k" }] },
            data: { ndarray: [[3, 5]] },
          },
        ],
      }),
      tensor: json("/aggregate", [{ data: { tensor: { shape: [2], values: [1, 2] } } }]),
      "of unlike shapes": json("/aggregate", [
        { data: { ndarray: [[1, 2]] } },
        { data: { ndarray: [[1, 2, 3]] } },
      ]),
    },
  },
  {
    id: "score",
    server: { name: "Components.Outlier", service: "OUTLIER_DETECTOR" },
    requests: { input: json("/transform-input", ONE) },
    better: { input: { status: 200, body: '"tags":{"detector":"max","outlierScore":2.0}' } },
  },
  {
    id: "detector",
    server: {
      name: "Components.Detector",
      service: "OUTLIER_DETECTOR",
      env: withParameters(["threshold", "1.5", "FLOAT"]),
    },
    requests: {
      outlier: json("/transform-input", ONE),
      inlier: json("/transform-input", { data: { ndarray: [[1]] } }),
      predict: json("/predict", ONE),
    },
  },
  {
    id: "service output transformer",
    server: { name: "Echo", service: "OUTPUT_TRANSFORMER" },
    requests: {},
    failsToStart: "both",
  },
  {
    id: "handled errors",
    server: { name: "Handled" },
    requests: {
      handled: json("/predict", asking("teapot")),
      "not handled": json("/predict", asking("other")),
    },
  },
  {
    id: "parameters",
    server: {
      name: "Args",
      env: withParameters(
        ["i", "5", "INT"],
        ["f", "1.5", "FLOAT"],
        ["d", "2", "DOUBLE"],
        ["s", 7, "STRING"],
        ["b", "on", "BOOL"],
      ),
    },
    requests: PARAMETERS,
  },
  {
    id: "parameters of JSON types",
    server: {
      name: "Args",
      env: withParameters(["i", 5, "INT"], ["f", 2, "FLOAT"], ["s", true, "STRING"]),
    },
    requests: PARAMETERS,
  },
  {
    id: "parameters by flag",
    server: {
      name: "Args",
      args: ["--parameters", '[{"name":"b","value":"Y","type":"BOOL"}]'],
      env: withParameters(["b", "no", "BOOL"]),
    },
    requests: PARAMETERS,
  },
  {
    id: "bad number",
    server: { name: "Args", env: withParameters(["i", "five", "INT"]) },
    requests: {},
    failsToStart: "both",
  },
  {
    id: "bad truth",
    server: { name: "Args", env: withParameters(["b", "maybe", "BOOL"]) },
    requests: {},
    failsToStart: "both",
  },
  {
    id: "bad type",
    server: { name: "Args", env: withParameters(["i", "5", "INTEGER"]) },
    requests: {},
    failsToStart: "both",
  },
  {
    id: "unknown parameter",
    server: { name: "Args", env: withParameters(["other", "5", "INT"]) },
    requests: {},
    failsToStart: "both",
  },
  {
    id: "missing parameter",
    server: { name: "Args.Required" },
    requests: {},
    failsToStart: "both",
  },
  {
    id: "parameters that are not JSON",
    server: { name: "Args", env: { PREDICTIVE_UNIT_PARAMETERS: "[" } },
    requests: {},
    failsToStart: "both",
  },
  {
    id: "failing constructor",
    server: { name: "Failing.Constructor" },
    requests: {},
    failsToStart: "both",
  },
  { id: "failing load", server: { name: "Failing.Loader" }, requests: {}, failsToStart: "both" },
  {
    id: "load that lacks an attribute",
    server: { name: "Failing.HalfLoaded" },
    requests: { predict: json("/predict", ROW) },
    failsToStart: "ours",
  },
  {
    id: "type error within",
    server: { name: "Failing.Twice" },
    requests: { predict: json("/predict", ROW) },
    better: { predict: { status: 500, body: "can only concatenate str" } },
  },
  { id: "missing class", server: { name: "Failing.Missing" }, requests: {}, failsToStart: "both" },
  { id: "missing module", server: { name: "Missing" }, requests: {}, failsToStart: "both" },
  {
    id: "unknown argument",
    server: { name: "Echo", args: ["REST"] },
    requests: {},
    failsToStart: "both",
  },
  {
    id: "unknown log level",
    server: { name: "Echo", env: { SELDON_LOG_LEVEL: "LOUD" } },
    requests: {},
    failsToStart: "both",
  },
  {
    id: "metadata from the environment",
    server: {
      name: "Full",
      env: {
        MODEL_METADATA: "name: other\nversions: [a, b]\ncustom: {k: v}\n",
        PREDICTIVE_UNIT_IMAGE: "org/image:9",
      },
    },
    requests: METADATA,
  },
  {
    id: "metadata from the image",
    server: { name: "Echo", env: { PREDICTIVE_UNIT_IMAGE: "org/image:9" } },
    requests: METADATA,
  },
  {
    id: "metadata that is no YAML",
    server: { name: "Full", env: { MODEL_METADATA: "{a: [" } },
    requests: METADATA,
  },
  {
    id: "metadata of another shape",
    server: {
      name: "Echo",
      env: { MODEL_METADATA: '{"inputs":[{"messagetype":"tensor","schema":{"names":"a"}}]}' },
    },
    requests: METADATA,
    better: { metadata: { status: 500, body: '\\"inputs\\" is not of the right form' } },
  },
  {
    id: "text as it is",
    server: { name: "Answers", env: { FLASK_JSON_AS_ASCII: "false" } },
    requests: predictions({
      text: asking("text"),
      strings: asking("strings"),
      dict: asking("dict"),
      error: asking("error"),
    }),
  },
  {
    id: "keys as they come",
    server: { name: "Answers", env: { FLASK_JSON_SORT_KEYS: "false" } },
    requests: predictions({
      text: asking("text"),
      vector: asking("vector"),
      dict: asking("dict"),
      "dict-int-keys": asking("dict-int-keys"),
      "dict-mixed-keys": asking("dict-mixed-keys"),
      response: asking("response"),
      error: asking("error"),
      tensor: asking("vector", "tensor"),
    }),
  },
  {
    id: "pretty",
    server: { name: "Full", env: { FLASK_JSONIFY_PRETTYPRINT_REGULAR: "true" } },
    requests: { predict: json("/predict", ONE), error: json("/predict", {}), ...METADATA },
  },
  {
    id: "settings of Flask",
    server: {
      name: "Answers",
      env: {
        FLASK_PROPAGATE_EXCEPTIONS: "1",
        FLASK_TRAP_HTTP_EXCEPTIONS: "1",
        FLASK_TRAP_BAD_REQUEST_ERRORS: "1",
        FLASK_TESTING: "1",
        FLASK_EXPLAIN_TEMPLATE_LOADING: "1",
      },
    },
    requests: {
      error: json(PREDICT, asking("error")),
      "unknown path": get("/nothing"),
      empty: json(PREDICT, {}),
    },
    better: { "unknown path": NOT_FOUND },
  },
  {
    id: "passthrough",
    server: { name: "Raw.Bytes", env: { PAYLOAD_PASSTHROUGH: "true" } },
    requests: {
      predict: json("/predict", '{"any":  1}'),
      "not JSON": json(PREDICT, "words"),
      "no type": { path: PREDICT, body: "words" },
      empty: json(PREDICT, ""),
    },
  },
  ...ODD_GROUPS,
];
