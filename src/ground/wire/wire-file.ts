import type { RandomReader } from "../bytes/index.ts";
import { WireError } from "./wire-error.ts";

/** One field of a message. Its content is not read yet: `start` and `end` are byte offsets in the file. */
export interface WireField {
  readonly number: number;
  /** 0 varint, 1 eight bytes, 2 bytes with a length, 5 four bytes. */
  readonly wireType: number;
  /** The value of a varint as an unsigned 64-bit number; 0 for other wire types. */
  readonly value: bigint;
  /** Offset of the first byte of the content. */
  readonly start: number;
  /** One past the content's last byte. */
  readonly end: number;
}

export interface WireFileOptions {
  /** Fields that are looked at, in all; one more is a WireError. Default 50 million. */
  readonly maxFields?: number | undefined;
}

const MAX_FIELDS = 50_000_000;
const MAX_NUMBER = 0x1fffffff;
const WIDTHS: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/**
 * Reads a protobuf message of any size by seeking: a field costs one small read, and content that nobody asks for is never read. So the
 * structure of a model of gigabytes is read in the time that its small fields take. Memory does not grow with the file, and time is bound
 * by `maxFields`. Recursion is the caller's, and so is its bound. Every method throws WireError for bytes that are no message.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class WireFile {
  readonly #reader: RandomReader;
  readonly #maxFields: number;
  #seen = 0;

  /** The reader stays the caller's to close. */
  constructor(reader: RandomReader, options: WireFileOptions = {}) {
    this.#reader = reader;
    this.#maxFields = options.maxFields ?? MAX_FIELDS;
  }

  /** Fields of the outermost message, in the order of the file. */
  fields(): Generator<WireField, void, undefined> {
    return this.#between(0, this.#reader.size);
  }

  /** Fields of the message inside a field. */
  inside(field: WireField): Generator<WireField, void, undefined> {
    return this.#between(...rangeOf(field, "a message"));
  }

  /** A copy of a field's bytes. @throws WireError when there are more than `maxBytes` */
  bytes(field: WireField, maxBytes: number): Buffer {
    return Buffer.from(this.#view(field, "bytes", maxBytes));
  }

  /** Text of a field. @throws WireError when it has more than `maxBytes` bytes or is no UTF-8 */
  text(field: WireField, maxBytes = 4096): string {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
        this.#view(field, "text", maxBytes),
      );
    } catch (error) {
      if (error instanceof WireError) throw error;
      throw new WireError(`field ${field.number} is not UTF-8`, { cause: error });
    }
  }

  /** Value of an int32, int64, bool or enum field. */
  int(field: WireField): bigint {
    if (field.wireType !== 0) throw wrongType(field, "a number");
    return BigInt.asIntN(64, field.value);
  }

  /** Value of a float, double, fixed or sfixed field, read as a float or double. */
  float(field: WireField): number {
    const width = WIDTHS[field.wireType];
    if (width === undefined) throw wrongType(field, "a float");
    const bytes = this.#reader.at(field.start, width);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return width === 8 ? view.getFloat64(0, true) : view.getFloat32(0, true);
  }

  /** Values of one occurrence of a repeated int32, int64, bool or enum field, packed or not. @throws WireError when there are more than `maxCount` */
  ints(field: WireField, maxCount: number): bigint[] {
    if (field.wireType === 0) return [this.int(field)];
    const [start, end] = rangeOf(field, "numbers");
    const values: bigint[] = [];
    for (let at = start; at < end;) {
      const { value, next } = this.#varint(at, end);
      if (values.length === maxCount)
        throw new WireError(`field ${field.number} has more than ${maxCount} numbers`);
      values.push(BigInt.asIntN(64, value));
      at = next;
    }
    return values;
  }

  *#between(start: number, end: number): Generator<WireField, void, undefined> {
    for (let at = start; at < end;) {
      if (this.#seen >= this.#maxFields)
        throw new WireError(`it has more than ${this.#maxFields} parts`);
      this.#seen += 1;
      const field = this.#field(at, end);
      yield field;
      at = field.end;
    }
  }

  #field(start: number, end: number): WireField {
    const { value: tag, next: at } = this.#varint(start, end);
    const number = Number(tag >> 3n);
    const wireType = Number(tag & 7n);
    if (number === 0 || number > MAX_NUMBER) throw new WireError(`a field has number ${number}`);
    if (wireType === 0) {
      const { value, next } = this.#varint(at, end);
      return { number, wireType, value, start: at, end: next };
    }
    if (wireType === 2) {
      const { value, next } = this.#varint(at, end);
      if (value > BigInt(end - next))
        throw new WireError(`field ${number} is ${value} bytes long, and ${end - next} are left`);
      return { number, wireType, value: 0n, start: next, end: next + Number(value) };
    }
    const width = WIDTHS[wireType];
    if (width === undefined) throw new WireError(`field ${number} has wire type ${wireType}`);
    if (at + width > end) throw new WireError("it ends inside a number");
    return { number, wireType, value: 0n, start: at, end: at + width };
  }

  #varint(at: number, end: number): { readonly value: bigint; readonly next: number } {
    const bytes = this.#reader.at(at, Math.min(10, end - at));
    const first = bytes[0];
    if (first !== undefined && first < 0x80) return { value: BigInt(first), next: at + 1 };
    let value = 0n;
    for (let index = 0; index < bytes.byteLength; index += 1) {
      const byte = bytes[index] ?? 0;
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: at + index + 1 };
    }
    throw new WireError("a number has no end");
  }

  #view(field: WireField, what: string, maxBytes: number): Uint8Array {
    const [start, end] = rangeOf(field, what);
    if (end - start > maxBytes)
      throw new WireError(`field ${field.number} is ${what} of ${end - start} bytes`);
    return this.#reader.at(start, end - start);
  }
}

function rangeOf(field: WireField, what: string): [start: number, end: number] {
  if (field.wireType !== 2) throw wrongType(field, what);
  return [field.start, field.end];
}

function wrongType(field: WireField, what: string): WireError {
  return new WireError(`field ${field.number} should be ${what}`);
}
