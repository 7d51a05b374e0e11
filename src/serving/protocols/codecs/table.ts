import { bufferOf, JsonReader } from "../json/index.ts";
import {
  SeldonRequestParser,
  writeData,
  type DataToWrite,
  type SeldonCall,
} from "../seldon/index.ts";
import {
  readFeedbackFrom,
  readMessageFrom,
  type ReadSettings,
} from "../seldon-service/read-call.ts";
import type { MessageSource } from "../seldon-service/forms.ts";
import { SeldonProtoParser, type ProtoParseOptions } from "../protobuf/index.ts";
import { readPredict as readPredictProto, type PredictMessage } from "../v1/grpc-messages.ts";
import { readInferProto, type ProtoInferCall } from "../v2/read-infer-proto.ts";
import { readPredict, type PredictCall } from "../v1/read-predict.ts";
import { writePredictions } from "../v1/write-predictions.ts";
import type { InferCall } from "../v2/infer-call.ts";
import { readInferJson } from "../v2/read-infer-json.ts";
import { writeInferJson, type InferAnswer } from "../v2/write-infer-json.ts";
import type { NamedTensor } from "../../plane/index.ts";
import type { TensorSpec } from "../../../models/tensor/index.ts";

/** A Seldon message as it came over HTTP. */
export interface PostedMessage {
  readonly body: Uint8Array;
  readonly query: string;
  readonly contentType: string | undefined;
  readonly settings: ReadSettings;
}

const reader = new JsonReader();
const parser = new SeldonRequestParser();
const protoParser = new SeldonProtoParser();

/**
 * What may be read and written in another thread: functions without a state that anybody could see, from plain data to plain data. Numbers of
 * Seldon's `meta` come out as plain objects, and bytes as Uint8Array whatever they were: `Codecs` puts both right.
 */
export const CODECS = {
  "seldon-read": (message: PostedMessage): SeldonCall =>
    readMessageFrom(parser, sourceOf(message), message.settings),
  "seldon-feedback": (message: PostedMessage): SeldonCall =>
    readFeedbackFrom(parser, sourceOf(message), message.settings),
  "seldon-write": (data: DataToWrite): Uint8Array => writeData(data),
  "v1-read": ({
    body,
    specs,
  }: {
    readonly body: Uint8Array;
    readonly specs: readonly TensorSpec[] | undefined;
  }): PredictCall => readPredict(reader, bufferOf(body), specs),
  "v1-write": ({
    form,
    outputs,
  }: {
    readonly form: PredictCall["form"];
    readonly outputs: readonly NamedTensor[];
  }): Uint8Array => writePredictions(form, outputs),
  "v2-read": ({
    body,
    headerBytes,
  }: {
    readonly body: Uint8Array;
    readonly headerBytes: number;
  }): InferCall => readInferJson(reader, bufferOf(body), headerBytes),
  "seldon-proto-read": ({
    body,
    options,
  }: {
    readonly body: Uint8Array;
    readonly options: ProtoParseOptions;
  }): SeldonCall => protoParser.parse(bufferOf(body), options),
  "v1-proto-read": (body: Uint8Array): PredictMessage => readPredictProto(bufferOf(body)),
  "v2-proto-read": (body: Uint8Array): ProtoInferCall => readInferProto(bufferOf(body)),
  "v2-write": (answer: InferAnswer): { readonly body: Uint8Array; readonly headerBytes?: number } =>
    writeInferJson(answer),
} as const;

export type CodecName = keyof typeof CODECS;
export type CodecInput<Name extends CodecName> = Parameters<(typeof CODECS)[Name]>[0];
export type CodecOutput<Name extends CodecName> = ReturnType<(typeof CODECS)[Name]>;

function sourceOf({ body, query, contentType }: PostedMessage): MessageSource {
  return { body: bufferOf(body), query, header: () => contentType };
}
