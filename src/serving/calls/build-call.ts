import type { TensorSpec } from "../../models/tensor/index.ts";
import { elementsIn, pictureLayout, type TensorValue } from "./shape.ts";

/** Protocols that a prediction can be asked over with an HTTP request. */
const PROTOCOLS = ["v2", "v1", "seldon", "model-server", "service"] as const;
export type ProtocolName = (typeof PROTOCOLS)[number];

/** What has to be known of a model to call it. */
export interface CallModel {
  readonly name: string;
  readonly version: string;
  /** Absent where it is not known. */
  readonly kind?: string;
  readonly takesTensors: boolean;
  readonly takesRawBody: boolean;
  /** Empty when only user code knows. */
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** What a call is made of. */
export type CallInput =
  | {
      readonly kind: "tensors";
      readonly tensors: readonly TensorValue[];
      /** The picture that the only tensor was made of, for a server that makes it by the model's own settings. */
      readonly picture?: Blob;
    }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "json"; readonly text: string }
  | { readonly kind: "file"; readonly file: Blob };

/** A request as it is sent, and as it is shown. */
export interface Call {
  readonly protocol: ProtocolName;
  readonly path: string;
  readonly contentType: string;
  readonly body: string | Blob;
  /** The same over gRPC; absent where it has no such form. */
  readonly grpc?: { readonly method: string; readonly message: string };
}

/** True for an input that a request in JSON cannot carry over V2. */
function isHalf({ datatype }: TensorSpec): boolean {
  return datatype === "FP16" || datatype === "BF16";
}

function isPicture(spec: TensorSpec): boolean {
  return pictureLayout(spec) !== undefined;
}

/** Protocols that the model answers, the best first. @param isFirst - paths without a name lead to this model */
export function protocolsOf(model: CallModel, isFirst: boolean): readonly ProtocolName[] {
  const { takesTensors, takesRawBody, inputs, outputs, kind } = model;
  const hasHalves = [...inputs, ...outputs].some(isHalf);
  const isSeldonClass = kind === "class" && inputs.length === 0;
  const found = PROTOCOLS.filter((name) => {
    if (name === "service") return takesRawBody && isFirst;
    if (name === "model-server") return takesTensors && inputs.some(isPicture);
    if (name === "seldon") return takesTensors && isFirst;
    return takesTensors && !(name === "v2" && hasHalves);
  });
  return isSeldonClass && found.includes("seldon")
    ? ["seldon", ...found.filter((name) => name !== "seldon")]
    : found;
}

/** Makes the request of a protocol. */
export function buildCall(protocol: ProtocolName, model: CallModel, input: CallInput): Call {
  const name = encodeURIComponent(model.name);
  const json = { protocol, contentType: "application/json" };
  switch (protocol) {
    case "v2": {
      const tensors = tensorsOf(input);
      const message = v2Message(model, tensors);
      return {
        ...json,
        path: `/v2/models/${name}/versions/${encodeURIComponent(model.version)}/infer`,
        body: `{"inputs":[${tensors.map(v2Tensor).join(",")}]}`,
        ...(message !== undefined && {
          grpc: { method: "inference.GRPCInferenceService/ModelInfer", message },
        }),
      };
    }
    case "v1":
      return {
        ...json,
        path: `/v1/models/${name}:predict`,
        body: `{"inputs":${columns(model, tensorsOf(input))}}`,
      };
    case "seldon": {
      const body = seldonBody(model, input);
      return {
        ...{ ...json, path: "/predict", body },
        ...(!body.includes('"jsonData"') && {
          grpc: { method: "seldon.protos.Model/Predict", message: body },
        }),
      };
    }
    case "model-server":
      return modelServerCall(`/predict/${name}/${encodeURIComponent(model.version)}`, input);
    case "service":
      return serviceCall(input);
  }
}

/** A picture as it is, else the tensors by name. */
function modelServerCall(path: string, input: CallInput): Call {
  const tensors = tensorsOf(input);
  const name = tensors[0]?.name ?? "";
  const picture = input.kind === "tensors" && tensors.length === 1 ? input.picture : undefined;
  return picture === undefined
    ? {
        ...{ protocol: "model-server", path, contentType: "application/json" },
        body: `{"inputs":${byName(tensors)}}`,
      }
    : {
        protocol: "model-server",
        path: `${path}?input=${encodeURIComponent(name)}`,
        contentType: picture.type === "" ? "application/octet-stream" : picture.type,
        body: picture,
      };
}

function tensorsOf(input: CallInput): readonly TensorValue[] {
  return input.kind === "tensors" ? input.tensors : [];
}

/** Nested lists in a shape, as JSON. */
export function nested(shape: readonly number[], literals: readonly string[]): string {
  const [size, ...rest] = shape;
  if (size === undefined) return literals[0] ?? "null";
  if (rest.length === 0) return `[${literals.join(",")}]`;
  const step = elementsIn(rest);
  const parts = Array.from({ length: size }, (_, at) =>
    nested(rest, literals.slice(at * step, (at + 1) * step)),
  );
  return `[${parts.join(",")}]`;
}

function v2Tensor({ name, datatype, shape, literals }: TensorValue): string {
  return `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(",")}],"data":[${literals.join(",")}]}`;
}

const CONTENTS: Readonly<Partial<Record<TensorValue["datatype"], string>>> = {
  ...{ BOOL: "bool_contents", BYTES: "bytes_contents", FP32: "fp32_contents" },
  ...{ FP64: "fp64_contents", INT64: "int64_contents", UINT64: "uint64_contents" },
  ...{ INT8: "int_contents", INT16: "int_contents", INT32: "int_contents" },
  ...{ UINT8: "uint_contents", UINT16: "uint_contents", UINT32: "uint_contents" },
};

/** The message of gRPC; undefined where a tensor has no field of its own. */
function v2Message(model: CallModel, tensors: readonly TensorValue[]): string | undefined {
  const inputs = tensors.map(({ name, datatype, shape, literals }) => {
    const field = CONTENTS[datatype];
    if (field === undefined) return undefined;
    const items = datatype === "BYTES" ? literals.map(inBase64) : literals;
    return `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(",")}],"contents":{"${field}":[${items.join(",")}]}}`;
  });
  return inputs.includes(undefined)
    ? undefined
    : `{"model_name":${JSON.stringify(model.name)},"model_version":${JSON.stringify(model.version)},"inputs":[${inputs.join(",")}]}`;
}

function inBase64(literal: string): string {
  const bytes = new TextEncoder().encode(String(JSON.parse(literal)));
  return JSON.stringify(btoa(String.fromCodePoint(...bytes)));
}

function columns({ inputs }: CallModel, tensors: readonly TensorValue[]): string {
  const [first] = tensors;
  if (first !== undefined && tensors.length === 1 && inputs.length < 2)
    return nested(first.shape, first.literals);
  return byName(tensors);
}

function byName(tensors: readonly TensorValue[]): string {
  const members = tensors.map(
    ({ name, shape, literals }) => `${JSON.stringify(name)}:${nested(shape, literals)}`,
  );
  return `{${members.join(",")}}`;
}

function seldonBody({ inputs }: CallModel, input: CallInput): string {
  if (input.kind === "text") return `{"strData":${JSON.stringify(input.text)}}`;
  if (input.kind === "json") return `{"jsonData":${input.text}}`;
  const tensors = tensorsOf(input);
  const [first] = tensors;
  if (first === undefined) return "{}";
  return inputs.length > 1
    ? `{"jsonData":${byName(tensors)}}`
    : `{"data":{"ndarray":${nested(first.shape, first.literals)}}}`;
}

function serviceCall(input: CallInput): Call {
  const common = { protocol: "service", path: "/service" } as const;
  switch (input.kind) {
    case "file":
      return {
        ...common,
        contentType: input.file.type === "" ? "application/octet-stream" : input.file.type,
        body: input.file,
      };
    case "json":
      return { ...common, contentType: "application/json", body: input.text };
    case "text":
      return { ...common, contentType: "text/plain; charset=utf-8", body: input.text };
    case "tensors":
      return { ...common, contentType: "application/json", body: byName(input.tensors) };
  }
}
