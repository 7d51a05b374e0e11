import { crc32c, maskCrc32c } from "../../ground/bytes/index.ts";
import { assertInside, memorySource, type ByteRange, type ByteSource } from "./byte-source.ts";
import { FormatError } from "./invalid-file.ts";
import { inflateSnappy } from "./snappy.ts";

/** One row of a table. The value is a range: it may lie in the file, unread. */
export interface TableEntry {
  readonly key: Buffer;
  readonly value: ByteRange;
}

const FOOTER_BYTES = 48;
const MAGIC = 0xdb4775248b80fb57n;
/** Compression type and checksum behind every block. */
const TRAILER_BYTES = 5;
/** Blocks of more bytes are not taken into memory: V1 checkpoints put whole tensors into one. */
const IN_MEMORY_BYTES = 1 << 20;
/** Compressed blocks must be taken into memory. */
const MAX_COMPRESSED_BYTES = 256 << 20;
const MAX_KEY_BYTES = 1 << 20;
const CHECK_BYTES = 1 << 20;
const UNCOMPRESSED = 0;
const SNAPPY = 1;

/**
 * Rows of a sorted string table, as LevelDB and TensorFlow write it, in the order of the file. Every block's checksum is verified before
 * its rows are given. Memory is bounded by the largest compressed block, not by the values.
 * @throws FormatError for anything that is no such table.
 * @see leveldb, doc/table_format.md
 */
export function* readTable(source: ByteSource): Generator<TableEntry, void, undefined> {
  if (source.size < FOOTER_BYTES) throw new FormatError(`it has ${source.size} bytes, too few`);
  const footer = source.read(source.size - FOOTER_BYTES, FOOTER_BYTES);
  if (footer.readBigUInt64LE(FOOTER_BYTES - 8) !== MAGIC)
    throw new FormatError("it does not end with the magic number of a table");
  const meta = handleAt(footer, 0);
  const index = handleAt(footer, meta.next);
  for (const { value } of rowsOf(openBlock(source, index))) {
    const bytes = value.source.read(value.offset, Math.min(value.size, 20));
    yield* rowsOf(openBlock(source, handleAt(bytes, 0)));
  }
}

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
  readonly next: number;
}

/** A block's rows without its compression. */
type Block = ByteRange;

function openBlock(file: ByteSource, { offset, size }: BlockHandle): Block {
  const block: Block = { source: file, offset, size };
  assertInside({ source: file, offset, size: size + TRAILER_BYTES });
  const trailer = file.read(offset + size, TRAILER_BYTES);
  const type = trailer[0] ?? 0;
  if (type !== UNCOMPRESSED && type !== SNAPPY)
    throw new FormatError(`a block has compression ${type}, which nobody knows`);
  if (type === SNAPPY && size > MAX_COMPRESSED_BYTES)
    throw new FormatError(`a compressed block has ${size} bytes, too many`);
  const isSmall = size <= IN_MEMORY_BYTES || type === SNAPPY;
  const bytes = isSmall ? file.read(offset, size) : undefined;
  const sum = crc32c(trailer.subarray(0, 1), bytes === undefined ? sumOf(block) : crc32c(bytes));
  if (maskCrc32c(sum) !== trailer.readUInt32LE(1))
    throw new FormatError("a block is damaged: its checksum differs");
  if (bytes === undefined) return block;
  const plain = type === SNAPPY ? inflateSnappy(bytes) : bytes;
  return { source: memorySource(plain, file.name), offset: 0, size: plain.byteLength };
}

function sumOf({ source, offset, size }: ByteRange): number {
  let sum = 0;
  for (let at = 0; at < size; at += CHECK_BYTES)
    sum = crc32c(source.read(offset + at, Math.min(CHECK_BYTES, size - at)), sum);
  return sum;
}

/** The rows of a block: each key shares a prefix with the one before it. The restart points at the end are not needed to read them all. */
function* rowsOf({ source, offset, size }: Block): Generator<TableEntry, void, undefined> {
  if (size < 4) throw new FormatError("a block is damaged: it has no restart points");
  const restarts = source.read(offset + size - 4, 4).readUInt32LE(0);
  const end = offset + size - 4 - restarts * 4;
  if (end < offset) throw new FormatError("a block is damaged: too many restart points");
  let key: Buffer = Buffer.alloc(0);
  let isFirst = true;
  for (let at = offset; at < end;) {
    const head = source.read(at, Math.min(30, end - at));
    const shared = varintAt(head, 0);
    const fresh = varintAt(head, shared.next);
    const length = varintAt(head, fresh.next);
    const start = at + length.next;
    if (shared.value > key.byteLength || fresh.value > MAX_KEY_BYTES)
      throw new FormatError("a block is damaged: a key makes no sense");
    const value = { source, offset: start + fresh.value, size: length.value };
    if (value.offset + value.size > end)
      throw new FormatError("a block is damaged: a row leaves it");
    const next = Buffer.concat([key.subarray(0, shared.value), source.read(start, fresh.value)]);
    if (!isFirst && Buffer.compare(next, key) <= 0)
      throw new FormatError("a block is damaged: its keys are not in order");
    [key, isFirst] = [next, false];
    yield { key, value };
    at = value.offset + value.size;
  }
}

function handleAt(bytes: Buffer, at: number): BlockHandle {
  const offset = varintAt(bytes, at);
  const size = varintAt(bytes, offset.next);
  return { offset: offset.value, size: size.value, next: size.next };
}

/** A varint as a number. @throws FormatError when it has no end or is above 2^53. */
export function varintAt(
  bytes: Uint8Array,
  at: number,
): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let index = 0; index < 10; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte >= 0x80) continue;
    if (value > Number.MAX_SAFE_INTEGER) break;
    return { value, next: at + index + 1 };
  }
  throw new FormatError("a number makes no sense");
}
