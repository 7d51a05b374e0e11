import { InferenceError } from "../../ground/errors/index.ts";
import type { Signature } from "../../models/tensor/index.ts";
import {
  isRaw,
  type InferRequest,
  type InferResponse,
  type NamedTensor,
  type Predictor,
  type PredictorFacts,
  type RawAnswer,
  type RawBody,
} from "./contracts.ts";
import type {
  ComponentMessage,
  ComponentRequest,
  ComponentResponse,
  GraphComponent,
  Payload,
} from "./graph-component.ts";
import { packItems, tensorOfList } from "./list-tensor.ts";

const OUTPUT = "output";

/** What `infer` of a graph component needs to know of it. */
export interface GraphFacts {
  readonly model: string;
  readonly platform: string;
  readonly signature?: Signature | undefined;
  /** A class whose `predict` takes the request's body as it came. */
  readonly takesRawBody: boolean;
}

/** `describe` and `infer` for a class that has the methods of a Seldon graph: its `predict` gets the only tensor, or the body. */
export function predictorOfGraph(
  graph: GraphComponent,
  facts: GraphFacts,
): Pick<Predictor, "describe" | "infer"> {
  const { signature, platform, takesRawBody } = facts;
  const described: PredictorFacts = {
    ...(signature !== undefined && { signature }),
    platform,
    takesTensors: !takesRawBody,
    takesRawBody,
    streams: false,
    joinsRows: false, // its worker joins what lies ready there
    wantsHeaders: false,
  };
  return {
    describe: () => described,
    infer: async (request) => {
      const response = await graph.call(graphRequest(request, facts), request.caller);
      return isRaw(request.inputs)
        ? { outputs: rawAnswer(response) }
        : wanted(request, outputsOf(response, signature));
    },
  };
}

function graphRequest(
  { inputs, id, trace }: InferRequest,
  { model, takesRawBody }: GraphFacts,
): ComponentRequest {
  if (isRaw(inputs) !== takesRawBody)
    throw new InferenceError(
      "UNSUPPORTED",
      `call the model "${model}": it takes ${takesRawBody ? "a body as it comes" : "tensors"}, and not ${takesRawBody ? "tensors" : "a body as it comes"}`,
      { model },
    );
  return {
    method: "predict",
    messages: [isRaw(inputs) ? rawMessage(inputs) : tensorMessage(inputs, model)],
    ...(id !== undefined && { requestId: id }),
    ...(trace !== undefined && { trace }),
  };
}

function rawMessage({ bytes, request }: RawBody): ComponentMessage {
  const message: ComponentMessage = { payload: { kind: "bytes", bytes }, names: [] };
  return request === undefined ? message : { ...message, meta: JSON.stringify(request) };
}

function tensorMessage(inputs: readonly NamedTensor[], model: string): ComponentMessage {
  const [tensor, ...others] = inputs;
  if (tensor === undefined || others.length > 0)
    throw new InferenceError(
      "TENSOR_INVALID",
      `call the model "${model}": its class takes one tensor, got ${inputs.map(({ name }) => `"${name}"`).join(", ") || "none"}`,
      { model, expected: "one tensor", actual: String(inputs.length) },
    );
  return { payload: { kind: "tensor", tensor }, names: [] };
}

/** What the worker made of a raw answer: its bytes, with status and type beside them. */
function rawAnswer({ message, tags }: ComponentResponse): RawAnswer {
  const { payload } = message;
  if (payload.kind !== "bytes")
    throw new InferenceError(
      "MODEL_FAILED",
      `read the answer: the class gave a payload of kind "${payload.kind}"`,
    );
  const about: unknown = JSON.parse(tags ?? "{}");
  const { status, contentType } = (typeof about === "object" && about !== null ? about : {}) as {
    readonly status?: unknown;
    readonly contentType?: unknown;
  }; // checked below
  const isStatus =
    typeof status === "number" && Number.isInteger(status) && status >= 200 && status <= 599;
  return {
    status: isStatus ? status : 200,
    contentType:
      typeof contentType === "string" && /^[\x20-\x7e]+$/.test(contentType) ? contentType : "",
    bytes: payload.bytes,
  };
}

function outputsOf(
  { message }: ComponentResponse,
  signature: Signature | undefined,
): readonly NamedTensor[] {
  const name = signature?.outputs.length === 1 ? (signature.outputs[0]?.name ?? OUTPUT) : OUTPUT;
  return tensorsOf(message.payload, name);
}

function tensorsOf(payload: Payload, name: string): readonly NamedTensor[] {
  switch (payload.kind) {
    case "tensor":
      return [{ ...payload.tensor, name }];
    case "array":
      return [tensorOfList(name, parseList(payload.json, name), payload.datatype)];
    case "json":
      return tensorsOfObject(JSON.parse(payload.json), name);
    case "text":
      return [tensorOfList(name, payload.text)];
    case "bytes":
      return [{ name, datatype: "BYTES", shape: [1], data: packItems([payload.bytes]) }];
    case "raw":
    case "proto":
    case "any":
      throw new InferenceError(
        "UNSUPPORTED",
        `read the answer: the class gave a whole message, which only the Seldon protocol can carry`,
      );
    default:
      return payload satisfies never;
  }
}

function parseList(json: string, name: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new InferenceError(
      "TENSOR_INVALID",
      `read the tensor "${name}": it mixes text with numbers that JSON does not have`,
      { tensor: name, cause },
    );
  }
}

/** Each member that is a list or a value is a tensor of its name; anything else is its JSON text. */
function tensorsOfObject(value: unknown, name: string): readonly NamedTensor[] {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return [tensorOrText(name, value)];
  return Object.entries(value).map(([key, member]) => tensorOrText(key, member));
}

function tensorOrText(name: string, value: unknown): NamedTensor {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return tensorOfList(name, isObject || value === null ? JSON.stringify(value) : value);
}

/** The outputs that a request asks for, in its order. @throws InferenceError `TENSOR_INVALID` for one that the model does not have */
export function wanted(
  request: Pick<InferRequest, "outputs">,
  outputs: readonly NamedTensor[],
): InferResponse {
  if (request.outputs === undefined) return { outputs };
  return {
    outputs: request.outputs.map((name) => {
      const found = outputs.find((output) => output.name === name);
      if (found !== undefined) return found;
      const there = outputs.map((output) => `"${output.name}"`).join(", ");
      throw new InferenceError(
        "TENSOR_INVALID",
        `find the output "${name}": the model gives ${there}`,
        { tensor: name, expected: there, actual: name },
      );
    }),
  };
}
