const LONGEST_VARINT = 10;

/**
 * Writes a protobuf message from its end to its beginning, so that the length of every embedded message is known when it is due.
 * Fields are therefore to be written in reverse order. A tag is `field << 3 | wire type`.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class WireWriter {
  #bytes: Buffer;
  #at: number;

  /** @param expected - bytes to begin with; more are taken when needed */
  constructor(expected = 256) {
    this.#bytes = Buffer.allocUnsafe(expected);
    this.#at = this.#bytes.byteLength;
  }

  /** Bytes written so far; what an embedded message is closed with. */
  get size(): number {
    return this.#bytes.byteLength - this.#at;
  }

  /** The message. The writer is of no use any more. */
  finish(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  /** Writes a field that is a message; `write` writes the fields of it, from the last to the first. */
  embed(tag: number, write: () => void): void {
    const from = this.size;
    write();
    this.close(tag, from);
  }

  /** Makes what was written since `size` was `from` the embedded message of a field. */
  close(tag: number, from: number): void {
    this.varint(this.size - from);
    this.varint(tag);
  }

  bytes(tag: number, data: Uint8Array): void {
    this.raw(data);
    this.varint(data.byteLength);
    this.varint(tag);
  }

  string(tag: number, text: string): void {
    const size = Buffer.byteLength(text, "utf8");
    this.reserve(size);
    this.#at -= size;
    this.#bytes.write(text, this.#at, "utf8");
    this.varint(size);
    this.varint(tag);
  }

  double(tag: number, value: number): void {
    this.reserve(8);
    this.#at -= 8;
    this.#bytes.writeDoubleLE(value, this.#at);
    this.varint(tag);
  }

  float(tag: number, value: number): void {
    this.reserve(4);
    this.#at -= 4;
    this.#bytes.writeFloatLE(value, this.#at);
    this.varint(tag);
  }

  /** An int32, int64, bool or enum. */
  int(tag: number, value: number | bigint): void {
    this.varint(value);
    this.varint(tag);
  }

  /** Bytes as they are. */
  raw(data: Uint8Array): void {
    this.reserve(data.byteLength);
    this.#at -= data.byteLength;
    this.#bytes.set(data, this.#at);
  }

  /** A double with the bytes that stand before it; at most 8 of them. */
  prefixedDouble(prefix: readonly number[], value: number): void {
    this.reserve(16);
    this.#at -= 8;
    this.#bytes.writeDoubleLE(value, this.#at);
    for (let index = prefix.length - 1; index >= 0; index -= 1)
      this.#bytes[--this.#at] = prefix[index] ?? 0;
  }

  /** Whole numbers; negative ones take ten bytes. */
  varint(value: number | bigint): void {
    if (typeof value === "number" && value >= 0 && value < 128) {
      this.reserve(1);
      this.#bytes[--this.#at] = value;
      return;
    }
    this.reserve(LONGEST_VARINT);
    const isSmall = typeof value === "number" && value >= 0 && value < 2 ** 31;
    const bytes = isSmall ? smallVarint(value) : bigVarint(BigInt.asUintN(64, BigInt(value)));
    for (let index = bytes.length - 1; index >= 0; index -= 1)
      this.#bytes[--this.#at] = bytes[index] ?? 0;
  }

  /** Makes room for this many bytes at once. */
  reserve(count: number): void {
    if (count <= this.#at) return;
    const { size } = this;
    const wider = Buffer.allocUnsafe(this.#bytes.byteLength * 2 + count);
    this.#bytes.copy(wider, wider.byteLength - size, this.#at);
    this.#bytes = wider;
    this.#at = wider.byteLength - size;
  }
}

function smallVarint(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  bytes.push(rest);
  return bytes;
}

function bigVarint(value: bigint): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return bytes;
}

/** The bytes of one message. Fields are written from the last to the first. @param expected - bytes to begin with */
export function writeMessage(write: (writer: WireWriter) => void, expected = 256): Buffer {
  const writer = new WireWriter(expected);
  write(writer);
  return writer.finish();
}
