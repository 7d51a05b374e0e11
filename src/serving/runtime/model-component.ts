import { InferenceError } from "../../ground/errors/index.ts";
import type { Tensor, TensorSpec } from "../../models/tensor/index.ts";
import type {
  Component,
  ComponentFacts,
  ComponentMessage,
  ComponentRequest,
  ComponentResponse,
  Payload,
} from "./component.ts";
import type { CallerOptions, Model } from "./contracts.ts";

/**
 * A model without user code as a component: `predict` runs it on the request's array and answers with one output, the scores where
 * there are some (floats of two axes), else the last one; protocols that know several ask the model itself. The transforms pass their
 * message through.
 */
export function createModelComponent(model: Model): Component {
  const [input] = model.signature.inputs;
  return {
    facts: factsOf(input),
    call: (request, options) => callModel(model, request, options),
    [Symbol.asyncDispose]: () => Promise.resolve(model[Symbol.asyncDispose]()),
  };
}

function factsOf(input: TensorSpec | undefined): ComponentFacts {
  const width = input?.shape.at(-1);
  return {
    methods: ["predict"],
    ...(width !== undefined && width > 0 && { features: { count: width, names: [] } }),
  };
}

async function callModel(
  model: Model,
  request: ComponentRequest,
  options: CallerOptions | undefined,
): Promise<ComponentResponse> {
  const [message] = request.messages;
  switch (request.method) {
    case "predict":
      return predict(model, message?.payload, options);
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

async function predict(
  model: Model,
  payload: Payload | undefined,
  options: CallerOptions | undefined,
): Promise<ComponentResponse> {
  const [input] = model.signature.inputs;
  const outputs = await model.infer([{ ...numbersOf(payload), name: input?.name ?? "" }], options);
  const output = outputs.find(isScores) ?? outputs.at(-1);
  if (output === undefined)
    throw new InferenceError("MODEL_FAILED", "call the model: it gave no output");
  return responseOf({ kind: "tensor", tensor: output });
}

const EMPTY: Payload = {
  kind: "tensor",
  tensor: { name: "", datatype: "FP64", shape: [0], data: new Uint8Array(0) },
};

/** Classifiers give a label and then scores for every class. */
function isScores({ datatype, shape }: Tensor): boolean {
  return shape.length === 2 && (datatype === "FP32" || datatype === "FP64" || datatype === "FP16");
}

function numbersOf(payload: Payload | undefined): Tensor {
  if (payload?.kind === "tensor") return payload.tensor;
  if (payload?.kind === "array") return textTensor(payload.json);
  throw new InferenceError(
    "REQUEST_INVALID",
    `call the model: it takes an array in "data", not ${payload?.kind === "json" ? "jsonData" : payload?.kind === "text" ? "strData" : "binData"}`,
  );
}

/** A rectangular array of text as BYTES. @throws InferenceError `TENSOR_INVALID` for anything else */
function textTensor(json: string): Tensor {
  const shape: number[] = [];
  const items: Buffer[] = [];
  const walk = (value: unknown, depth: number): void => {
    if (Array.isArray(value)) {
      if ((shape[depth] ??= value.length) !== value.length) throw notText();
      for (const item of value) walk(item, depth + 1);
    } else if (typeof value === "string" && depth === shape.length) {
      const size = Buffer.alloc(4);
      const bytes = Buffer.from(value, "utf8");
      size.writeUInt32LE(bytes.byteLength);
      items.push(size, bytes);
    } else throw notText();
  };
  walk(parseLenient(json), 0);
  return { name: "", datatype: "BYTES", shape, data: Buffer.concat(items) };
}

function parseLenient(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw notText(); // NaN and infinities beside text
  }
}

function notText(): InferenceError {
  return new InferenceError(
    "TENSOR_INVALID",
    "call the model: the array is ragged, or mixes numbers with something else",
  );
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

const MAX_NAMED = 65_536;

/** `t:0`, `t:1`, … */
export function defaultNames(count: number): readonly string[] {
  return Array.from({ length: Math.min(count, MAX_NAMED) }, (_, index) => `t:${index}`);
}
