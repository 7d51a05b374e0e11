import { WireError, WireReader } from "../../../ground/wire/index.ts";
import { JsonNumber, type JsonNode, type JsonObject } from "../json/index.ts";
import { pythonFloat } from "../../plane/index.ts";
import type { MappedField, MappedType, MessageFields } from "./json-mapping.ts";

const VALUE = "google.protobuf.Value";
const STRUCT = "google.protobuf.Struct";
const LIST = "google.protobuf.ListValue";
const ANY = "google.protobuf.Any";

/**
 * A message in protobuf's JSON form. Fields that are not known are passed over. Of a message that is in an Any the bytes are kept, as base64.
 * @throws WireError for bytes that are no message.
 * @see protobuf.dev, "ProtoJSON Format"
 */
export function protoToJson(bytes: Buffer, message: string, fields: MessageFields): JsonNode {
  return readMessage(new WireReader(bytes), message, fields);
}

function readMessage(reader: WireReader, message: string, fields: MessageFields): JsonNode {
  if (message === VALUE) return readValue(reader, fields);
  if (message === STRUCT) return readStruct(reader, fields);
  if (message === LIST) return readList(reader, fields);
  if (message === ANY) return readAny(reader);
  const byNumber = new Map(fields(message).map((field) => [field.number, field]));
  const found = new Map<string, JsonNode>();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    const field = byNumber.get(tag >>> 3);
    if (field === undefined) reader.skip(tag);
    else readField({ reader, tag, field, fields }, found);
  }
  return found;
}

interface FieldReading {
  readonly reader: WireReader;
  readonly tag: number;
  readonly field: MappedField;
  readonly fields: MessageFields;
}

function readField(reading: FieldReading, found: Map<string, JsonNode>): void {
  const { reader, tag, field, fields } = reading;
  const { type, jsonName } = field;
  if (type.kind === "map") {
    const [key, value] = readEntry(reader, type.value, fields);
    found.set(
      jsonName,
      new Map([...((found.get(jsonName) ?? NOTHING) as JsonObject), [key, value]]),
    );
  } else if (field.isRepeated) {
    const items = (found.get(jsonName) ?? []) as JsonNode[]; // nobody else has it yet
    if ((tag & 7) === 2 && isPackable(type)) readPacked(reader, type, items);
    else items.push(readOne(reader, type, fields));
    found.set(jsonName, items);
  } else found.set(jsonName, readOne(reader, type, fields));
}

function isPackable(type: MappedType): boolean {
  return (
    type.kind === "enum" || (type.kind === "scalar" && !["string", "bytes"].includes(type.name))
  );
}

function readPacked(reader: WireReader, type: MappedType, items: JsonNode[]): void {
  const inner = new WireReader(reader.bytes());
  while (inner.at < inner.end) items.push(readOne(inner, type, NO_MESSAGES));
}

const NO_MESSAGES: MessageFields = () => [];
const NOTHING: JsonObject = new Map();

function readOne(reader: WireReader, type: MappedType, fields: MessageFields): JsonNode {
  switch (type.kind) {
    case "scalar":
      return readScalar(reader, type.name);
    case "enum": {
      const number = reader.int32();
      return type.values.get(number) ?? whole(number);
    }
    case "message": {
      const outer = reader.enter();
      const value = readMessage(reader, type.name, fields);
      reader.leave(outer);
      return value;
    }
    case "map":
      throw new WireError("a map inside of a map");
    default:
      return type satisfies never;
  }
}

const SCALAR_READERS: Readonly<Record<string, (reader: WireReader) => JsonNode>> = {
  double: (reader) => numberOrWord(reader.double()),
  float: (reader) => numberOrWord(shortFloat(reader.float())),
  int32: (reader) => whole(reader.int32()),
  uint32: (reader) => whole(reader.int32() >>> 0),
  int64: (reader) => String(reader.int64()),
  uint64: (reader) => String(BigInt.asUintN(64, reader.int64())),
  bool: (reader) => reader.bool(),
  string: (reader) => reader.string(),
  bytes: (reader) => reader.bytes().toString("base64"),
};

function readScalar(reader: WireReader, name: string): JsonNode {
  const read = SCALAR_READERS[name];
  if (read === undefined) throw new WireError(`no scalar is called "${name}"`);
  return read(reader);
}

/** A number that stays one with a point, as classes get it over gRPC; JSON has no word for those that are not finite. */
function numberOrWord(value: number): JsonNode {
  return Number.isFinite(value) ? new JsonNumber(pythonFloat(value), true) : String(value);
}

function whole(value: number): JsonNumber {
  return new JsonNumber(String(value), false);
}

/** The fewest digits that give the same 32-bit number. */
function shortFloat(value: number): number {
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

function readEntry(
  reader: WireReader,
  type: MappedType,
  fields: MessageFields,
): readonly [string, JsonNode] {
  const outer = reader.enter();
  let key = "";
  let value: JsonNode | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag >>> 3 === 1) key = reader.string();
    else if (tag >>> 3 === 2) value = readOne(reader, type, fields);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return [key, value ?? emptyOf(type)];
}

/** A field that has its default is not sent. */
function emptyOf(type: MappedType): JsonNode {
  if (type.kind === "enum") return type.values.get(0) ?? whole(0);
  if (type.kind === "scalar") return ["string", "bytes"].includes(type.name) ? "" : whole(0);
  return type.kind === "message" && type.name === VALUE ? null : NOTHING;
}

function readValue(reader: WireReader, fields: MessageFields): JsonNode {
  let value: JsonNode = null;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    const read = VALUE_READERS[tag >>> 3];
    if (read === undefined) reader.skip(tag);
    else value = read(reader, fields);
  }
  return value;
}

const VALUE_READERS: Readonly<
  Record<number, (reader: WireReader, fields: MessageFields) => JsonNode>
> = {
  1: (reader) => (reader.int32(), null),
  2: (reader) => numberOrWord(reader.double()),
  3: (reader) => reader.string(),
  4: (reader) => reader.bool(),
  5: (reader, fields) => readOne(reader, { kind: "message", name: STRUCT }, fields),
  6: (reader, fields) => readOne(reader, { kind: "message", name: LIST }, fields),
};

function readStruct(reader: WireReader, fields: MessageFields): JsonNode {
  const found = new Map<string, JsonNode>();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag >>> 3 === 1) found.set(...readEntry(reader, { kind: "message", name: VALUE }, fields));
    else reader.skip(tag);
  }
  return found;
}

function readList(reader: WireReader, fields: MessageFields): JsonNode {
  const items: JsonNode[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag >>> 3 === 1) items.push(readOne(reader, { kind: "message", name: VALUE }, fields));
    else reader.skip(tag);
  }
  return items;
}

function readAny(reader: WireReader): JsonNode {
  let type = "";
  let value = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag >>> 3 === 1) type = reader.string();
    else if (tag >>> 3 === 2) value = reader.bytes().toString("base64");
    else reader.skip(tag);
  }
  return new Map<string, JsonNode>([
    ["@type", type],
    ["value", value],
  ]);
}
