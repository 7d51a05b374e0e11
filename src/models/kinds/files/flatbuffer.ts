import type { RandomReader } from "../../../ground/bytes/index.ts";

/** Bytes that are no FlatBuffer, or leave the file. */
export class FlatBufferError extends Error {}

const MAX_TEXT_BYTES = 2 ** 20;
const MAX_ITEMS = 1_000_000;
const MAX_READS = 20_000_000;

/** What tables of one file share: the count of reads is bound, so that hostile offsets end. */
class FlatSource {
  readonly #reader: RandomReader;
  readonly #start: number;
  #reads = 0;

  constructor(reader: RandomReader, start: number) {
    this.#reader = reader;
    this.#start = start;
  }

  view(at: number, count: number): DataView {
    this.#reads += 1;
    if (this.#reads > MAX_READS) throw new FlatBufferError("it has too many parts");
    const bytes = at < 0 ? new Uint8Array() : this.#reader.at(this.#start + at, count);
    if (bytes.byteLength < count) throw new FlatBufferError(`it ends before byte ${at + count}`);
    return new DataView(bytes.buffer, bytes.byteOffset, count);
  }

  u32(at: number): number {
    return this.view(at, 4).getUint32(0, true);
  }

  text(at: number): string {
    const length = this.u32(at);
    if (length > MAX_TEXT_BYTES) throw new FlatBufferError(`a text has ${length} bytes`);
    return new TextDecoder().decode(this.view(at + 4, length));
  }
}

/** A table of a FlatBuffer: fields by their number in the schema; absent ones give what is passed. @see https://flatbuffers.dev/internals/ */
export class FlatTable {
  readonly #source: FlatSource;
  readonly #at: number;

  private constructor(source: FlatSource, at: number) {
    this.#source = source;
    this.#at = at;
  }

  /** The root table. @param start - where the buffer begins in the file. */
  static open(reader: RandomReader, start = 0): FlatTable {
    const source = new FlatSource(reader, start);
    return new FlatTable(source, source.u32(0));
  }

  /** Place of a field; 0 when it is absent. */
  #place(field: number): number {
    const table = this.#at - this.#source.view(this.#at, 4).getInt32(0, true);
    const size = this.#source.view(table, 2).getUint16(0, true);
    const slot = 4 + 2 * field;
    if (slot + 2 > size) return 0;
    const offset = this.#source.view(table + slot, 2).getUint16(0, true);
    return offset === 0 ? 0 : this.#at + offset;
  }

  /** Where what a field points to begins; 0 when it is absent. */
  #target(field: number): number {
    const place = this.#place(field);
    return place === 0 ? 0 : place + this.#source.u32(place);
  }

  byte(field: number, absent: number): number {
    const place = this.#place(field);
    return place === 0 ? absent : this.#source.view(place, 1).getInt8(0);
  }

  int(field: number, absent: number): number {
    const place = this.#place(field);
    return place === 0 ? absent : this.#source.view(place, 4).getInt32(0, true);
  }

  text(field: number): string | undefined {
    const target = this.#target(field);
    return target === 0 ? undefined : this.#source.text(target);
  }

  table(field: number): FlatTable | undefined {
    const target = this.#target(field);
    return target === 0 ? undefined : new FlatTable(this.#source, target);
  }

  /** Items of a vector; 0 when it is absent. @throws FlatBufferError when there are too many */
  count(field: number): number {
    const target = this.#target(field);
    return target === 0 ? 0 : this.#source.u32(target);
  }

  /** A vector of 32-bit integers; absent when the field is. */
  ints(field: number): readonly number[] | undefined {
    const target = this.#target(field);
    if (target === 0) return undefined;
    return this.#items(target, (at) => this.#source.view(at, 4).getInt32(0, true));
  }

  /** A vector of tables, empty when it is absent. */
  tables(field: number): readonly FlatTable[] {
    const target = this.#target(field);
    if (target === 0) return [];
    return this.#items(target, (at) => new FlatTable(this.#source, at + this.#source.u32(at)));
  }

  #items<T>(target: number, read: (at: number) => T): readonly T[] {
    const count = this.#source.u32(target);
    if (count > MAX_ITEMS) throw new FlatBufferError(`a list has ${count} items`);
    return Array.from({ length: count }, (_, index) => read(target + 4 + 4 * index));
  }
}
