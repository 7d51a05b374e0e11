import type { RandomReader } from "../../../ground/bytes/index.ts";

/** Bytes that are no Universal Binary JSON. */
export class UbjsonError extends Error {}

/** A list that was passed over, with the count of its items when it states one. */
export class SkippedList {
  readonly count: number | undefined;

  constructor(count: number | undefined) {
    this.count = count;
  }
}

/** Values of UBJSON; lists of numbers are passed over. */
export type UbjsonValue =
  | string
  | number
  | boolean
  | null
  | SkippedList
  | readonly UbjsonValue[]
  | UbjsonObject;
type UbjsonObject = ReadonlyMap<string, UbjsonValue>;

const MAX_VALUES = 3_000_000;
const MAX_DEPTH = 64;
const MAX_TEXT_BYTES = 2 ** 20;
const KEPT_ITEMS = 10_000;
const WIDTHS: Readonly<Record<string, number>> = {
  Z: 0,
  N: 0,
  T: 0,
  F: 0,
  i: 1,
  U: 1,
  C: 1,
  I: 2,
  l: 4,
  d: 4,
  L: 8,
  D: 8,
};

/** Reads a document as far as facts need it: long lists of numbers are passed over by seeking. @see https://ubjson.org, "Type Reference" */
export function readUbjson(reader: RandomReader): UbjsonValue {
  return new UbjsonReader(reader).value(0);
}

class UbjsonReader {
  readonly #reader: RandomReader;
  #at = 0;
  #values = 0;

  constructor(reader: RandomReader) {
    this.#reader = reader;
  }

  value(depth: number): UbjsonValue {
    return this.#typed(this.#letter(), depth);
  }

  #typed(type: string, depth: number): UbjsonValue {
    this.#values += 1;
    if (this.#values > MAX_VALUES) throw new UbjsonError("it has too many values");
    if (depth > MAX_DEPTH) throw new UbjsonError("its values are nested too deep");
    if (type === "{") return this.#object(depth);
    if (type === "[") return this.#list(depth);
    if (type === "S") return this.#text(this.#length());
    if (type === "T" || type === "F") return type === "T";
    if (type === "Z" || type === "N") return null;
    if (type === "C") return this.#text(1);
    return this.#number(type);
  }

  #object(depth: number): UbjsonObject {
    const found = new Map<string, UbjsonValue>();
    const { type, count } = this.#header();
    for (let index = 0; count === undefined || index < count; index += 1) {
      if (count === undefined && this.#isNext("}")) return found;
      const key = this.#text(this.#length());
      found.set(key, type === undefined ? this.value(depth + 1) : this.#typed(type, depth + 1));
    }
    return found;
  }

  #list(depth: number): UbjsonValue {
    const { type, count } = this.#header();
    const width = type === undefined ? undefined : WIDTHS[type];
    if (width !== undefined && count !== undefined) {
      this.#skip(width * count);
      return new SkippedList(count);
    }
    const items: UbjsonValue[] = [];
    for (let index = 0; count === undefined || index < count; index += 1) {
      if (count === undefined && this.#isNext("]")) return items;
      const item = type === undefined ? this.value(depth + 1) : this.#typed(type, depth + 1);
      if (items.length < KEPT_ITEMS) items.push(item);
    }
    return items;
  }

  /** The optional type and count of a container. */
  #header(): { readonly type?: string; readonly count?: number } {
    const type = this.#isNext("$") ? this.#letter() : undefined;
    const count = this.#isNext("#") ? this.#length() : undefined;
    if (type !== undefined && count === undefined)
      throw new UbjsonError("a list has a type and no count");
    return { ...(type !== undefined && { type }), ...(count !== undefined && { count }) };
  }

  #isNext(letter: string): boolean {
    if (this.#view(1).getUint8(0) !== letter.charCodeAt(0)) return false;
    this.#at += 1;
    return true;
  }

  #letter(): string {
    for (;;) {
      const letter = String.fromCharCode(this.#view(1).getUint8(0));
      this.#at += 1;
      if (letter !== "N") return letter; // a no-op may stand anywhere
    }
  }

  #length(): number {
    const length = this.#number(this.#letter());
    if (!Number.isSafeInteger(length) || length < 0) throw new UbjsonError(`a length is ${length}`);
    return length;
  }

  #number(type: string): number {
    const width = WIDTHS[type];
    if (width === undefined || width === 0) throw new UbjsonError(`a value has type "${type}"`);
    const view = this.#view(width);
    this.#at += width;
    if (type === "U") return view.getUint8(0);
    if (type === "i") return view.getInt8(0);
    if (type === "I") return view.getInt16(0);
    if (type === "l") return view.getInt32(0);
    if (type === "d") return view.getFloat32(0);
    return type === "D" ? view.getFloat64(0) : Number(view.getBigInt64(0));
  }

  #text(length: number): string {
    if (length > MAX_TEXT_BYTES) throw new UbjsonError(`a text has ${length} bytes`);
    const text = new TextDecoder().decode(this.#view(length));
    this.#at += length;
    return text;
  }

  #skip(count: number): void {
    this.#at += count;
    if (this.#at > this.#reader.size) throw new UbjsonError("it is truncated");
  }

  #view(count: number): DataView {
    const bytes = this.#reader.at(this.#at, count);
    if (bytes.byteLength < count) throw new UbjsonError("it is truncated");
    return new DataView(bytes.buffer, bytes.byteOffset, count);
  }
}
