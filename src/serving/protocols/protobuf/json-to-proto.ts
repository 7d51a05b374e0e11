import { WireError, WireWriter } from "../../../ground/wire/index.ts";
import type { MappedField, MappedType, MessageFields } from "./json-mapping.ts";
import { isList, isObject, JsonNumber, type JsonNode, type JsonObject } from "../json/index.ts";

const VALUE = "google.protobuf.Value";
const STRUCT = "google.protobuf.Struct";
const LIST = "google.protobuf.ListValue";
const ANY = "google.protobuf.Any";
/** As protobuf's own parsers. */
const MAX_DEPTH = 100;

/** Wire types. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/**
 * The bytes of a message that is given in protobuf's JSON form. Keys that the message does not know are passed over, as a newer node may send
 * them.
 * @throws WireError for a value that the field cannot hold.
 * @see protobuf.dev, "ProtoJSON Format"
 */
export function jsonToProto(json: JsonNode, message: string, fields: MessageFields): Buffer {
  const writer = new WireWriter();
  new MessageWriter(writer, fields).message(json, message, 0);
  return writer.finish();
}

/** Messages are written from their end to their beginning: fields, and items, in reverse. */
class MessageWriter {
  readonly #writer: WireWriter;
  readonly #fields: MessageFields;

  constructor(writer: WireWriter, fields: MessageFields) {
    this.#writer = writer;
    this.#fields = fields;
  }

  message(json: JsonNode, name: string, depth: number): void {
    if (depth > MAX_DEPTH) throw new WireError("messages are nested too deep");
    if (name === VALUE) return this.#value(json, depth);
    if (name === LIST) return this.#list(json, depth);
    if (name === STRUCT) return this.#map(1, { kind: "message", name: VALUE }, json, depth);
    if (name === ANY) return this.#any(json);
    const object = objectOf(json, name);
    for (const field of this.#fields(name).toReversed()) {
      const value = object.get(field.jsonName) ?? object.get(field.name);
      if (value !== undefined && value !== null) this.#field(field, value, depth);
    }
  }

  #field({ number, type, isRepeated, name }: MappedField, value: JsonNode, depth: number): void {
    if (type.kind === "map") return this.#map(number, type.value, value, depth);
    if (!isRepeated) return this.#one(number, type, value, depth);
    for (const item of wantedList(value, name).toReversed()) this.#one(number, type, item, depth);
  }

  #one(number: number, type: MappedType, value: JsonNode, depth: number): void {
    if (type.kind === "message") {
      const from = this.#writer.size;
      this.message(value, type.name, depth + 1);
      this.#writer.close((number << 3) | LENGTH, from);
    } else if (type.kind === "enum") {
      const known = [...type.values].find(([, word]) => word === value)?.[0];
      this.#writer.int((number << 3) | VARINT, known ?? wholeNumber(value));
    } else if (type.kind === "scalar") this.#scalar(number, type.name, value);
  }

  #scalar(number: number, name: string, value: JsonNode): void {
    const writer = this.#writer;
    if (name === "double") writer.double((number << 3) | FIXED64, realNumber(value));
    else if (name === "float") writer.float((number << 3) | FIXED32, realNumber(value));
    else if (name === "string") writer.string((number << 3) | LENGTH, textIn(value));
    else if (name === "bytes")
      writer.bytes((number << 3) | LENGTH, Buffer.from(textIn(value), "base64"));
    else if (name === "bool") writer.int((number << 3) | VARINT, value === true ? 1 : 0);
    else writer.int((number << 3) | VARINT, wholeNumber(value));
  }

  #map(number: number, type: MappedType, value: JsonNode, depth: number): void {
    for (const [key, item] of [...objectOf(value, "a map")].toReversed()) {
      const from = this.#writer.size;
      this.#one(2, type, item, depth + 1);
      this.#writer.string((1 << 3) | LENGTH, key);
      this.#writer.close((number << 3) | LENGTH, from);
    }
  }

  #value(value: JsonNode, depth: number): void {
    const writer = this.#writer;
    if (value === null) writer.int((1 << 3) | VARINT, 0);
    else if (value instanceof JsonNumber) writer.double((2 << 3) | FIXED64, Number(value.text));
    else if (typeof value === "string") writer.string((3 << 3) | LENGTH, value);
    else if (typeof value === "boolean") writer.int((4 << 3) | VARINT, value ? 1 : 0);
    else
      this.#one(
        isList(value) ? 6 : 5,
        { kind: "message", name: isList(value) ? LIST : STRUCT },
        value,
        depth,
      );
  }

  #list(value: JsonNode, depth: number): void {
    for (const item of wantedList(value, "a list").toReversed())
      this.#one(1, { kind: "message", name: VALUE }, item, depth);
  }

  #any(value: JsonNode): void {
    const object = objectOf(value, ANY);
    const bytes = Buffer.from(textIn(object.get("value") ?? ""), "base64");
    this.#writer.bytes((2 << 3) | LENGTH, bytes);
    this.#writer.string((1 << 3) | LENGTH, textIn(object.get("@type") ?? ""));
  }
}

function objectOf(value: JsonNode, what: string): JsonObject {
  if (isObject(value)) return value;
  throw new WireError(`${what}: want an object`);
}

function wantedList(value: JsonNode, what: string): readonly JsonNode[] {
  if (isList(value)) return value;
  throw new WireError(`${what}: want a list`);
}

function textIn(value: JsonNode): string {
  if (typeof value === "string") return value;
  throw new WireError("want a text");
}

/** Numbers, and the words for those that JSON has none for. */
function realNumber(value: JsonNode): number {
  const text = value instanceof JsonNumber ? value.text : value;
  const number = typeof text === "string" && text !== "" ? Number(text) : Number.NaN;
  if (!Number.isNaN(number) || text === "NaN") return number;
  throw new WireError("want a number");
}

function wholeNumber(value: JsonNode): bigint {
  const text = value instanceof JsonNumber ? value.text.replace(/\.0$/, "") : value;
  if (typeof text === "string" && /^-?\d{1,20}$/.test(text)) return BigInt(text);
  throw new WireError("want a whole number");
}
