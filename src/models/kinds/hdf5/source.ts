import type { RandomReader } from "../../../ground/bytes/index.ts";

/** The bytes are not HDF5, or use a part of the format that this reader does not support. */
export class Hdf5Error extends Error {}

/** An address that points nowhere. */
export const UNDEFINED_ADDRESS: number = -1;

/** Header messages that are read, by number. @see section IV.A.2, "Data Object Header Messages" */
export const MESSAGE = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  link: 0x06,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;

const MAX_READS = 2_000_000;
const MAX_TEXT_BYTES = 16 * 2 ** 20;

/** Little-endian numbers, addresses and text of a file, each checked against its end. The count of reads is bound, so that loops end. */
export class Hdf5Source {
  readonly #reader: RandomReader;
  #reads = 0;
  #base = 0;
  /** Bytes of an address. */
  offsetBytes = 8;
  /** Bytes of a length. */
  lengthBytes = 8;

  constructor(reader: RandomReader) {
    this.#reader = reader;
  }

  setSizes(offsetBytes: number, lengthBytes: number): void {
    if (![2, 4, 8].includes(offsetBytes) || ![2, 4, 8].includes(lengthBytes))
      throw new Hdf5Error(`its addresses have ${offsetBytes} bytes`);
    this.offsetBytes = offsetBytes;
    this.lengthBytes = lengthBytes;
  }

  /** All addresses count from here. */
  setBase(address: number): void {
    this.#base = Math.max(0, address);
  }

  /** @throws Hdf5Error when the file is shorter than it says. */
  checkEnd(end: number): void {
    if (end !== UNDEFINED_ADDRESS && end > this.#reader.size)
      throw new Hdf5Error(
        `it is truncated: it should have ${end} bytes, and has ${this.#reader.size}`,
      );
  }

  /** A copy of `count` bytes. @throws Hdf5Error when they are not all there. */
  bytes(at: number, count: number): Buffer {
    this.#reads += 1;
    if (this.#reads > MAX_READS) throw new Hdf5Error("it has too many parts");
    if (count > MAX_TEXT_BYTES) throw new Hdf5Error(`a part has ${count} bytes`);
    const found = this.#reader.at(this.#base + at, count);
    if (at < 0 || found.byteLength < count)
      throw new Hdf5Error(`it ends before byte ${at + count}`);
    return Buffer.from(found);
  }

  text(at: number, count: number): string {
    return this.bytes(at, count).toString("latin1");
  }

  /** An unsigned number of 1 to 8 bytes. */
  uint(at: number, width: number): number {
    const bytes = this.bytes(at, width);
    return width <= 6 ? bytes.readUIntLE(0, width) : safeNumber(bytes.readBigUInt64LE(0));
  }

  /** An address; `UNDEFINED_ADDRESS` when all its bits are set. */
  address(at: number): number {
    const bytes = this.bytes(at, this.offsetBytes);
    if (bytes.every((byte) => byte === 0xff)) return UNDEFINED_ADDRESS;
    return this.uint(at, this.offsetBytes);
  }

  length(at: number): number {
    return this.uint(at, this.lengthBytes);
  }

  /** Text up to its zero byte. */
  zeroEnded(at: number, maxBytes: number): string {
    const available = this.#reader.at(this.#base + at, maxBytes);
    const end = available.indexOf(0);
    if (at < 0 || end < 0) throw new Hdf5Error("a name has no end");
    return this.bytes(at, end).toString("utf8");
  }
}

function safeNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Hdf5Error(`a length is ${value}`);
  return Number(value);
}
