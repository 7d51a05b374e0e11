import { isUtf8 } from "node:buffer";
import { WireError } from "./wire-error.ts";

/** Messages nested deeper are refused, as by protobuf's own parsers. */
const MAX_DEPTH = 100;

/**
 * A cursor over a protobuf message in memory. `tag` gives field number and wire type as one number, so a field of an unexpected wire
 * type is an unknown field, as protobuf wants it. It gives out views, not copies. Every method throws WireError where the bytes end too
 * early or make no sense.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class WireReader {
  readonly #bytes: Buffer;
  #end: number;
  #depth = 0;
  /** Offset of the next byte. */
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#end = bytes.byteLength;
  }

  /** Where the message that is being read ends. */
  get end(): number {
    return this.#end;
  }

  /** `field << 3 | wire type` of the next field; 0 at the end of the message. */
  tag(): number {
    if (this.at >= this.#end) return 0;
    const tag = this.#length();
    if (tag < 8 || tag >= 2 ** 32) throw new WireError("a field number that is not possible");
    return tag;
  }

  /** A varint as a signed 32-bit number; higher bits are dropped, as protobuf does it. */
  int32(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new WireError("a number of more than ten bytes");
  }

  /** A varint as a signed 64-bit number. */
  int64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new WireError("a number of more than ten bytes");
  }

  bool(): boolean {
    return this.int64() !== 0n;
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#take(4));
  }

  /** A view of a fixed-width value: 4 bytes of wire type 5, 8 of wire type 1. */
  fixed(width: 4 | 8): Buffer {
    const start = this.#take(width);
    return this.#bytes.subarray(start, start + width);
  }

  /** A view of length-delimited bytes. */
  bytes(): Buffer {
    const size = this.#length();
    const start = this.#take(size);
    return this.#bytes.subarray(start, start + size);
  }

  string(): string {
    const size = this.#length();
    const start = this.#take(size);
    const view = this.#bytes.subarray(start, start + size);
    if (!isUtf8(view)) throw new WireError("text that is not UTF-8");
    return view.toString("utf8");
  }

  /** Goes into an embedded message; `leave` wants what this returns. */
  enter(): number {
    const size = this.#length();
    const start = this.#take(size);
    if (++this.#depth > MAX_DEPTH) throw new WireError(`nested deeper than ${MAX_DEPTH} levels`);
    const outer = this.#end;
    this.at = start;
    this.#end = start + size;
    return outer;
  }

  /** Goes behind the embedded message, read or not. */
  leave(outer: number): void {
    this.at = this.#end;
    this.#end = outer;
    this.#depth -= 1;
  }

  /** Passes over the value of a field. */
  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.int32();
        break;
      case 1:
        this.#take(8);
        break;
      case 2:
        this.#take(this.#length());
        break;
      case 3:
        this.#skipGroup(tag);
        break;
      case 5:
        this.#take(4);
        break;
      default:
        throw new WireError(`wire type ${tag & 7}`);
    }
  }

  /**
   * True when `size` bytes are left and begin with `pattern`. With `doubleAt` it reads many doubles that each have the same bytes
   * before them, such as the numbers of a list, without a call per field.
   */
  matches(pattern: readonly number[], size: number): boolean {
    if (this.at + size > this.#end) return false;
    for (let index = 0; index < pattern.length; index += 1)
      if (this.#bytes[this.at + index] !== pattern[index]) return false;
    return true;
  }

  /** The double `offset` bytes from here, which must be inside; see `matches`. */
  doubleAt(offset: number): number {
    return this.#bytes.readDoubleLE(this.at + offset);
  }

  /** Nobody writes groups today, but a parser has to pass over them. */
  #skipGroup(start: number): void {
    if (++this.#depth > MAX_DEPTH) throw new WireError(`nested deeper than ${MAX_DEPTH} levels`);
    const close = start + 1;
    for (let tag = this.tag(); tag !== close; tag = this.tag()) {
      if (tag === 0) throw new WireError("a group without its end");
      this.skip(tag);
    }
    this.#depth -= 1;
  }

  #byte(): number {
    if (this.at >= this.#end) throw new WireError("it ends too early");
    return this.#bytes[this.at++] ?? 0;
  }

  #take(size: number): number {
    const start = this.at;
    if (size > this.#end - start) throw new WireError("it ends too early");
    this.at = start + size;
    return start;
  }

  /** A varint as a number that is exact up to 2^53. */
  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let scale = 128; scale < 2 ** 70; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new WireError("a number of more than ten bytes");
  }
}
