import {
  isList,
  isObject,
  JsonNumber,
  pythonType,
  type JsonNode,
  type JsonObject,
} from "../json/index.ts";
import { badData } from "./seldon-error.ts";

/** What may stand in a field: a scalar, another message, a map, a list, or anything. */
type FieldType =
  | "string"
  | "bytes"
  | "double"
  | "float"
  | "int32"
  | "status"
  | "metric"
  | "any"
  | "list"
  | "object"
  | { readonly message: string }
  | { readonly map: FieldType }
  | { readonly repeated: FieldType };

/**
 * Fields of the messages that feedback is made of, as protobuf's JSON form takes them; at most one of a message's `oneOf` may be there.
 * @see facts of prediction.proto: the field numbers are in `proto/fields.ts`
 */
const MESSAGES: Readonly<
  Record<
    string,
    { readonly fields: Readonly<Record<string, FieldType>>; readonly oneOf?: readonly string[] }
  >
> = {
  Feedback: {
    fields: {
      request: { message: "SeldonMessage" },
      response: { message: "SeldonMessage" },
      reward: "float",
      truth: { message: "SeldonMessage" },
    },
  },
  SeldonMessage: {
    fields: {
      status: { message: "Status" },
      meta: { message: "Meta" },
      data: { message: "DefaultData" },
      binData: "bytes",
      strData: "string",
      jsonData: "any",
      customData: "object",
    },
    oneOf: ["data", "binData", "strData", "jsonData", "customData"],
  },
  DefaultData: {
    fields: {
      names: { repeated: "string" },
      tensor: { message: "Tensor" },
      ndarray: "list",
      tftensor: "object",
    },
    oneOf: ["tensor", "ndarray", "tftensor"],
  },
  Tensor: { fields: { shape: { repeated: "int32" }, values: { repeated: "double" } } },
  Meta: {
    fields: {
      puid: "string",
      tags: { map: "any" },
      routing: { map: "int32" },
      requestPath: { map: "string" },
      metrics: { repeated: { message: "Metric" } },
    },
  },
  Metric: { fields: { key: "string", type: "metric", value: "float", tags: { map: "string" } } },
  Status: { fields: { code: "int32", info: "string", reason: "string", status: "status" } },
};

/**
 * Checks a JSON value against a message of Seldon's protobuf schema, with protobuf's own rules for JSON: no unknown field, numbers also
 * as text, null for absent.
 * @throws SeldonError 400 `Invalid JSON: …`
 */
export function checkMessage(node: JsonNode, name: string): void {
  const schema = MESSAGES[name];
  if (schema === undefined || !isObject(node))
    throw invalidMessage(`Failed to parse ${name}: want an object, got ${pythonType(node)}.`);
  for (const [key, value] of node) {
    const type = Object.hasOwn(schema.fields, key) ? schema.fields[key] : undefined;
    if (type === undefined)
      throw invalidMessage(`Message type "seldon.protos.${name}" has no field named "${key}".`);
    if (value !== null || type === "any") checkField(value, { type, key });
  }
  const several = schema.oneOf?.filter((key) => (node.get(key) ?? null) !== null) ?? [];
  if (several.length > 1)
    throw invalidMessage(
      `Message type "seldon.protos.${name}" should not have multiple "data_oneof" oneof fields.`,
    );
}

function checkField(value: JsonNode, { type, key }: { type: FieldType; key: string }): void {
  if (typeof type === "string") {
    if (!isScalar(value, type))
      throw invalidMessage(`Failed to parse ${key} field: ${pythonType(value)} is not a ${type}.`);
  } else if ("message" in type) checkMessage(value, type.message);
  else if ("map" in type) checkMap(value, { type: type.map, key });
  else if (!isList(value))
    throw invalidMessage(
      `Failed to parse ${key} field: repeated field ${key} must be in [] which is ${pythonType(value)}.`,
    );
  else for (const item of value) checkField(item, { type: type.repeated, key });
}

function checkMap(value: JsonNode, { type, key }: { type: FieldType; key: string }): void {
  if (!isObject(value))
    throw invalidMessage(
      `Failed to parse ${key} field: Map field ${key} must be in a dict which is ${pythonType(value)}.`,
    );
  for (const item of value.values()) checkField(item, { type, key });
}

/** The largest number that a 32-bit float holds. */
const MAX_FLOAT = 3.4028234663852886e38;

type Scalar = Extract<FieldType, string>;

function isScalar(value: JsonNode, type: Scalar): boolean {
  return SCALARS[type](value);
}

function isText(value: JsonNode): value is string {
  return typeof value === "string";
}

/** NaN and infinities as text only. */
function isDouble(value: JsonNode): boolean {
  return value instanceof JsonNumber
    ? Number.isFinite(Number(value.text))
    : value === "NaN" || !Number.isNaN(toNumber(value));
}

function isFloat(value: JsonNode): boolean {
  return (
    isDouble(value) && !(value instanceof JsonNumber && Math.abs(Number(value.text)) > MAX_FLOAT)
  );
}

function isEnum(names: readonly string[]): (value: JsonNode) => boolean {
  return (value) =>
    (isText(value) && names.includes(value)) ||
    (value instanceof JsonNumber && Number(value.text) < names.length);
}

const SCALARS: Readonly<Record<Scalar, (value: JsonNode) => boolean>> = {
  any: () => true,
  list: isList,
  object: isObject,
  string: isText,
  bytes: (value) =>
    isText(value) &&
    /^[A-Za-z0-9+/_-]*={0,2}$/.test(value) &&
    value.replaceAll("=", "").length % 4 !== 1,
  double: isDouble,
  float: isFloat,
  int32: (value) => Number.isInteger(toNumber(value)) && Math.abs(toNumber(value)) <= 2 ** 31,
  metric: isEnum(["COUNTER", "GAUGE", "TIMER"]),
  status: isEnum(["SUCCESS", "FAILURE"]),
};
/** A number, a truth as 1 or 0, or text that is a number; NaN for anything else. */
export function toNumber(node: JsonNode | undefined): number {
  if (typeof node === "boolean") return Number(node);
  if (node instanceof JsonNumber) return Number(node.text);
  return typeof node === "string" && /^[-+.0-9eE]+$|^-?Infinity$/.test(node) ? Number(node) : NaN;
}

/** A member that is an object; undefined for null and for anything else. */
export function objectIn(node: JsonNode | undefined, key: string): JsonObject | undefined {
  const value = isObject(node) ? node.get(key) : undefined;
  return isObject(value) ? value : undefined;
}

function invalidMessage(why: string): Error {
  return badData(`Invalid JSON: ${why}`);
}
