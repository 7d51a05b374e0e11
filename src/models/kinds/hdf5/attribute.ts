import type { HeaderMessage } from "./object-header.ts";
import { Hdf5Error, MESSAGE, UNDEFINED_ADDRESS, type Hdf5Source } from "./source.ts";
import { readDataspace, readDatatype, type Hdf5Datatype } from "./types.ts";

/** An attribute; its value is read when it is asked for. */
export interface Hdf5Attribute {
  readonly shape: readonly number[];
  readonly datatype: Hdf5Datatype;
  /** All elements as text: UTF-8, without padding. @throws Hdf5Error when they are no text. */
  texts(): readonly string[];
}

const MAX_ELEMENTS = 1_000_000;

/** Attributes in the header of an object. @throws Hdf5Error when they are in dense storage. @see section IV.A.2.m */
export function readAttributes(
  source: Hdf5Source,
  messages: readonly HeaderMessage[],
): ReadonlyMap<string, Hdf5Attribute> {
  const attributes = new Map<string, Hdf5Attribute>();
  for (const message of messages) {
    if (message.type === MESSAGE.attributeInfo) refuseDense(source, message.start);
    if (message.type !== MESSAGE.attribute || message.isShared) continue;
    const [name, attribute] = readAttribute(source, message.start);
    attributes.set(name, attribute);
  }
  return attributes;
}

function refuseDense(source: Hdf5Source, start: number): void {
  const flags = source.uint(start + 1, 1);
  if (source.address(start + 2 + (flags & 1 ? 2 : 0)) !== UNDEFINED_ADDRESS)
    throw new Hdf5Error("an object keeps its attributes in dense storage, which is not read here");
}

function readAttribute(source: Hdf5Source, start: number): [string, Hdf5Attribute] {
  const version = source.uint(start, 1);
  if (version < 1 || version > 3) throw new Hdf5Error(`an attribute has version ${version}`);
  const padded = (size: number): number => (version === 1 ? Math.ceil(size / 8) * 8 : size);
  const nameBytes = source.uint(start + 2, 2);
  const typeBytes = source.uint(start + 4, 2);
  const spaceBytes = source.uint(start + 6, 2);
  const nameAt = start + (version === 3 ? 9 : 8);
  const typeAt = nameAt + padded(nameBytes);
  const spaceAt = typeAt + padded(typeBytes);
  const name = source.bytes(nameAt, nameBytes).toString("utf8").replace(/\0.*$/s, "");
  const datatype = readDatatype(source, typeAt);
  const shape = readDataspace(source, spaceAt);
  const dataAt = spaceAt + padded(spaceBytes);
  return [name, { shape, datatype, texts: () => textsAt(source, dataAt, { shape, datatype }) }];
}

function textsAt(
  source: Hdf5Source,
  start: number,
  { shape, datatype }: { readonly shape: readonly number[]; readonly datatype: Hdf5Datatype },
): readonly string[] {
  const count = shape.reduce((product, axis) => product * axis, 1);
  if (count > MAX_ELEMENTS) throw new Hdf5Error(`an attribute has ${count} elements`);
  if (datatype.form === "text")
    return Array.from({ length: count }, (_, index) =>
      source
        .bytes(start + index * datatype.size, datatype.size)
        .toString("utf8")
        .replace(/\0+$/, ""),
    );
  if (datatype.form !== "variable-text") throw new Hdf5Error("an attribute is no text");
  const step = 4 + source.offsetBytes + 4;
  return Array.from({ length: count }, (_, index) => heapText(source, start + index * step));
}

/** A text in the global heap: its length, the heap's address, and its number there. @see section III.E, "Global Heap" */
function heapText(source: Hdf5Source, start: number): string {
  const length = source.uint(start, 4);
  const heap = source.address(start + 4);
  const wanted = source.uint(start + 4 + source.offsetBytes, 4);
  if (length === 0) return "";
  if (source.text(heap, 4) !== "GCOL") throw new Hdf5Error("a text has no heap");
  const end = heap + source.length(heap + 8);
  for (let at = heap + 8 + source.lengthBytes; at + 16 <= end;) {
    const index = source.uint(at, 2);
    const size = source.length(at + 8);
    const contentAt = at + 8 + source.lengthBytes;
    if (index === wanted) {
      if (length > size) throw new Hdf5Error("a text is longer than its place");
      return source.bytes(contentAt, length).toString("utf8").replace(/\0+$/, "");
    }
    if (index === 0) break;
    at = contentAt + Math.ceil(size / 8) * 8;
  }
  throw new Hdf5Error("a text is not in its heap");
}
