import type { RandomReader } from "../file-reader.ts";

/** One field of a protobuf message. Lengths and places are byte offsets in the file. */
export interface Field {
  readonly number: number;
  /** 0 varint, 1 eight bytes, 2 bytes with a length, 5 four bytes. */
  readonly wireType: number;
  /** The value of a varint; 0 for others. */
  readonly value: bigint;
  /** Where the content begins, for wire type 2. */
  readonly start: number;
  /** One past the content's end. */
  readonly end: number;
}

/** Thrown for bytes that are no protobuf; callers turn it into an error that names the file. */
export class WireError extends Error {}

/**
 * Walks the fields of a message between two offsets. Content of fields is skipped, not read; each field costs one small read.
 * @throws WireError for anything that is no message: bad tags, lengths that leave the message, groups.
 * @see protobuf.dev, "Encoding"
 */
export function* fieldsOf(
  reader: RandomReader,
  start: number,
  end: number,
): Generator<Field, void, undefined> {
  for (let at = start; at < end;) {
    const tag = varintAt(reader, at, end);
    const number = Number(tag.value >> 3n);
    const wireType = Number(tag.value & 7n);
    if (number === 0 || number > 0x1fffffff) throw new WireError(`a field has number ${number}`);
    const field = bodyOf(reader, { number, wireType, at: tag.next, end });
    yield field;
    at = field.end;
  }
}

function bodyOf(
  reader: RandomReader,
  place: {
    readonly number: number;
    readonly wireType: number;
    readonly at: number;
    readonly end: number;
  },
): Field {
  const { number, wireType, at, end } = place;
  if (wireType === 0) {
    const { value, next } = varintAt(reader, at, end);
    return { number, wireType, value, start: at, end: next };
  }
  if (wireType === 2) {
    const { value, next } = varintAt(reader, at, end);
    if (value > BigInt(end - next))
      throw new WireError(`field ${number} is ${value} bytes long, and ${end - next} are left`);
    return { number, wireType, value: 0n, start: next, end: next + Number(value) };
  }
  const width = wireType === 1 ? 8 : 4;
  if (wireType !== 1 && wireType !== 5)
    throw new WireError(`field ${number} has wire type ${wireType}`);
  if (at + width > end) throw new WireError("it ends inside a number");
  return { number, wireType, value: 0n, start: at, end: at + width };
}

function varintAt(
  reader: RandomReader,
  at: number,
  end: number,
): { readonly value: bigint; readonly next: number } {
  const bytes = reader.at(at, Math.min(10, end - at));
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

/** Text of a field, at most `maxBytes` long. @throws WireError when it is longer or no UTF-8. */
export function textOf(reader: RandomReader, field: Field, maxBytes = 4096): string {
  if (field.wireType !== 2) throw new WireError(`field ${field.number} should be text`);
  if (field.end - field.start > maxBytes)
    throw new WireError(`field ${field.number} is a text of ${field.end - field.start} bytes`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(
      reader.at(field.start, field.end - field.start),
    );
  } catch (error) {
    throw new WireError(`field ${field.number} is not UTF-8`, { cause: error });
  }
}

/** Value of a signed 64-bit field. @throws WireError when it is no varint. */
export function intOf(field: Field): bigint {
  if (field.wireType !== 0) throw new WireError(`field ${field.number} should be a number`);
  return BigInt.asIntN(64, field.value);
}

/** Fields of a message inside a field. @throws WireError when it is no message. */
export function inside(reader: RandomReader, field: Field): Generator<Field, void, undefined> {
  if (field.wireType !== 2) throw new WireError(`field ${field.number} should be a message`);
  return fieldsOf(reader, field.start, field.end);
}
