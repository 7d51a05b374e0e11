import { Client, credentials } from "@grpc/grpc-js";
import type { Signature, TensorSpec } from "../../src/models/tensor/index.ts";
import { protocolOf, type ApiModel } from "../../src/serving/protocols/index.ts";
import { JsonReader, nodeText, readNode } from "../../src/serving/protocols/json/index.ts";
import { fieldsOfMessages } from "../../src/serving/protocols/protobuf/json-mapping.ts";
import { jsonToProto } from "../../src/serving/protocols/protobuf/json-to-proto.ts";
import { protoToJson } from "../../src/serving/protocols/protobuf/proto-to-json.ts";
import { exampleShape } from "../../src/serving/protocols/sample.ts";
import { SELDON_PROTO } from "../../src/serving/protocols/seldon-service/seldon-descriptors.ts";
import { SERVING_PROTO } from "../../src/serving/protocols/v1/grpc-proto.ts";
import { V2_PROTO } from "../../src/serving/protocols/v2/v2-proto.ts";
import type { ProtoFile } from "../../src/serving/transport/index.ts";

/** What a model said to one protocol, whatever the transport. */
export interface PairAnswer {
  /** Of HTTP; over gRPC `OK` is 200, `UNIMPLEMENTED` is 501, and any other code is itself. */
  readonly status: number;
  /** The body, or the details of the status. */
  readonly text: string;
  /** Names of outputs, where the answer names them. */
  readonly names: readonly string[];
}

/** Where a model is asked. */
export interface AskedModel {
  readonly http: number;
  readonly grpc: number;
  readonly model: ApiModel;
}

/** A protocol over a transport. */
export interface ProtocolRow {
  readonly id: string;
  /** As refusals name the protocol. */
  readonly spoken: RegExp;
  readonly takes: "tensors" | "bodies" | "either";
  /** Whether a lone output, and several, have names in the answer. */
  readonly namesOutputs: "always" | "several";
  readonly ask: (asked: AskedModel) => Promise<PairAnswer>;
}

const BYTES_OF: Readonly<Record<string, number>> = {
  ...{ BOOL: 1, INT8: 1, UINT8: 1, INT16: 2, UINT16: 2, FP16: 2, BF16: 2 },
  ...{ INT32: 4, UINT32: 4, FP32: 4, BYTES: 4, INT64: 8, UINT64: 8, FP64: 8 },
};
const TF_TYPES: Readonly<Record<string, string>> = {
  ...{ FP32: "DT_FLOAT", FP64: "DT_DOUBLE", INT64: "DT_INT64", INT32: "DT_INT32" },
  ...{ UINT8: "DT_UINT8", BYTES: "DT_STRING", BOOL: "DT_BOOL" },
};

/** The bytes of a tensor of zeros, or of empty text. */
export function zeroBytes(
  { datatype }: Pick<TensorSpec, "datatype">,
  shape: readonly number[],
): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  return new Uint8Array(count * (BYTES_OF[datatype] ?? 1));
}

/** A signature as documents show the model; without one a single input of three numbers is made up. */
export function askedModel(name: string, signature: Signature | undefined): ApiModel {
  const inputs = signature?.inputs ?? [{ name: "x", datatype: "FP64", shape: [1, 3] }];
  const outputs = signature?.outputs ?? [];
  return { name, inputs, outputs, takesTensors: true, takesRawBody: false };
}

/** Every protocol over every transport that it has. */
export const PROTOCOL_ROWS: readonly ProtocolRow[] = [
  {
    ...rest("seldon", "/api/v1.0/predictions", { spoken: /Seldon/, namesOutputs: "several" }),
    takes: "either",
  },
  {
    ...{ id: "seldon over gRPC", spoken: /Seldon/, takes: "either", namesOutputs: "several" },
    ask: (asked) =>
      call(asked, "/seldon.protos.Seldon/Predict", {
        ...{ file: SELDON_PROTO, request: "SeldonMessage", response: "SeldonMessage" },
        json: exampleBody("seldon", asked.model),
        namesIn: seldonNames,
      }),
  },
  {
    ...{ id: "uai over REST", spoken: /UAI/, takes: "bodies", namesOutputs: "several" },
    ask: ({ http }) => post(http, "/service", { body: "four", contentType: "text/plain" }),
  },
  rest("kserve", undefined, { spoken: /V2/, namesOutputs: "always" }),
  {
    ...{ id: "kserve over gRPC", spoken: /V2/, takes: "tensors", namesOutputs: "always" },
    ask: (asked) =>
      call(asked, "/inference.GRPCInferenceService/ModelInfer", {
        ...{ file: V2_PROTO, request: "ModelInferRequest", response: "ModelInferResponse" },
        json: JSON.stringify({
          modelName: asked.model.name,
          inputs: asked.model.inputs.map((input) => ({
            ...{ name: input.name, datatype: input.datatype, shape: exampleShape(input) },
          })),
          rawInputContents: asked.model.inputs.map(zerosIn64),
        }),
        namesIn: (answer) => namesOf(answer["outputs"]),
      }),
  },
  rest("v1", undefined, { spoken: /V1/, namesOutputs: "several" }),
  {
    ...{ id: "TensorFlow Serving over gRPC", spoken: /TensorFlow Serving/ },
    ...{ takes: "tensors", namesOutputs: "always" },
    ask: (asked) =>
      call(asked, "/tensorflow.serving.PredictionService/Predict", {
        ...{ file: SERVING_PROTO, request: "PredictRequest", response: "PredictResponse" },
        json: JSON.stringify({
          modelSpec: { name: asked.model.name },
          inputs: Object.fromEntries(asked.model.inputs.map((one) => [one.name, tfTensor(one)])),
        }),
        namesIn: (answer) => Object.keys(memberOf(answer, "outputs")),
      }),
  },
  {
    ...rest("model-server", undefined, { spoken: /model server/, namesOutputs: "always" }),
    takes: "either",
  },
];

function rest(
  protocol: string,
  path: string | undefined,
  about: Pick<ProtocolRow, "spoken" | "namesOutputs">,
): ProtocolRow {
  return {
    ...{ ...about, id: `${protocol} over REST`, takes: "tensors" },
    ask: ({ http, model }) => {
      const example = protocolOf(protocol).example(model);
      if (example === undefined) throw new Error(`${protocol} has no example`);
      return post(http, path ?? example.path, example);
    },
  };
}

function exampleBody(protocol: string, model: ApiModel): string {
  return protocolOf(protocol).example(model)?.body ?? "{}";
}

function zerosIn64(input: TensorSpec): string {
  return Buffer.from(zeroBytes(input, exampleShape(input))).toString("base64");
}

function tfTensor(input: TensorSpec): object {
  const dim = exampleShape(input).map((size) => ({ size }));
  return {
    ...{ dtype: TF_TYPES[input.datatype], tensorShape: { dim } },
    tensorContent: zerosIn64(input),
  };
}

async function post(
  port: number,
  path: string,
  { body, contentType }: { readonly body: string; readonly contentType: string },
): Promise<PairAnswer> {
  const headers = { "content-type": contentType };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", headers, body });
  const text = await answer.text();
  return { status: answer.status, text, names: namesInBody(text) };
}

/** Of V2's list, and of objects by name elsewhere. */
function namesInBody(text: string): readonly string[] {
  if (!text.startsWith("{")) return [];
  const answer = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const { outputs } = answer;
  if (outputs === undefined) return seldonNames(answer);
  return Array.isArray(outputs) ? namesOf(outputs) : Object.keys(memberOf(answer, "outputs"));
}

/** Several outputs have names in `jsonData`; of a classifier the label is a tag, and its scores are `data`. */
function seldonNames(answer: Readonly<Record<string, unknown>>): readonly string[] {
  const tags = Object.keys(memberOf({ ...memberOf(answer, "meta") }, "tags"));
  const scores = tags.includes("label") && "data" in answer ? ["probabilities"] : [];
  return [...Object.keys(memberOf(answer, "jsonData")), ...tags, ...scores];
}

function namesOf(outputs: unknown): readonly string[] {
  if (!Array.isArray(outputs)) return [];
  return outputs.flatMap((one: unknown) =>
    typeof one === "object" && one !== null && "name" in one ? [String(one.name)] : [],
  );
}

function memberOf(answer: Readonly<Record<string, unknown>>, name: string): object {
  const value = answer[name];
  return typeof value === "object" && value !== null ? value : {};
}

interface GrpcQuestion {
  readonly file: ProtoFile;
  readonly request: string;
  readonly response: string;
  readonly json: string;
  readonly namesIn: (answer: Readonly<Record<string, unknown>>) => readonly string[];
}

const same = (bytes: Buffer): Buffer => bytes;
const UNIMPLEMENTED = 12;

/** Asks over gRPC's own client for Node, with messages that are made of our descriptors. */
function call(asked: AskedModel, path: string, question: GrpcQuestion): Promise<PairAnswer> {
  const { file, request, response, json, namesIn } = question;
  const fields = fieldsOfMessages(file);
  const reader = new JsonReader();
  reader.open(Buffer.from(json));
  const message = jsonToProto(readNode(reader), `${file.package}.${request}`, fields);
  const client = new Client(`127.0.0.1:${asked.grpc}`, credentials.createInsecure());
  return new Promise<PairAnswer>((resolve) => {
    client.makeUnaryRequest(path, same, same, message, (error, bytes) => {
      if (error !== null) {
        const status = error.code === UNIMPLEMENTED ? 501 : error.code;
        return resolve({ status, text: error.details, names: [] });
      }
      const node = protoToJson(bytes ?? Buffer.alloc(0), `${file.package}.${response}`, fields);
      const text = nodeText(node, { sortKeys: false, asciiOnly: false });
      const answer = JSON.parse(text) as Readonly<Record<string, unknown>>;
      resolve({ status: 200, text, names: namesIn(answer) });
    });
  }).finally(() => client.close());
}
