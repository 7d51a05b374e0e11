import { InferenceError } from "../../../ground/errors/index.ts";
import { shapeText, type Datatype, type TensorSpec } from "../../../models/tensor/index.ts";
import {
  defaultNames,
  isRaw,
  tensorOfList,
  type CallerOptions,
  type ComponentFacts,
  type ComponentMessage,
  type ComponentRequest,
  type ComponentResponse,
  type GraphComponent,
  type NamedTensor,
  type Payload,
  type Predictor,
} from "../../plane/index.ts";
import {
  arrayText,
  DenseArrayReader,
  isObject,
  JsonError,
  JsonReader,
  nodeText,
  readNode,
  stringText,
} from "../json/index.ts";

/**
 * The methods of a Seldon graph for any predictor: its own where it has them. Else `predict` runs the model, the transforms pass their
 * message through, and the others are refused. A model of one input takes the array in `data`. A model of several takes
 * `jsonData` `{name: array}`, or a table in `data` whose columns are named as the inputs. One output comes back in `data`, several
 * in `jsonData` by their names; of a classifier's label and scores the scores are `data` and the label is a tag.
 */
export function graphOf(predictor: Predictor): GraphComponent {
  if (predictor.graph !== undefined) return predictor.graph;
  let found = made.get(predictor);
  if (found === undefined) made.set(predictor, (found = graphFrom(predictor)));
  return found;
}

const made = new WeakMap<Predictor, GraphComponent>();

function graphFrom(predictor: Predictor): GraphComponent {
  const inputs = predictor.describe().signature?.inputs ?? [];
  const width = inputs.length === 1 ? inputs[0]?.shape.at(-1) : undefined;
  const facts: ComponentFacts = {
    methods: ["predict"],
    ...(width !== undefined && width > 0 && { features: { count: width, names: [] } }),
  };
  return { facts, call: async (request, caller) => callModel(predictor, request, caller) };
}

async function callModel(
  predictor: Predictor,
  request: ComponentRequest,
  caller: CallerOptions | undefined,
): Promise<ComponentResponse> {
  const [message] = request.messages;
  switch (request.method) {
    case "predict":
      return predict(predictor, request, caller);
    case "transform-input":
    case "transform-output":
      return responseOf(message?.payload ?? { kind: "text", text: "" });
    case "health-status":
      return responseOf({ kind: "text", text: "healthy" });
    case "send-feedback":
      return { ...responseOf(EMPTY), isAbsent: true };
    case "metadata":
      return { ...responseOf({ kind: "json", json: "{}" }), isAbsent: true };
    case "route":
      throw new InferenceError("REQUEST_INVALID", "Route not defined");
    case "aggregate":
      throw new InferenceError("REQUEST_INVALID", "Aggregate not defined");
    default:
      return request.method satisfies never;
  }
}

const EMPTY: Payload = {
  kind: "tensor",
  tensor: { name: "", datatype: "FP64", shape: [0], data: new Uint8Array(0) },
};

async function predict(
  predictor: Predictor,
  { messages, requestId, trace }: ComponentRequest,
  caller: CallerOptions | undefined,
): Promise<ComponentResponse> {
  const specs = predictor.describe().signature?.inputs;
  const { outputs } = await predictor.infer({
    inputs: inputsOf(messages[0], specs),
    isUntyped: true,
    ...(requestId !== undefined && { id: requestId }),
    ...(trace !== undefined && { trace }),
    ...(caller !== undefined && { caller }),
  });
  if (isRaw(outputs)) return responseOf({ kind: "bytes", bytes: outputs.bytes });
  const [first, second] = outputs;
  if (first === undefined)
    throw new InferenceError("MODEL_FAILED", "call the model: it gave no output");
  if (second === undefined) return responseOf({ kind: "tensor", tensor: first });
  if (outputs.length === 2 && isLabel(first) && isScores(second, first)) {
    const tags = `{${stringText(first.name, true)}:${String(arrayText(first, "nested"))}}`;
    return { ...responseOf({ kind: "tensor", tensor: second }), tags };
  }
  const members = outputs.map(
    (output) => `${stringText(output.name, true)}:${String(arrayText(output, "nested"))}`,
  );
  return responseOf({ kind: "json", json: `{${members.join(",")}}` });
}

/** Classifiers give a label for each row, and then scores for every class. */
function isLabel({ datatype, shape }: NamedTensor): boolean {
  return (
    shape.length === 1 && (datatype === "INT64" || datatype === "INT32" || datatype === "BYTES")
  );
}

const FLOATS: ReadonlySet<Datatype> = new Set(["FP16", "BF16", "FP32", "FP64"]);

function isScores({ datatype, shape }: NamedTensor, label: NamedTensor): boolean {
  return FLOATS.has(datatype) && shape.length === 2 && shape[0] === label.shape[0];
}

function inputsOf(
  message: ComponentMessage | undefined,
  specs: readonly TensorSpec[] | undefined,
): readonly NamedTensor[] {
  const { payload, names = [] } = message ?? {};
  if (payload?.kind === "json") return namedInputs(payload.json, specs);
  if (specs === undefined) return [{ ...arrayOf(payload, undefined), name: "input" }];
  const [only, ...others] = specs;
  if (only !== undefined && others.length === 0)
    return [{ ...arrayOf(payload, only.datatype), name: only.name }];
  if (payload?.kind !== "tensor") throw unnamed(specs, `got ${kindText(payload)}`);
  if (!isSame(names, specs)) throw unnamed(specs, "got one array");
  return columnsOf(payload.tensor, names, specs);
}

function isSame(names: readonly string[], specs: readonly TensorSpec[]): boolean {
  return names.length === specs.length && specs.every(({ name }) => names.includes(name));
}

/** `{name: array}`: every input once, and nothing else. */
function namedInputs(
  json: string,
  specs: readonly TensorSpec[] | undefined,
): readonly NamedTensor[] {
  const reader = new JsonReader();
  const arrays = new DenseArrayReader();
  reader.open(Buffer.from(json, "utf8"));
  if (reader.peek() !== 0x7b) throw unnamed(specs, "got jsonData that is no object");
  const found = new Map<string, NamedTensor>();
  reader.enter(0x7b);
  for (let key = reader.firstKey(); key !== undefined; key = reader.nextKey()) {
    const dense = reader.peek() === 0x5b ? arrays.read(reader) : undefined;
    found.set(key, dense === undefined ? listed(key, reader) : { ...dense, name: key });
  }
  const names = [...found.keys()];
  if (specs !== undefined && !isSame(names, specs))
    throw unnamed(specs, `got ${names.map((name) => `"${name}"`).join(", ") || "none"}`);
  return [...found.values()];
}

/** Text, or a value by itself. */
function listed(name: string, reader: JsonReader): NamedTensor {
  const node = readNode(reader);
  if (isObject(node) || node === null)
    throw new InferenceError("TENSOR_INVALID", `read the tensor "${name}": it is no array`, {
      tensor: name,
    });
  return tensorOfList(name, JSON.parse(nodeText(node, { sortKeys: false, asciiOnly: false })));
}

/** A table `[rows, inputs]` cut into its columns, each in the form that its input wants: `[rows]` or `[rows, 1]`. */
function columnsOf(
  table: Omit<NamedTensor, "parameters">,
  names: readonly string[],
  specs: readonly TensorSpec[],
): readonly NamedTensor[] {
  const [rows = 0, width] = table.shape;
  if (table.shape.length !== 2 || width !== names.length || table.datatype === "BYTES")
    throw unnamed(
      specs,
      `got a table of shape ${shapeText(table.shape)} with ${names.length} names`,
    );
  const size = rows === 0 ? 0 : table.data.byteLength / (rows * width);
  return specs.map(({ name, shape }) => {
    const column = names.indexOf(name);
    const data = new Uint8Array(rows * size);
    for (let row = 0; row < rows; row += 1) {
      const start = (row * width + column) * size;
      data.set(table.data.subarray(start, start + size), row * size);
    }
    return {
      name,
      datatype: table.datatype,
      shape: shape.length === 1 ? [rows] : [rows, 1],
      data,
    };
  });
}

function unnamed(specs: readonly TensorSpec[] | undefined, why: string): InferenceError {
  const names = (specs ?? []).map(
    ({ name, datatype, shape }) => `"${name}" ${datatype} ${shapeText(shape)}`,
  );
  return new InferenceError(
    "TENSOR_INVALID",
    `call the model: ${why}, and the model takes the inputs ${names.join(", ")}`,
    {
      expected: names.join(", "),
      hint: 'name them: "jsonData": {NAME: ARRAY, ...}, or "data" with one column and one of "names" for each input',
    },
  );
}

function arrayOf(
  payload: Payload | undefined,
  datatype: Datatype | undefined,
): Omit<NamedTensor, "parameters"> {
  if (payload?.kind === "tensor") return payload.tensor;
  if (payload?.kind === "array") return tensorOfList("", parseLenient(payload.json));
  if (payload?.kind === "text" && datatype === "BYTES") return tensorOfList("", payload.text);
  throw new InferenceError(
    "REQUEST_INVALID",
    `call the model: it takes an array in "data", not ${kindText(payload)}`,
  );
}

function kindText(payload: Payload | undefined): string {
  if (payload?.kind === "json") return "jsonData";
  if (payload?.kind === "text") return "strData";
  return payload?.kind === "array" ? "an array of text or mixed values" : "binData";
}

function parseLenient(json: string): unknown {
  try {
    return /\d{16}/.test(json) ? JSON.parse(json, exactInteger) : JSON.parse(json);
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof JsonError)) throw cause;
    throw new InferenceError(
      "TENSOR_INVALID",
      "call the model: the array is ragged, or mixes numbers with something else",
      { cause }, // NaN and infinities beside text
    );
  }
}

/** Integers that a double does not hold become bigints. */
function exactInteger(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  const { source = "" } = context ?? {};
  return typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
    ? BigInt(source)
    : value;
}

/** Names of an answer's columns, as the class contract gives them when nobody names any. */
function responseOf(payload: Payload): ComponentResponse {
  const axes = payload.kind === "tensor" ? payload.tensor.shape : [];
  const message: ComponentMessage = {
    payload,
    names: axes.length > 1 ? defaultNames(axes[1] ?? 0) : [],
  };
  return { message, isRaw: false };
}
