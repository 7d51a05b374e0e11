import type { GrpcCase } from "./grpc.ts";
import type { SeldonServer } from "./servers.ts";

/** Where we answer something else on purpose: what we answer, and why. */
export interface GrpcDeviation {
  readonly why: string;
  readonly code: string;
  /** What the details, or the answer as JSON text, must match. */
  readonly matches?: RegExp;
}

export interface GrpcGroup {
  readonly id: string;
  readonly server: SeldonServer;
  readonly calls: Readonly<Record<string, GrpcCase>>;
  /** In both modes. */
  readonly different?: Readonly<Record<string, GrpcDeviation>>;
  /** Not in strict mode. */
  readonly better?: Readonly<Record<string, GrpcDeviation>>;
}

const message =
  (service: GrpcCase["service"], method: string) =>
  (request: unknown): GrpcCase => ({ service, method, type: "SeldonMessage", request });
const predict = message("Model", "Predict");
const feedback = (request: unknown): GrpcCase => ({
  service: "Model",
  method: "SendFeedback",
  type: "Feedback",
  request,
});
const aggregate = (seldonMessages: unknown): GrpcCase => ({
  service: "Combiner",
  method: "Aggregate",
  type: "SeldonMessageList",
  request: { seldonMessages },
});

const tensor = { data: { names: ["a", "b"], tensor: { shape: [1, 2], values: [1.5, -2] } } };
const ndarray = {
  data: {
    names: ["a", "b"],
    ndarray: [
      [1, 2.5],
      [3, 4],
    ],
  },
};
const meta = {
  puid: "p-1",
  tags: { given: "here", n: 1, deep: { a: [null, true] } },
  routing: { r: -1 },
  requestPath: { before: "image:1" },
  metrics: [
    { key: "m", type: "TIMER", value: 0.1, tags: { k: "v" } },
    { key: "c", value: 2 },
  ],
};

const payloads: Readonly<Record<string, unknown>> = {
  tensor,
  ndarray,
  "tensor without names": { data: { tensor: { shape: [3], values: [1, 2, 3] } } },
  "tensor of three axes": { data: { tensor: { shape: [1, 2, 2], values: [1, 2, 3, 4] } } },
  "tensor of nothing": { data: { tensor: { shape: [0], values: [] } } },
  "tensor with infinities": { data: { tensor: { shape: [2], values: ["Infinity", "-Infinity"] } } },
  "ndarray of one axis": { data: { ndarray: [1, 2, 3] } },
  "ndarray of text": { data: { names: ["x"], ndarray: [["a", "ü\u2028"]] } },
  "ndarray of booleans": { data: { ndarray: [[true, false]] } },
  "ndarray of text and numbers": { data: { ndarray: [["a", 1, 2.5]] } },
  "ndarray with null": { data: { ndarray: [[1, null]] } },
  "ndarray of objects": { data: { ndarray: [[{ a: 1 }]] } },
  "empty ndarray": { data: { ndarray: [] } },
  "ndarray of empty rows": { data: { ndarray: [[], []] } },
  "data without an array": { data: { names: ["a"] } },
  strData: { strData: "words ü\n" },
  "empty strData": { strData: "" },
  binData: { binData: "AAEC/w==" },
  "empty binData": { binData: "" },
  "jsonData object": { jsonData: { b: 1, a: [1, null, true, "x", { c: 0.1 }] } },
  "jsonData list": {
    jsonData: [
      [1, 2],
      [3, 4],
    ],
  },
  "jsonData text": { jsonData: "text" },
  "jsonData number": { jsonData: 5 },
  "jsonData null": { jsonData: null },
  customData: {
    customData: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: "any" },
  },
  nothing: {},
  "tensor with meta": { ...tensor, meta },
  "text with puid": { strData: "x", meta: { puid: "p-2" } },
};

const feedbacks: Readonly<Record<string, GrpcCase>> = {
  "feedback with everything": feedback({
    request: { ...ndarray, meta },
    response: { meta: { routing: { "0": 2 } } },
    reward: 0.7,
    truth: tensor,
  }),
  "feedback of a tensor": feedback({ request: tensor, reward: 1 }),
  "feedback of text": feedback({ request: { strData: "x" }, truth: { strData: "y" } }),
  "feedback of nothing": feedback({}),
};

function named<T>(
  items: Readonly<Record<string, T>>,
  make: (item: T) => GrpcCase,
  prefix = "",
): Record<string, GrpcCase> {
  return Object.fromEntries(
    Object.entries(items).map(([name, item]) => [`${prefix}${name}`, make(item)]),
  );
}

const ANSWERS = [
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
  "dict-nan",
  "none",
  "int",
  "tuple",
  "float32",
  "float16",
  "int8",
  "uint64",
  "bools",
  "strings",
  "objects",
  "nan",
  "big-endian",
  "strided",
  "fortran",
  "numbers",
  "response",
  "response-text",
  "response-bare",
  "response-bad-metric",
  "error",
  "type-error",
  "key-error",
  "assertion",
  "refuse",
  "refuse-403",
];
const byName = (name: string, kind: "tensor" | "ndarray"): unknown => ({
  data: {
    names: [name],
    ...(kind === "tensor" ? { tensor: { shape: [1, 1], values: [1] } } : { ndarray: [[1]] }),
  },
});

/** Every gRPC call that both the wrapper and we are asked. */
export const GRPC_GROUPS: readonly GrpcGroup[] = [
  {
    id: "a class that echoes",
    server: { name: "Echo" },
    calls: {
      ...named(payloads, predict),
      ...named(
        { tensor, ndarray, text: payloads["strData"] },
        message("Seldon", "Predict"),
        "Seldon.Predict: ",
      ),
      ...named(
        { tensor, text: payloads["strData"] },
        message("Transformer", "TransformInput"),
        "not transformed: ",
      ),
      ...named(
        { tensor },
        message("OutputTransformer", "TransformOutput"),
        "not transformed back: ",
      ),
      ...named({ tensor }, message("Generic", "TransformInput"), "Generic.TransformInput: "),
      ...named({ tensor }, message("Generic", "TransformOutput"), "Generic.TransformOutput: "),
      ...named({ tensor }, message("Router", "Route"), "no route: "),
      ...feedbacks,
      "no aggregate": aggregate([tensor]),
      metadata: { service: "Model", method: "Metadata", type: "Empty", request: {} },
      "Seldon.ModelMetadata": {
        service: "Seldon",
        method: "ModelMetadata",
        type: "SeldonModelMetadataRequest",
        request: { name: "x" },
      },
      "Seldon.GraphMetadata": {
        service: "Seldon",
        method: "GraphMetadata",
        type: "Empty",
        request: {},
      },
      "gzip message": { ...predict(tensor), compression: "gzip" },
      "deflate message": { ...predict(tensor), compression: "deflate" },
    },
  },
  {
    id: "what user code is given",
    server: { name: "GrpcRaw.Seen" },
    calls: {
      ...named(payloads, predict),
      ...feedbacks,
      "feedback to a router": {
        service: "Router",
        method: "SendFeedback",
        type: "Feedback",
        request: { request: tensor, reward: 0.1 },
      },
      aggregate: aggregate([tensor, ndarray, { strData: "x" }]),
      "aggregate with meta": aggregate([
        { ...tensor, meta },
        { ...ndarray, meta: { puid: "second", tags: { given: "there" } } },
      ]),
      "aggregate of nothing": aggregate([]),
    },
  },
  {
    id: "every kind of answer",
    server: { name: "Answers" },
    calls: Object.fromEntries(
      ANSWERS.flatMap((name) =>
        (["tensor", "ndarray"] as const).map((kind) => [
          `${name} to ${kind}`,
          predict(byName(name, kind)),
        ]),
      ),
    ),
    different: Object.fromEntries(
      ["tensor", "ndarray"].map((kind) => [
        `bytearray to ${kind}`,
        {
          why: "the wrapper's own protobuf call refuses it; over REST it is taken",
          code: "OK",
          matches: /YXJyYXk=/,
        },
      ]),
    ),
  },
  {
    id: "components that are no models",
    server: {
      name: "Components.Scale",
      service: "TRANSFORMER",
      env: { PREDICTIVE_UNIT_ID: "scale", PREDICTIVE_UNIT_IMAGE: "scale:0.3" },
    },
    calls: {
      ...named(
        { tensor, ndarray, "with meta": { ...tensor, meta } },
        message("Transformer", "TransformInput"),
        "in: ",
      ),
      ...named({ tensor, ndarray }, message("OutputTransformer", "TransformOutput"), "out: "),
      metadata: { service: "Model", method: "Metadata", type: "Empty", request: {} },
    },
  },
  {
    id: "a router",
    server: { name: "Components.Router", service: "ROUTER" },
    calls: {
      ...Object.fromEntries(
        ["three", "minus", "none", "bool", "float", "text"].map((name) => [
          name,
          message("Router", "Route")({ ...(byName(name, "ndarray") as object), meta }),
        ]),
      ),
      "as a tensor": message("Router", "Route")(byName("three", "tensor")),
      "Generic.Route": message("Generic", "Route")(byName("three", "tensor")),
      feedback: feedback({ request: { ...tensor, meta }, reward: 1 }),
    },
  },
  {
    id: "a combiner",
    server: { name: "Components.Mean", service: "COMBINER" },
    calls: {
      two: aggregate([tensor, tensor]),
      "of both kinds": aggregate([ndarray, { ...tensor, meta }]),
      "with meta": aggregate([
        { ...tensor, meta },
        {
          ...tensor,
          meta: {
            puid: "second",
            tags: { given: "there", more: 1 },
            metrics: [{ key: "x", type: "GAUGE", value: 1 }],
          },
        },
      ]),
      "Generic.Aggregate": { ...aggregate([tensor, tensor]), service: "Generic" },
    },
  },
  {
    id: "a class that says everything of itself",
    server: { name: "Full" },
    calls: {
      first: predict(tensor),
      "with meta": predict({ ...ndarray, meta }),
      "of one axis": predict({ data: { ndarray: [1, 2] } }),
      feedback: feedback({ request: tensor, reward: 1 }),
      metadata: { service: "Model", method: "Metadata", type: "Empty", request: {} },
    },
  },
  {
    id: "metrics kept from clients, and a model in a graph",
    server: {
      name: "Full",
      env: {
        INCLUDE_METRICS_IN_CLIENT_RESPONSE: "false",
        PREDICTIVE_UNIT_ID: "unit",
        MODEL_METADATA: '{"name":"env","versions":["2"],"custom":{"k":"v"}}',
      },
    },
    calls: {
      tensor: predict(tensor),
      "with meta": predict({ ...ndarray, meta: { ...meta, requestPath: { unit: "older:1" } } }),
      feedback: feedback({
        request: tensor,
        response: { meta: { routing: { unit: 1 } } },
        reward: 1,
      }),
      metadata: {
        service: "Seldon",
        method: "ModelMetadata",
        type: "SeldonModelMetadataRequest",
        request: {},
      },
    },
  },
  {
    id: "metadata that is wrong",
    server: { name: "Full.Attribute" },
    calls: {
      tensor: predict(tensor),
      metadata: { service: "Model", method: "Metadata", type: "Empty", request: {} },
    },
    better: {
      metadata: {
        why: "says what is wrong instead of nothing",
        code: "UNKNOWN",
        matches: /Model metadata is invalid: "name"/,
      },
    },
  },
  {
    id: "metrics that are wrong",
    server: { name: "Full.BadMetrics" },
    calls: { tensor: predict(tensor) },
  },
  {
    id: "methods that are given whole messages",
    server: { name: "GrpcRaw" },
    calls: {
      tensor: predict(tensor),
      text: predict({ strData: "x" }),
      declined: predict({ strData: "decline", meta: { puid: "p" } }),
      error: predict({ strData: "error" }),
      none: predict({ strData: "none" }),
      transform: message("Transformer", "TransformInput")(tensor),
      route: message("Router", "Route")(tensor),
      aggregate: aggregate([tensor, tensor]),
      feedback: feedback({ request: tensor, reward: 0.5 }),
    },
    different: { none: { why: "the wrapper trips over None in its own code", code: "UNKNOWN" } },
  },
  {
    id: "whole messages without metrics",
    server: { name: "GrpcRaw", env: { INCLUDE_METRICS_IN_CLIENT_RESPONSE: "false" } },
    calls: { tensor: predict(tensor) },
  },
  {
    id: "deprecated methods",
    server: { name: "GrpcRaw.Deprecated" },
    calls: {
      predict: predict({ strData: "x" }),
      output: message("OutputTransformer", "TransformOutput")(tensor),
    },
  },
  {
    id: "tensors whose shape does not fit",
    server: { name: "GrpcRaw.Seen" },
    calls: Object.fromEntries(
      Object.entries({
        "too many values": { shape: [2], values: [1, 2, 3] },
        "too few values": { shape: [3], values: [1] },
        "no shape": { values: [1, 2] },
        "an open axis": { shape: [-1, 2], values: [1, 2, 3, 4] },
      }).map(([id, values]) => [id, predict({ data: { tensor: values } })]),
    ),
    better: {
      "too many values": {
        why: "no value is dropped unseen",
        code: "UNKNOWN",
        matches: /cannot reshape array of size 3 into shape \(2,\)/,
      },
    },
    different: {
      "too few values": {
        why: "numpy's text for a shape, not that for a buffer",
        code: "UNKNOWN",
        matches: /cannot reshape array of size 1 into shape \(3,\)/,
      },
      "no shape": {
        why: "numpy's text for a shape, not that for a slice",
        code: "UNKNOWN",
        matches: /cannot reshape array of size 2 into shape \(\)/,
      },
      "an open axis": { why: "works as over REST", code: "OK", matches: /\[\[1\. 2\.\]/ },
    },
  },
  {
    id: "TensorFlow's tensors, without TensorFlow",
    server: { name: "Echo" },
    calls: {
      values: predict({
        data: {
          names: ["a"],
          tftensor: {
            dtype: "DT_FLOAT",
            tensorShape: { dim: [{ size: 1 }, { size: 2 }] },
            floatVal: [1.5, 2],
          },
        },
      }),
      content: predict({
        data: {
          tftensor: {
            dtype: "DT_INT64",
            tensorShape: { dim: [{ size: 2 }] },
            tensorContent: "AQAAAAAAAAACAAAAAAAAAA==",
          },
        },
      }),
      text: predict({
        data: {
          tftensor: {
            dtype: "DT_STRING",
            tensorShape: { dim: [{ size: 1 }] },
            stringVal: ["YWJj"],
          },
        },
      }),
      wrong: predict({
        data: {
          tftensor: {
            dtype: "DT_INT64",
            tensorShape: { dim: [{ size: 3 }] },
            tensorContent: "AQAAAAAAAAA=",
          },
        },
      }),
    },
    better: {
      values: {
        why: "no TensorFlow is needed",
        code: "OK",
        matches:
          /"tftensor":\{"dtype":"DT_FLOAT","tensorContent":"AADAPwAAAEA=","tensorShape":\{"dim":\[\{"size":"1"\},\{"size":"2"\}\]\}\}/,
      },
      content: {
        why: "no TensorFlow is needed",
        code: "OK",
        matches: /"tensorContent":"AQAAAAAAAAACAAAAAAAAAA=="/,
      },
      text: { why: "no TensorFlow is needed", code: "OK", matches: /"ndarray":\["abc"\]/ },
      wrong: {
        why: "says what is wrong",
        code: "UNKNOWN",
        matches: /8 bytes of content for 3 elements of INT64/,
      },
    },
  },
  {
    id: "metrics of numpy's own numbers, and names that are no text",
    server: { name: "Odd.Metrics" },
    calls: Object.fromEntries(
      ["np-float64", "np-float32", "np-int64", "bool", "tags", "none", "lower"].map((name) => [
        name,
        predict(byName(name, "ndarray")),
      ]),
    ),
  },
  {
    id: "a class without methods",
    server: { name: "Echo.Bare" },
    calls: { tensor: predict(tensor), text: predict({ strData: "x" }) },
    better: {
      tensor: {
        why: "a model without predict is a mistake",
        code: "UNKNOWN",
        matches: /Predict not defined/,
      },
      text: {
        why: "a model without predict is a mistake",
        code: "UNKNOWN",
        matches: /Predict not defined/,
      },
    },
  },
];
