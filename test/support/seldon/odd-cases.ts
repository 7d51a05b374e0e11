import type { SeldonGroup } from "./cases.ts";
import { ONE, PAGE, predictions } from "./requests.ts";
import { get, json, type WireRequest } from "./wire.ts";

const METRICS = [
  "none",
  "tuple",
  "dict",
  "text",
  "empty",
  "not-implemented",
  "raise",
  "refuse",
  "bool",
  "np-float64",
  "np-float32",
  "np-int64",
  "text-value",
  "none-value",
  "nan",
  "inf",
  "huge",
  "list-value",
  "no-key",
  "no-type",
  "no-value",
  "lower",
  "extra",
  "number-key",
  "none-key",
  "strange-key",
  "empty-key",
  "tags",
  "number-tag",
  "none-tags",
  "list-tags",
  "empty-tags",
  "method-tag",
  "strange-tag",
  "unicode-tag",
  "label-tag",
  "negative",
  "timer",
  "timer-negative",
  "twice",
  "same-key",
  "float-counter",
  "total",
  "two-bad",
  "nested",
] as const;
const TAGS = [
  "none",
  "list",
  "pairs",
  "text",
  "number",
  "empty",
  "np-float64",
  "np-int64",
  "np-array",
  "number-keys",
  "mixed-keys",
  "none-key",
  "nan",
  "bytes",
  "unicode",
  "big",
  "tuple",
  "set",
  "nested",
  "raise",
  "not-implemented",
  "refuse",
  "bool",
] as const;
const NAMES = [
  "none",
  "tuple",
  "array",
  "generator",
  "few",
  "many",
  "numbers",
  "not-finite",
  "nested",
  "text",
  "dict",
  "set",
  "empty",
  "raise",
  "not-implemented",
  "unicode",
  "np-text",
  "np-int",
  "with-none",
  "number",
] as const;
const RETURNS = [
  "ints-and-floats",
  "truth-and-ints",
  "text-and-ints",
  "text-and-truth",
  "tuples",
  "np-scalars",
  "np-ints",
  "np-rows",
  "ragged",
  "nested-dicts",
  "list-of-none",
  "floats",
  "big",
  "huge",
  "big-neg",
  "masked",
  "long-double",
  "zero-d-text",
  "zero-d-bool",
  "empty-text",
  "empty-nested",
  "empty-3d",
  "deep-text",
  "np-str",
  "np-bytes",
  "np-bool",
  "set",
  "range",
  "exception",
  "nan-list",
  "neg-zero",
  "bytes-list",
  "dict-bytes",
  "dict-tuple-key",
  "dict-none-key",
  "dict-bool-key",
  "dict-array",
  "dict-float-keys",
  "dict-order",
  "dict-tuple",
  "dict-deep",
  "dict-nested-mixed",
  "text-nul",
  "text-lines",
  "text-empty",
  "bytes-empty",
  "bytes-all",
  "dict-empty",
  "array-nul",
  "half",
  "single",
  "uint8",
  "char",
  "reversed",
  "broadcast",
  "response-none",
  "response-dict",
  "response-bytes",
  "response-list",
  "empty-exception",
  "exception-args",
  "exception-unicode",
  "exception-bytes",
  "stop",
  "memory",
  "recursion",
  "not-implemented",
  "builtin-not-implemented",
  "zero",
  "attribute",
  "lookup",
  "index",
  "refuse-number",
  "refuse-none",
  "refuse-dict",
  "refuse-200",
  "refuse-204",
  "refuse-503",
  "refuse-599",
  "refuse-reason-none",
  "refuse-unicode",
  "refuse-sub",
] as const;

/** A table of two columns whose first one is called `name`. */
function table(name: string, kind: "ndarray" | "tensor" = "ndarray"): unknown {
  return {
    data: {
      names: [name],
      ...(kind === "tensor"
        ? { tensor: { shape: [1, 2], values: [1, 2] } }
        : { ndarray: [[1, 2]] }),
    },
  };
}

function all(names: readonly string[], kind?: "tensor"): Record<string, WireRequest> {
  return predictions(Object.fromEntries(names.map((name) => [name, table(name, kind)])));
}

function aggregates(names: readonly string[]): Record<string, WireRequest> {
  return Object.fromEntries(
    names.map((name) => [
      `${name} of aggregate`,
      json("/aggregate", { seldonMessages: [table(name)] }),
    ]),
  );
}

/** What numpy has made is taken where the wrapper trips over it. */
const TAKEN = { status: 200, body: '"ndarray":[[' };

const METRICS_BETTER = {
  "number-tag": TAKEN,
  "none-tags": TAKEN,
  "list-tags": TAKEN,
  "method-tag": { status: 200, body: '"method":"mine"' },
  "empty-tags": { status: 200, body: '"tags":{}' },
  "np-float32": { status: 200, body: '"value":1.5' },
};
/** Those that do not take the wrapper's page down. */
const COUNTED = [
  "bool",
  "np-float64",
  "nan",
  "inf",
  "huge",
  "tags",
  "method-tag",
  "unicode-tag",
  "label-tag",
  "negative",
  "timer",
  "timer-negative",
  "twice",
  "float-counter",
  "total",
  "two-bad",
];
const TAKEN_NAMES = { status: 200, body: '"names":[' };
const NUMPY_LISTS = { "np-ints": TAKEN, "np-rows": TAKEN, "long-double": TAKEN };

const shaped = (shape: string, values: string): WireRequest =>
  json("/predict", `{"data":{"tensor":{"shape":${shape},"values":${values}}}}`);
const SHAPES = Object.fromEntries(
  (
    [
      ["[2]", "[true,false]"],
      ["[2,0]", "[]"],
      ["[0,2]", "[]"],
      ["[-2]", "[1,2]"],
      ["[-1,-1]", "[1]"],
      ["[true]", "[1]"],
      ["null", "[1,2]"],
      ["[[1]]", "[1]"],
      ["[100000000000000000000]", "[1]"],
      ["{}", "[1]"],
      ["[]", "[]"],
      ["[1]", "5"],
      ["[1]", "null"],
      ["[3]", "[[1],[2,3]]"],
      ["[2]", "[1,[2]]"],
      ["[2]", '[1,"a"]'],
      ["[-1]", "[]"],
      ["[-1,0]", "[]"],
      ["[2,-1]", "[1,2,3]"],
      ["2.0", "[1,2]"],
      ["[4294967296]", "[1]"],
    ] as const
  ).map(([shape, values]) => [`${shape} of ${values}`, shaped(shape, values)]),
);
const rewarded = (reward: string): WireRequest => json("/send-feedback", `{"reward":${reward}}`);
const REWARDS = Object.fromEntries(
  ["true", '"Infinity"', '"NaN"', "-0.5", "0"].map((reward) => [reward, rewarded(reward)]),
);
const INPUTS = [
  "{}",
  '{"messagetype":"tensor"}',
  '{"messagetype":"jsonData"}',
  '{"messagetype":"jsonData","schema":[]}',
  '{"messagetype":"own","schema":{"a":1}}',
  '{"messagetype":"tensor","schema":{"shape":[1,-1]}}',
  '{"name":"x"}',
  '{"datatype":"BF16"}',
  '{"messagetype":"strData","schema":{}}',
  "5",
];
const METADATA_GROUPS: readonly SeldonGroup[] = INPUTS.map((input) => ({
  id: `metadata with the input ${input}`,
  server: { name: "Echo", env: { MODEL_METADATA: `{"inputs":[${input}]}` } },
  requests: { metadata: get("/metadata") },
  ...(["[]}", "BF16", "strData", "5"].some((end) => input.includes(end)) && {
    better: { metadata: { status: 500, body: '\\"inputs\\" is not of the right form' } },
  }),
}));

/** What user code may say, return and raise beside what it is meant to: the rules at their edges. */
export const ODD_GROUPS: readonly SeldonGroup[] = [
  {
    id: "odd metrics",
    server: { name: "Odd.Metrics" },
    requests: all(METRICS),
    better: { ...METRICS_BETTER, "np-int64": { status: 200, body: '"value":2' } },
  },
  {
    id: "odd metrics of one answer",
    server: { name: "Odd.Runtime" },
    requests: all([...METRICS, ...TAGS]),
    better: METRICS_BETTER,
  },
  {
    id: "page of odd metrics",
    server: { name: "Odd.Metrics" },
    requests: { ...all(COUNTED), page: PAGE },
    better: { "method-tag": METRICS_BETTER["method-tag"] },
  },
  { id: "odd tags", server: { name: "Odd.Tags" }, requests: { ...all(TAGS), ...aggregates(TAGS) } },
  {
    id: "odd class names",
    server: { name: "Odd.Names" },
    requests: all(NAMES),
    different: {
      array: TAKEN_NAMES,
      generator: TAKEN_NAMES,
      set: TAKEN_NAMES,
      "np-int": TAKEN_NAMES,
    },
  },
  {
    id: "class names in a tuple",
    server: { name: "Odd.TupleNames" },
    requests: { predict: json("/predict", ONE) },
  },
  {
    id: "class names of a property",
    server: { name: "Odd.PropertyNames" },
    requests: { predict: json("/predict", ONE) },
  },
  {
    id: "odd answers",
    server: { name: "Returns" },
    requests: {
      ...all(RETURNS),
      ...aggregates(["ints-and-floats", "text-and-ints"]),
      health: get("/health/status"),
    },
    different: NUMPY_LISTS,
  },
  {
    id: "odd answers to tensors",
    server: { name: "Returns" },
    requests: all(
      RETURNS.filter((name) => name !== "masked"),
      "tensor",
    ),
    different: { "long-double": { status: 200, body: '"values":[1.5]' } },
  },
  { id: "shapes", server: { name: "Echo" }, requests: SHAPES },
  {
    id: "rewards",
    server: { name: "Args" },
    requests: {
      ...REWARDS,
      "a shape of floats": json(
        "/send-feedback",
        '{"request":{"data":{"tensor":{"shape":[2.0],"values":[1,"NaN"]}}}}',
      ),
      NaN: json("/send-feedback", '{"request":{"data":{"ndarray":[[NaN]]}}}'),
      "too large": rewarded("1e39"),
      page: PAGE,
    },
    different: { "too large": { status: 400, body: "Invalid JSON: " } },
  },
  {
    id: "odd forms",
    server: { name: "Echo" },
    requests: {
      "no boundary": {
        path: "/predict",
        body: "x",
        headers: { "Content-Type": "multipart/form-data" },
      },
      "no end": {
        path: "/predict",
        body: '--b\r\nContent-Disposition: form-data; name="strData"\r\n\r\nx',
        headers: { "Content-Type": "multipart/form-data; boundary=b" },
      },
      "nothing to aggregate": json("/aggregate", []),
    },
  },
  ...METADATA_GROUPS,
];
