import { isList, isObject, JsonNumber, pythonFloat, type JsonNode } from "../json/index.ts";
import type { WireReader, WireWriter } from "../../../ground/wire/index.ts";

/** Tags of `google.protobuf.Value`, and of the maps and lists around it. @see google/protobuf/struct.proto */
export const VALUE = { null: 8, number: 17, string: 26, bool: 32, struct: 42, list: 50 } as const;
/** `ListValue.values`. */
export const ITEM = 10;
const ENTRY = 10;
const KEY = 10;
const ENTRY_VALUE = 18;

/** Reads the `Value` that the reader is inside of. Numbers are doubles; one that is not set is null. */
export function readValue(reader: WireReader): JsonNode {
  let node: JsonNode = null;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === VALUE.number) node = new JsonNumber(pythonFloat(reader.double()), true);
    else if (tag === VALUE.string) node = reader.string();
    else if (tag === VALUE.bool) node = reader.bool();
    else if (tag === VALUE.list) node = inside(reader, readList);
    else if (tag === VALUE.struct)
      node = inside(reader, (within) => readMap(within, readValue, null));
    else {
      if (tag === VALUE.null) node = null;
      reader.skip(tag);
    }
  }
  return node;
}

/** Reads the `ListValue` that the reader is inside of. */
export function readList(reader: WireReader): JsonNode[] {
  const items: JsonNode[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ITEM) items.push(inside(reader, readValue));
    else reader.skip(tag);
  }
  return items;
}

/** Reads a message whose field 1 is a map from text, such as `Struct`; values are messages that `read` reads. */
function readMap(
  reader: WireReader,
  read: (reader: WireReader) => JsonNode,
  absent: JsonNode,
): Map<string, JsonNode> {
  const members = new Map<string, JsonNode>();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ENTRY)
      inside(reader, () =>
        readEntry(reader, members, {
          tag: ENTRY_VALUE,
          read: (entry) => inside(entry, read),
          absent,
        }),
      );
    else reader.skip(tag);
  }
  return members;
}

/** How the value of a map entry is read; `tag` is the one that the value has inside the entry. */
export interface EntryValue {
  readonly tag: number;
  readonly read: (reader: WireReader) => JsonNode;
  /** What an entry without a value stands for. */
  readonly absent: JsonNode;
}

/** Reads one entry of a map from text, inside of which the reader is. */
export function readEntry(
  reader: WireReader,
  into: Map<string, JsonNode>,
  value: EntryValue,
): void {
  let key = "";
  let node = value.absent;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === KEY) key = reader.string();
    else if (tag === value.tag) node = value.read(reader);
    else reader.skip(tag);
  }
  into.set(key, node);
}

/** Reads the embedded message that comes next. */
export function inside<T>(reader: WireReader, read: (reader: WireReader) => T): T {
  const outer = reader.enter();
  const result = read(reader);
  reader.leave(outer);
  return result;
}

/** Writes the content of a `Value`. */
export function writeValue(writer: WireWriter, node: JsonNode): void {
  if (node === null) writer.int(VALUE.null, 0);
  else if (typeof node === "string") writer.string(VALUE.string, node);
  else if (typeof node === "boolean") writer.int(VALUE.bool, Number(node));
  else if (node instanceof JsonNumber) writer.double(VALUE.number, Number(node.text));
  else {
    const from = writer.size;
    if (isList(node)) {
      writeList(writer, node);
      writer.close(VALUE.list, from);
    } else if (isObject(node)) {
      for (const [key, value] of [...node].toReversed())
        writeEntry(writer, ENTRY, {
          key,
          write: () => writeValueField(writer, ENTRY_VALUE, value),
        });
      writer.close(VALUE.struct, from);
    }
  }
}

/** Writes the content of a `ListValue`. */
export function writeList(writer: WireWriter, items: readonly JsonNode[]): void {
  for (let index = items.length - 1; index >= 0; index -= 1)
    writeValueField(writer, ITEM, items[index] ?? null);
}

/** Writes a field whose message is a `Value`. */
export function writeValueField(writer: WireWriter, tag: number, node: JsonNode): void {
  const from = writer.size;
  writeValue(writer, node);
  writer.close(tag, from);
}

/** Writes one entry of a map from text; `write` writes the value with its tag (field 2). */
export function writeEntry(
  writer: WireWriter,
  tag: number,
  { key, write }: { readonly key: string; readonly write: () => void },
): void {
  const from = writer.size;
  write();
  writer.string(KEY, key);
  writer.close(tag, from);
}
