import type {
  ComponentMessage,
  ComponentMethod,
  ComponentResponse,
  Payload,
} from "../../plane/index.ts";
import { isNumeric, type Tensor } from "../../../models/tensor/index.ts";
import {
  arrayText,
  indentJson,
  isObject,
  listTensor,
  JsonError,
  JsonNumber,
  nodeText,
  stringText,
  type JsonNode,
  type JsonObject,
  type JsonStyle,
} from "../json/index.ts";
import { mergeMeta, metaText, parseOwnMeta, parseText, type OwnMeta } from "./answer-meta.ts";
import type { AnswerContext, AnswerSettings, DataKind, SeldonAnswer } from "./contracts.ts";
import { feedbackText } from "./feedback.ts";
import { badInput, errorText, type ErrorParts } from "./seldon-error.ts";
import { tfTensorText } from "./tf-tensor.ts";

/** What an answer is made from. */
export interface AnswerParts {
  readonly method: ComponentMethod;
  readonly response: ComponentResponse;
  readonly context: AnswerContext;
  /** Tags and metrics of the class, where the caller has parsed them already. */
  readonly own?: OwnMeta;
  /** What `writeData` has made of the payload already. */
  readonly written?: Buffer;
}

/** The payload of an answer that is large enough to be written by itself. */
export interface DataToWrite {
  readonly payload: Extract<Payload, { kind: "tensor" | "array" | "bytes" }>;
  readonly dataKind: DataKind | undefined;
  readonly style: JsonStyle;
}

/** The text of a payload as it stands in an answer: the member of `data` that an array is, or the base64 of bytes. */
export function writeData({ payload, dataKind, style }: DataToWrite): Buffer {
  return bytesOf(
    payload.kind === "bytes" ? [new Base64(payload.bytes)] : dataParts(payload, dataKind, style),
  );
}

/** Writes answers of one node. Remembers the JSON text of column names, which are the same ones again and again. */
export class SeldonAnswerWriter {
  readonly #settings: AnswerSettings;
  readonly #names = new WeakMap<readonly string[], string>();

  constructor(settings: AnswerSettings) {
    this.#settings = settings;
  }

  /** @throws SeldonError 500 where the wrapper fails too: an incoming meta of the wrong type, an answer that is no JSON */
  answer(parts: AnswerParts): SeldonAnswer {
    if (parts.response.isRaw) return this.#raw(parts);
    const own = parts.own ?? parseOwnMeta(parts.response);
    return {
      status: 200,
      body: this.#finish(this.#message(parts, metaText(parts.context, own, this.#settings))),
    };
  }

  error(status: number, why: ErrorParts): SeldonAnswer {
    return { status, body: this.#finish([errorText(why, this.#settings)]) };
  }

  /** An answer to feedback, which goes through protobuf in the wrapper. */
  feedback({ method, response, context, own = {} }: AnswerParts): SeldonAnswer {
    if (response.isRaw) return this.#raw({ method, response, context });
    return {
      status: 200,
      body: this.#finish([
        feedbackText(response.message, { context, own, settings: this.#settings }),
      ]),
    };
  }

  /** Any other JSON value, such as the metadata. */
  node(node: JsonNode): SeldonAnswer {
    return { status: 200, body: this.#finish([nodeText(node, this.#settings)]) };
  }

  /** A message by itself as JSON text. @param meta - JSON text */
  text(message: ComponentMessage, dataKind: DataKind | undefined, meta: string): string {
    const context = { metas: [], ...(dataKind !== undefined && { dataKind }) };
    return this.#message({ method: "predict", response: { message, isRaw: false }, context }, meta)
      .map(String)
      .join("");
  }

  /** Keys in alphabetical order, or payload first when keys are not sorted. */
  #message({ response, context, written }: AnswerParts, meta: string): readonly Part[] {
    const { payload } = response.message;
    const payloadParts = this.#payload(response.message, context, written);
    const isMetaFirst = this.#settings.sortKeys && payload.kind === "text";
    return isMetaFirst
      ? [`{"meta":${meta},`, ...payloadParts, "}"]
      : ["{", ...payloadParts, `,"meta":${meta}}`];
  }

  #payload(
    message: ComponentMessage,
    context: AnswerContext,
    written: Buffer | undefined,
  ): readonly Part[] {
    const { asciiOnly } = this.#settings;
    const { payload } = message;
    switch (payload.kind) {
      case "tensor":
      case "array":
        return this.#data(
          message,
          written === undefined ? dataParts(payload, context.dataKind, this.#settings) : [written],
        );
      case "json":
        return ['"jsonData":', payload.json];
      case "text":
        return ['"strData":', stringText(payload.text, asciiOnly)];
      case "bytes":
        return ['"binData":"', written ?? base64Part(payload.bytes), '"'];
      case "any":
      case "raw":
      case "proto":
        throw badInput("Unknown data type returned as payload (must be list or np array):Any");
      default:
        return payload satisfies never;
    }
  }

  #data({ names, namesJson }: ComponentMessage, array: readonly Part[]): readonly Part[] {
    const namesText = namesJson ?? this.#namesText(names);
    const isNamesFirst = this.#settings.sortKeys;
    return isNamesFirst
      ? [`"data":{"names":${namesText},`, ...array, "}"]
      : ['"data":{', ...array, `,"names":${namesText}}`];
  }

  #namesText(names: readonly string[]): string {
    if (names.length === 0) return "[]";
    let text = this.#names.get(names);
    if (text === undefined) {
      const { asciiOnly } = this.#settings;
      text = `[${names.map((name) => stringText(name, asciiOnly)).join(",")}]`;
      this.#names.set(names, text);
    }
    return text;
  }

  /** The answer of a `*_raw` method stands as it is, but for metrics that clients shall not see. */
  #raw({ method, response }: AnswerParts): SeldonAnswer {
    const { payload } = response.message;
    if (payload.kind === "bytes") return { status: 200, body: Buffer.from(payload.bytes) };
    if (payload.kind !== "raw") throw badInput("Object of type ndarray is not JSON serializable");
    const mayHaveStatus = method === "predict" && payload.json.includes('"status"');
    const mayHaveMetrics = !this.#settings.includeMetrics && payload.json.includes('"metrics"');
    if (!mayHaveStatus && !mayHaveMetrics)
      return { status: 200, body: this.#finish([payload.json]) };
    const node = parseText(payload.json);
    const text = mayHaveMetrics ? nodeText(withoutMetrics(node), this.#settings) : payload.json;
    return { status: mayHaveStatus ? statusOf(node) : 200, body: this.#finish([text]) };
  }

  #finish(parts: readonly Part[]): string | Buffer {
    const { isPretty, asciiOnly } = this.#settings;
    if (isPretty) {
      const text = `${indentJson(parts.map(String).join(""))}\n`; // parts are text, UTF-8, or know their text
      return asciiOnly ? text : Buffer.from(text, "utf8");
    }
    if (parts.every((part) => typeof part === "string")) {
      const text = `${parts.join("")}\n`;
      return asciiOnly ? text : Buffer.from(text, "utf8");
    }
    return bytesOf([...parts, "\n"]);
  }
}

/** Bytes; a larger `binData` is encoded right into the answer's place, piece by piece: as one text it would be copied twice more. */
const LARGE = 65_536;
/** A multiple of three, so that pieces of base64 join without padding between them. */
const PIECE = 49_152;

/** Bytes that stand in the answer as base64. */
class Base64 {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get length(): number {
    return 4 * Math.ceil(this.bytes.byteLength / 3);
  }

  write(target: Buffer, start: number): number {
    let at = start;
    for (let from = 0; from < this.bytes.byteLength; from += PIECE)
      at += target.write(base64Of(this.bytes.subarray(from, from + PIECE)), at, "latin1");
    return at - start;
  }

  toString(): string {
    return base64Of(this.bytes);
  }
}

type Part = string | Buffer | Base64;
type ArrayPayload = Extract<Payload, { kind: "array" }>;

function bytesOf(parts: readonly Part[]): Buffer {
  const sized = parts.map((part) => (typeof part === "string" ? Buffer.from(part, "utf8") : part));
  const bytes = Buffer.allocUnsafeSlow(sized.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of sized)
    at += part instanceof Base64 ? part.write(bytes, at) : part.copy(bytes, at);
  return bytes;
}

/** Metrics that a raw answer carries in its `meta`; they are counted like others. */
export function rawMetrics(payload: Payload): readonly JsonNode[] {
  if (payload.kind !== "raw" || !payload.json.includes('"metrics"')) return [];
  const metrics = memberOf(memberOf(tryParse(payload.json), "meta"), "metrics");
  return Array.isArray(metrics) ? (metrics as readonly JsonNode[]) : []; // checked: a list of nodes
}

/** A numeric array keeps the kind of the request's data; what is no number can only be an ndarray. */
export function answerKind(tensor: Tensor, requested: DataKind | undefined): DataKind {
  return isNumeric(tensor.datatype) ? (requested ?? "tensor") : "ndarray";
}

/** The merged `meta` as a value, for protocols other than JSON. */
export function answerMeta(
  { response, context, own }: AnswerParts,
  settings: AnswerSettings,
): JsonObject {
  return mergeMeta(context, own ?? parseOwnMeta(response), settings);
}

function base64Part(bytes: Uint8Array): Part {
  return bytes.byteLength > LARGE ? new Base64(bytes) : base64Of(bytes);
}

function dataParts(
  payload: Extract<Payload, { kind: "tensor" | "array" }>,
  requested: DataKind | undefined,
  style: JsonStyle,
): readonly Part[] {
  return payload.kind === "tensor"
    ? dataText(payload.tensor, requested, style)
    : listText(payload, requested, style);
}

function dataText(
  tensor: Tensor,
  requested: DataKind | undefined,
  { asciiOnly, sortKeys }: JsonStyle,
): readonly Part[] {
  const kind = answerKind(tensor, requested);
  if (kind === "ndarray") return ['"ndarray":', arrayText(tensor, "nested", asciiOnly)];
  if (kind === "tftensor") return ['"tftensor":', tfTensorText(tensor)];
  const shape = `"shape":[${tensor.shape.join(",")}]`;
  const values = arrayText(tensor, "flat", asciiOnly);
  return sortKeys
    ? [`"tensor":{${shape},"values":`, values, "}"]
    : ['"tensor":{"values":', values, `,${shape}}`];
}

/** A list of user code as it is in an ndarray; anywhere else its numbers are of one type. */
function listText(
  { json, datatype }: ArrayPayload,
  requested: DataKind | undefined,
  style: JsonStyle,
): readonly Part[] {
  return datatype === undefined || requested === "ndarray"
    ? ['"ndarray":', json]
    : dataText(listTensor(json, datatype), requested, style);
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function memberOf(node: JsonNode | undefined, key: string): JsonNode | undefined {
  return isObject(node) ? node.get(key) : undefined;
}

function withoutMetrics(node: JsonNode): JsonNode {
  const meta = memberOf(node, "meta");
  if (!isObject(node) || !isObject(meta)) return node;
  return new Map([...node, ["meta", new Map([...meta].filter(([key]) => key !== "metrics"))]]);
}

function statusOf(node: JsonNode): number {
  const code = memberOf(memberOf(node, "status"), "code");
  const status =
    code instanceof JsonNumber
      ? Number(code.text)
      : typeof code === "string" && /^\d+$/.test(code)
        ? Number(code)
        : 200;
  return Number.isInteger(status) && status >= 100 && status <= 999 ? status : 500;
}

function tryParse(text: string): JsonNode {
  try {
    return parseText(text);
  } catch (error) {
    if (error instanceof JsonError) return null; // the client sees the text as it is
    throw error;
  }
}
