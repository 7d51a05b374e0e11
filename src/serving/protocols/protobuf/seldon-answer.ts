import type { Payload } from "../../plane/index.ts";
import { elementsOf, toDoubles, type Tensor } from "../../../models/tensor/index.ts";
import {
  isList,
  isObject,
  JsonNumber,
  pythonStr,
  type JsonNode,
  type JsonObject,
} from "../json/index.ts";
import { parseText } from "../seldon/answer-meta.ts";
import type { AnswerSettings } from "../seldon/contracts.ts";
import { SeldonRequestParser } from "../seldon/parse-request.ts";
import { badInput } from "../seldon/seldon-error.ts";
import { answerKind, answerMeta, type AnswerParts } from "../seldon/write-answer.ts";
import {
  DATA,
  MESSAGE,
  META,
  METRIC,
  METRIC_TYPES,
  readMessage,
  readMeta,
  TENSOR,
} from "./seldon-message.ts";
import { ITEM, VALUE, writeEntry, writeList, writeValueField } from "./value.ts";
import { writeTfTensor } from "./tf-tensor-proto.ts";
import { WireReader, WireWriter } from "../../../ground/wire/index.ts";

const MAP_KEY_VALUE = 18;
const MAP_INT_VALUE = 16;
const MAX_ROUTE = 2 ** 31 - 1;
const NUMBER_ITEM: readonly number[] = [ITEM, 9, VALUE.number];
const TRUE_ITEM = Buffer.from([ITEM, 2, VALUE.bool, 1]);
const FALSE_ITEM = Buffer.from([ITEM, 2, VALUE.bool, 0]);

/**
 * Writes an answer as a SeldonMessage. The kind of arrays, tags, metrics and the rest of `meta` follow the rules of the JSON form;
 * numbers become doubles.
 * @throws SeldonError 500 where the wrapper fails too: an incoming meta of the wrong type, an ndarray without axes
 */
export function writeSeldonMessage(parts: AnswerParts, settings: AnswerSettings): Buffer {
  const { message, isRaw } = parts.response;
  if (isRaw) return rawMessage(message.payload, settings);
  const writer = new WireWriter(128 + sizeOf(message.payload));
  writePayload(writer, parts);
  const from = writer.size;
  if (hasMeta(parts, settings)) writeMeta(writer, answerMeta(parts, settings));
  writer.close(MESSAGE.meta, from);
  return writer.finish();
}

/** Metrics that a raw answer carries in its `meta`; they are counted like others. */
export function protoMetrics(payload: Payload): readonly JsonNode[] {
  if (payload.kind !== "proto") return [];
  const { meta } = readMessage(bufferOf(payload.bytes));
  const metrics = meta === undefined ? undefined : readMeta(meta).get("metrics");
  return isList(metrics) ? metrics : [];
}

function rawMessage(payload: Payload, settings: AnswerSettings): Buffer {
  if (payload.kind === "raw") return messageOfJson(payload.json, settings);
  if (payload.kind !== "proto")
    throw badInput("a raw method must return a SeldonMessage over gRPC");
  const bytes = bufferOf(payload.bytes);
  if (settings.includeMetrics) return bytes;
  const { meta } = readMessage(bytes);
  const node = meta === undefined ? undefined : readMeta(meta);
  return node?.has("metrics") === true
    ? withMeta(bytes, new Map([...node].filter(([key]) => key !== "metrics")))
    : bytes;
}

/** A message that user code wrote in its JSON form. */
function messageOfJson(json: string, { includeMetrics }: AnswerSettings): Buffer {
  const writer = new WireWriter(128 + json.length);
  const node = parseText(json);
  let meta = isObject(node) ? node.get("meta") : undefined;
  if (!isObject(node) || [...node.keys()].some((key) => key !== "meta")) {
    const { request, context } = new SeldonRequestParser().parseJson(Buffer.from(json, "utf8"), {
      method: "predict",
      isWhole: false,
      isStrict: false,
    });
    const [message] = request.messages;
    if (message === undefined) throw badInput("a raw method must return a SeldonMessage");
    writePayload(writer, { method: "predict", response: { message, isRaw: true }, context });
    [meta] = context.metas;
  }
  if (isObject(meta)) {
    const from = writer.size;
    writeMeta(
      writer,
      includeMetrics ? meta : new Map([...meta].filter(([key]) => key !== "metrics")),
    );
    writer.close(MESSAGE.meta, from);
  }
  return writer.finish();
}

/** The same message with another `meta`. */
function withMeta(bytes: Buffer, meta: JsonObject): Buffer {
  const reader = new WireReader(bytes);
  const parts: Buffer[] = [];
  for (let start = 0, tag = reader.tag(); tag !== 0; start = reader.at, tag = reader.tag()) {
    reader.skip(tag);
    if (tag !== MESSAGE.meta) parts.push(bytes.subarray(start, reader.at));
  }
  const writer = new WireWriter();
  writeMeta(writer, meta);
  writer.close(MESSAGE.meta, 0);
  return Buffer.concat([...parts, writer.finish()]);
}

function hasMeta({ context, own, response }: AnswerParts, { unitId }: AnswerSettings): boolean {
  const isOwn =
    own === undefined
      ? response.tags !== undefined || response.metrics !== undefined
      : own.tags !== undefined || own.metrics !== undefined;
  return context.metas.length > 0 || context.puid !== undefined || unitId !== undefined || isOwn;
}

/** Bytes that a payload takes, roughly. */
function sizeOf(payload: Payload): number {
  if (payload.kind === "tensor") return payload.tensor.data.byteLength * 1.5;
  return "bytes" in payload ? payload.bytes.byteLength : 256;
}

function writePayload(writer: WireWriter, { response, context }: AnswerParts): void {
  const { payload, names } = response.message;
  switch (payload.kind) {
    case "tensor": {
      const kind = answerKind(payload.tensor, context.dataKind);
      const from = writer.size;
      if (kind === "tensor") writeTensor(writer, payload.tensor);
      else if (kind === "ndarray") writeNested(writer, payload.tensor);
      else writeTfTensor(writer, payload.tensor);
      writer.close(DATA[kind], from);
      closeData(writer, names, from);
      break;
    }
    case "array": {
      const node = parseText(payload.json);
      const from = writer.size;
      if (!isList(node)) throw badInput("iteration over a 0-d array");
      writeList(writer, node);
      writer.close(DATA.ndarray, from);
      closeData(writer, names, from);
      break;
    }
    case "json":
      writeValueField(writer, MESSAGE.jsonData, parseText(payload.json));
      break;
    case "text":
      writer.string(MESSAGE.strData, payload.text);
      break;
    case "bytes":
      writer.bytes(MESSAGE.binData, payload.bytes);
      break;
    case "any":
      writer.bytes(MESSAGE.customData, payload.bytes);
      break;
    case "raw":
    case "proto":
      throw badInput("Unknown data type returned as payload");
    default:
      payload satisfies never;
  }
}

function closeData(writer: WireWriter, names: readonly string[], from: number): void {
  for (let index = names.length - 1; index >= 0; index -= 1)
    writer.string(DATA.names, names[index] ?? "");
  writer.close(MESSAGE.data, from);
}

function writeTensor(writer: WireWriter, tensor: Tensor): void {
  const doubles = tensor.datatype === "FP64" ? tensor.data : bytesOfDoubles(tensor);
  if (doubles.byteLength > 0) writer.bytes(TENSOR.values, doubles);
  if (tensor.shape.length === 0) return;
  const from = writer.size;
  for (let index = tensor.shape.length - 1; index >= 0; index -= 1)
    writer.varint(tensor.shape[index] ?? 0);
  writer.close(TENSOR.shape, from);
}

function bytesOfDoubles(tensor: Tensor): Uint8Array {
  const doubles = toDoubles(tensor);
  return new Uint8Array(doubles.buffer, doubles.byteOffset, doubles.byteLength);
}

/** A tensor as a `ListValue`, from its last element to its first. */
function writeNested(writer: WireWriter, tensor: Tensor): void {
  const { shape, datatype } = tensor;
  if (shape.length === 0) throw badInput("iteration over a 0-d array");
  const leaf =
    datatype === "BYTES"
      ? textLeaf(writer, tensor)
      : datatype === "BOOL"
        ? boolLeaf(writer, tensor)
        : numberLeaf(writer, tensor);
  let at = shape.reduce((product, axis) => product * axis, 1);
  const row = (depth: number): void => {
    const length = shape[depth] ?? 0;
    for (let index = 0; index < length; index += 1) {
      if (depth === shape.length - 1) leaf(--at);
      else {
        const from = writer.size;
        row(depth + 1);
        writer.close(VALUE.list, from);
        writer.close(ITEM, from);
      }
    }
  };
  row(0);
}

type Leaf = (index: number) => void;

function numberLeaf(writer: WireWriter, tensor: Tensor): Leaf {
  const doubles = toDoubles(tensor);
  writer.reserve(11 * doubles.length + 64);
  return (index) => writer.prefixedDouble(NUMBER_ITEM, doubles[index] ?? 0);
}

function boolLeaf(writer: WireWriter, tensor: Tensor): Leaf {
  const elements = elementsOf(tensor);
  return (index) => writer.raw(elements[index] === 0 ? FALSE_ITEM : TRUE_ITEM);
}

function textLeaf(writer: WireWriter, { data }: Tensor): Leaf {
  const bytes = bufferOf(data);
  const texts: string[] = [];
  for (let at = 0; at + 4 <= bytes.byteLength;) {
    const size = bytes.readUInt32LE(at);
    texts.push(bytes.toString("utf8", at + 4, at + 4 + size));
    at += 4 + size;
  }
  return (index) => writeValueField(writer, ITEM, texts[index] ?? "");
}

/** Writes the content of a Meta. @throws SeldonError 500 for what its fields do not take */
function writeMeta(writer: WireWriter, meta: JsonObject): void {
  const metrics = meta.get("metrics");
  if (isList(metrics)) for (const metric of metrics.toReversed()) writeMetric(writer, metric);
  const path = meta.get("requestPath");
  if (isObject(path))
    for (const [key, value] of [...path].toReversed())
      writeTextEntry(writer, META.requestPath, { key, value });
  const routing = meta.get("routing"); // only a whole message has it: an answer leaves it out
  if (isObject(routing))
    for (const [key, value] of [...routing].toReversed())
      writeEntry(writer, META.routing, {
        key,
        write: () => writer.int(MAP_INT_VALUE, routeOf(value)),
      });
  const tags = meta.get("tags");
  if (isObject(tags))
    for (const [key, value] of [...tags].toReversed())
      writeEntry(writer, META.tags, {
        key,
        write: () => writeValueField(writer, MAP_KEY_VALUE, value),
      });
  const puid = meta.get("puid");
  if (typeof puid === "string") writer.string(META.puid, puid);
}

function routeOf(value: JsonNode): number {
  const route = value instanceof JsonNumber ? Number(value.text) : Number.NaN;
  if (!Number.isInteger(route) || Math.abs(route) > MAX_ROUTE)
    throw badInput(`Failed to parse routing field: ${pythonStr(value)} is no 32-bit integer`);
  return route;
}

function writeMetric(writer: WireWriter, metric: JsonNode): void {
  if (!isObject(metric)) throw badInput("Failed to parse metrics field: a metric is not an object");
  const from = writer.size;
  const tags = metric.get("tags");
  if (isObject(tags))
    for (const [key, value] of [...tags].toReversed())
      writeTextEntry(writer, METRIC.tags, { key, value });
  const value = metric.get("value");
  if (value instanceof JsonNumber || value === true)
    writer.float(METRIC.value, value === true ? 1 : Number(value.text));
  const type = METRIC_TYPES.indexOf(pythonStr(metric.get("type") ?? "COUNTER"));
  if (type > 0) writer.int(METRIC.type, type);
  writer.string(METRIC.key, pythonStr(metric.get("key") ?? ""));
  writer.close(META.metrics, from);
}

function writeTextEntry(
  writer: WireWriter,
  tag: number,
  { key, value }: { readonly key: string; readonly value: JsonNode },
): void {
  writeEntry(writer, tag, { key, write: () => writer.string(MAP_KEY_VALUE, pythonStr(value)) });
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
