import type { ComponentMessage, Payload } from "../../plane/index.ts";
import { isNumeric, toDoubles, bytesOf, type Tensor } from "../../../models/tensor/index.ts";
import {
  arrayText,
  type ArrayForm,
  isList,
  isObject,
  nodeText,
  readNode,
  stringText,
  JsonError,
  JsonNumber,
  JsonReader,
  type JsonNode,
  type JsonObject,
} from "../json/index.ts";
import { mergeMeta, parseText, type OwnMeta } from "./answer-meta.ts";
import type { AnswerContext, AnswerSettings, SeldonCall } from "./contracts.ts";
import { checkMessage, objectIn, toNumber } from "./message-schema.ts";
import type { ParseOptions } from "./parse-request.ts";
import { metricsThroughProto, throughValue } from "./proto-json.ts";
import { reshapeTensor } from "./reshape.ts";
import { noJson } from "./seldon-error.ts";
import { parseTfTensor, tfTensorText } from "./tf-tensor.ts";

const NOTHING = new JsonNumber("0", false);
const PLAIN_STYLE = { sortKeys: false, asciiOnly: false };
const EMPTY: Payload = {
  kind: "tensor",
  tensor: { name: "", datatype: "FP64", shape: [0], data: new Uint8Array(0) },
};

/**
 * Reads feedback. It goes through protobuf in the wrapper, so the schema is strict here, numbers become doubles, and only `data` of
 * the request and of the truth reaches user code.
 * @param unitId - key of the route in the response's `meta.routing`
 * @throws SeldonError 400
 */
export function parseFeedback(body: Buffer, options: ParseOptions, unitId: string): SeldonCall {
  const node = parseBody(body);
  checkMessage(node, "Feedback");
  const request = objectIn(node, "request");
  const reward = Math.fround(
    toNumber((isObject(node) ? node.get("reward") : undefined) ?? NOTHING),
  );
  const routing = toNumber(
    objectIn(objectIn(objectIn(node, "response"), "meta"), "routing")?.get(unitId),
  );
  const messages: readonly ComponentMessage[] = options.isWhole
    ? [{ payload: { kind: "raw", json: body.toString("utf8") }, names: [] }]
    : [
        dataMessage(objectIn(request, "data")),
        dataMessage(objectIn(objectIn(node, "truth"), "data")),
      ];
  return {
    request: {
      method: "send-feedback",
      messages,
      reward,
      ...(!Number.isNaN(routing) && { routing }),
    },
    context: contextOf(request),
  };
}

function parseBody(body: Buffer): JsonNode {
  try {
    const reader = new JsonReader();
    reader.open(body);
    const node = readNode(reader);
    reader.finish();
    if (node === null) throw noJson();
    return node;
  } catch (error) {
    throw error instanceof JsonError ? noJson() : error;
  }
}

function contextOf(request: JsonObject | undefined): AnswerContext {
  const data = objectIn(request, "data");
  const puid = objectIn(request, "meta")?.get("puid");
  const kind =
    data === undefined
      ? undefined
      : has(data, "tensor")
        ? "tensor"
        : has(data, "tftensor")
          ? "tftensor"
          : "ndarray";
  return {
    metas: [],
    ...(kind !== undefined && { dataKind: kind }),
    ...(puid !== undefined && { puid }),
  };
}

function has(node: JsonObject, key: string): boolean {
  return (node.get(key) ?? null) !== null;
}

function dataMessage(data: JsonObject | undefined): ComponentMessage {
  const names = data?.get("names");
  return {
    payload: data === undefined ? EMPTY : dataPayload(data),
    names: isList(names) ? names.map(String) : [],
  };
}

function dataPayload(data: JsonObject): Payload {
  const tensor = objectIn(data, "tensor");
  if (tensor !== undefined) {
    const values = tensor.get("values");
    const doubles = Float64Array.from(isList(values) ? values : [], toNumber);
    const flat: Tensor = {
      name: "",
      datatype: "FP64",
      shape: [doubles.length],
      data: bytesOf(doubles),
    };
    return { kind: "tensor", tensor: reshapeTensor(flat, shapeOf(tensor.get("shape"))) };
  }
  const array = data.get("ndarray");
  if (isList(array)) return { kind: "array", json: nodeText(throughValue(array), PLAIN_STYLE) };
  const tf = objectIn(data, "tftensor");
  return tf === undefined ? EMPTY : { kind: "tensor", tensor: parseTfTensor(tf) };
}

/** Axes that protobuf has read: `2.0` and `"2"` are integers there. */
function shapeOf(shape: JsonNode | undefined): JsonNode {
  return isList(shape) ? shape.map((axis) => new JsonNumber(String(toNumber(axis)), false)) : [];
}

/** An answer to feedback, in protobuf's JSON form: all numbers are floats, and empty fields are left out. */
export function feedbackText(
  { payload, names }: ComponentMessage,
  { context, own, settings }: { context: AnswerContext; own: OwnMeta; settings: AnswerSettings },
): string {
  const merged = new Map(mergeMeta(context, own, settings));
  const tags = merged.get("tags");
  if (tags !== undefined) merged.set("tags", throughValue(tags));
  const metrics = merged.get("metrics");
  if (isList(metrics)) merged.set("metrics", metricsThroughProto(metrics));
  const [key, text] = payloadText(payload, { names, context, settings });
  const meta = `"meta":${nodeText(merged, settings)}`;
  return settings.sortKeys && key > "meta"
    ? `{${meta},"${key}":${text}}`
    : `{"${key}":${text},${meta}}`;
}

interface Around {
  readonly names: readonly string[];
  readonly context: AnswerContext;
  readonly settings: AnswerSettings;
}

function payloadText(payload: Payload, around: Around): readonly [key: string, text: string] {
  const { settings } = around;
  switch (payload.kind) {
    case "tensor":
      return ["data", tensorDataText(payload.tensor, around)];
    case "array":
      return [
        "data",
        dataText(
          [`"ndarray":${nodeText(throughValue(parseText(payload.json)), settings)}`],
          around,
        ),
      ];
    case "json":
      return ["jsonData", nodeText(throughValue(parseText(payload.json)), settings)];
    case "text":
      return ["strData", stringText(payload.text, settings.asciiOnly)];
    case "bytes":
      return ["binData", `"${Buffer.from(payload.bytes).toString("base64")}"`];
    case "raw":
    case "proto":
    case "any":
      return ["customData", "{}"];
    default:
      return payload satisfies never;
  }
}

function tensorDataText(tensor: Tensor, around: Around): string {
  if (!isNumeric(tensor.datatype))
    return dataText(
      [`"ndarray":${String(arrayText(tensor, "nested", around.settings.asciiOnly))}`],
      around,
    );
  const doubles: Tensor = { ...tensor, datatype: "FP64", data: bytesOf(toDoubles(tensor)) };
  const kind = around.context.dataKind ?? "tensor";
  if (kind === "tftensor") return dataText([`"tftensor":${tfTensorText(tensor)}`], around);
  if (kind === "ndarray")
    return dataText([`"ndarray":${protoArrayText(doubles, "nested")}`], around);
  const parts = [
    ...(tensor.shape.length > 0 ? [`"shape":[${tensor.shape.join(",")}]`] : []),
    ...(doubles.data.byteLength > 0 ? [`"values":${protoArrayText(doubles, "flat")}`] : []),
  ];
  return dataText([`"tensor":{${parts.join(",")}}`], around);
}

/** NaN and infinities stand as text. */
function protoArrayText(doubles: Tensor, form: ArrayForm): string {
  const text = String(arrayText(doubles, form));
  return /[NI]/.test(text) ? nodeText(throughValue(parseText(text)), PLAIN_STYLE) : text;
}

function dataText(parts: readonly string[], { names, settings }: Around): string {
  const all =
    names.length === 0
      ? parts
      : [
          `"names":[${names.map((name) => stringText(String(name), settings.asciiOnly)).join(",")}]`,
          ...parts,
        ];
  return `{${all.join(",")}}`;
}
