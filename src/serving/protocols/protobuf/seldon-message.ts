import { addBounded, MAX_MESSAGES, MAX_META_BYTES, MAX_NAMES, tooMany } from "../proto-bounds.ts";
import { JsonNumber, type JsonNode, type JsonObject } from "../json/index.ts";
import { throughFloat } from "../seldon/proto-json.ts";
import { inside, readEntry, readValue } from "./value.ts";
import { WireReader } from "../../../ground/wire/index.ts";

/** Which member of a SeldonMessage's `data_oneof` is set. */
type PayloadField = "data" | "binData" | "strData" | "jsonData" | "customData";

/** A SeldonMessage taken apart: the bytes of its parts, not looked at yet. */
export interface ProtoMessage {
  readonly payload?: { readonly field: PayloadField; readonly bytes: Buffer };
  readonly meta?: Buffer;
}

/** A DefaultData taken apart. */
export interface ProtoData {
  readonly names: readonly string[];
  readonly array?: { readonly kind: "tensor" | "ndarray" | "tftensor"; readonly bytes: Buffer };
}

/** Field numbers of the package `seldon.protos`, as tags. @see prediction.proto */
export const MESSAGE = {
  status: 10,
  meta: 18,
  data: 26,
  binData: 34,
  strData: 42,
  jsonData: 50,
  customData: 58,
} as const;
export const DATA = { names: 10, tensor: 18, ndarray: 26, tftensor: 34 } as const;
export const TENSOR = { shape: 10, shapeItem: 8, values: 18, valuesItem: 17 } as const;
export const META = { puid: 10, tags: 18, routing: 26, requestPath: 34, metrics: 42 } as const;
export const METRIC = { key: 10, type: 16, value: 29, tags: 34 } as const;
const FEEDBACK = { request: 10, response: 18, reward: 29, truth: 34 } as const;
/** `SeldonMessageList.seldonMessages`. */
const LIST_ITEM = 10;
/** `Metric.MetricType`, by number. */
export const METRIC_TYPES: readonly string[] = ["COUNTER", "GAUGE", "TIMER"];

const FIELDS: ReadonlyMap<number, PayloadField> = new Map([
  [MESSAGE.data, "data"],
  [MESSAGE.binData, "binData"],
  [MESSAGE.strData, "strData"],
  [MESSAGE.jsonData, "jsonData"],
  [MESSAGE.customData, "customData"],
]);
const MERGED: ReadonlySet<PayloadField> = new Set(["data", "jsonData", "customData"]);

/** Takes a SeldonMessage apart. Of a field that came twice the last one counts, embedded messages merge. @throws WireError */
export function readMessage(bytes: Buffer): ProtoMessage {
  const reader = new WireReader(bytes);
  let meta: Buffer | undefined;
  let payload: { field: PayloadField; bytes: Buffer } | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    const field = FIELDS.get(tag);
    if (field !== undefined) {
      const part = reader.bytes();
      payload = {
        field,
        bytes:
          payload?.field === field && MERGED.has(field)
            ? Buffer.concat([payload.bytes, part])
            : part,
      };
    } else if (tag === MESSAGE.meta) meta = merged(meta, reader.bytes());
    else reader.skip(tag);
  }
  return { ...(meta !== undefined && { meta }), ...(payload !== undefined && { payload }) };
}

/** Takes a DefaultData apart. @throws WireError */
export function readData(bytes: Buffer): ProtoData {
  const reader = new WireReader(bytes);
  const names: string[] = [];
  let array: { kind: "tensor" | "ndarray" | "tftensor"; bytes: Buffer } | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === DATA.names) addBounded(names, reader.string(), MAX_NAMES, "names");
    else if (tag === DATA.tensor || tag === DATA.ndarray || tag === DATA.tftensor) {
      const kind = tag === DATA.tensor ? "tensor" : tag === DATA.ndarray ? "ndarray" : "tftensor";
      array = {
        kind,
        bytes: merged(array?.kind === kind ? array.bytes : undefined, reader.bytes()),
      };
    } else reader.skip(tag);
  }
  return { names, ...(array !== undefined && { array }) };
}

/** A Feedback taken apart. */
export interface ProtoFeedback {
  readonly request?: Buffer;
  readonly response?: Buffer;
  readonly truth?: Buffer;
  /** 32-bit float. */
  readonly reward: number;
}

/** @throws WireError */
export function readFeedback(bytes: Buffer): ProtoFeedback {
  const reader = new WireReader(bytes);
  const parts: { request?: Buffer; response?: Buffer; truth?: Buffer } = {};
  let reward = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === FEEDBACK.request) parts.request = merged(parts.request, reader.bytes());
    else if (tag === FEEDBACK.response) parts.response = merged(parts.response, reader.bytes());
    else if (tag === FEEDBACK.truth) parts.truth = merged(parts.truth, reader.bytes());
    else if (tag === FEEDBACK.reward) reward = reader.float();
    else reader.skip(tag);
  }
  return { ...parts, reward };
}

/** The messages of a SeldonMessageList. @throws WireError */
export function readMessageList(bytes: Buffer): readonly Buffer[] {
  const reader = new WireReader(bytes);
  const items: Buffer[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === LIST_ITEM) addBounded(items, reader.bytes(), MAX_MESSAGES, "messages");
    else reader.skip(tag);
  }
  return items;
}

/** A Meta as protobuf's JSON form has it: what is not set is left out, numbers are floats. @throws WireError */
export function readMeta(bytes: Buffer): JsonObject {
  if (bytes.byteLength > MAX_META_BYTES) throw tooMany(MAX_META_BYTES, "bytes of meta");
  return readMembers(bytes);
}

function readMembers(bytes: Buffer): JsonObject {
  const reader = new WireReader(bytes);
  const tags = new Map<string, JsonNode>();
  const routing = new Map<string, JsonNode>();
  const path = new Map<string, JsonNode>();
  const metrics: JsonNode[] = [];
  let puid = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === META.puid) puid = reader.string();
    else if (tag === META.tags)
      inside(reader, () =>
        readEntry(reader, tags, {
          tag: 18,
          read: (entry) => inside(entry, readValue),
          absent: null,
        }),
      );
    else if (tag === META.routing)
      inside(reader, () =>
        readEntry(reader, routing, {
          tag: 16,
          read: readWhole,
          absent: new JsonNumber("0", false),
        }),
      );
    else if (tag === META.requestPath) inside(reader, () => readEntry(reader, path, TEXT_ENTRY));
    else if (tag === META.metrics) metrics.push(inside(reader, readMetric));
    else reader.skip(tag);
  }
  const meta = new Map<string, JsonNode>();
  if (puid !== "") meta.set("puid", puid);
  if (tags.size > 0) meta.set("tags", tags);
  if (routing.size > 0) meta.set("routing", routing);
  if (path.size > 0) meta.set("requestPath", path);
  if (metrics.length > 0) meta.set("metrics", metrics);
  return meta;
}

const TEXT_ENTRY = { tag: 18, read: (reader: WireReader): JsonNode => reader.string(), absent: "" };

function readWhole(reader: WireReader): JsonNode {
  return new JsonNumber(String(reader.int32()), false);
}

/** Every key is there, also where JSON would leave a default out: whoever counts metrics needs type and value. */
function readMetric(reader: WireReader): JsonNode {
  const tags = new Map<string, JsonNode>();
  let key = "";
  let type = 0;
  let value = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === METRIC.key) key = reader.string();
    else if (tag === METRIC.type) type = reader.int32();
    else if (tag === METRIC.value) value = reader.float();
    else if (tag === METRIC.tags) inside(reader, () => readEntry(reader, tags, TEXT_ENTRY));
    else reader.skip(tag);
  }
  const metric = new Map<string, JsonNode>([
    ["key", key],
    ["type", METRIC_TYPES[type] ?? new JsonNumber(String(type), false)],
    ["value", throughFloat(value)],
  ]);
  if (tags.size > 0) metric.set("tags", tags);
  return metric;
}

/** Embedded messages that came twice merge, and so do their bytes. */
function merged(before: Buffer | undefined, bytes: Buffer): Buffer {
  return before === undefined ? bytes : Buffer.concat([before, bytes]);
}
