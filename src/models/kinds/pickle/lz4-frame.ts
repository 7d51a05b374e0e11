import type { Bytes } from "../../../ground/bytes/index.ts";
import { PickleError } from "./pickle-error.ts";

const MAGIC = 0x184d2204;
const HISTORY_BYTES = 64 * 1024;
const BLOCK_SIZES: readonly number[] = [0, 0, 0, 0, 64 * 1024, 256 * 1024, 2 ** 20, 4 * 2 ** 20];

/**
 * Unpacks an LZ4 frame, since Node has no decoder for it. Checksums are not checked here: the real
 * loader checks them.
 * @throws PickleError for what is no frame. @see lz4, doc/lz4_Frame_format.md and
 * doc/lz4_Block_format.md
 */
export async function* unpackLz4(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const read = reader(bytes);
  const { maxBlock, isLinked, checksumBytes } = await readHead(read);
  let history = Buffer.alloc(0);
  for (;;) {
    const size = (await read(4)).readUInt32LE();
    if (size === 0) return;
    const length = size & 0x7fffffff;
    if (length > maxBlock) throw new PickleError("an LZ4 block is too large");
    const content = await read(length);
    await read(checksumBytes);
    const block = size >= 0x80000000 ? content : unpackBlock(content, history, maxBlock);
    if (isLinked) history = Buffer.concat([history, block]).subarray(-HISTORY_BYTES);
    yield block;
  }
}

interface Frame {
  readonly maxBlock: number;
  /** True when blocks copy from those before them. */
  readonly isLinked: boolean;
  /** After each block. */
  readonly checksumBytes: number;
}

async function readHead(read: (count: number) => Promise<Buffer>): Promise<Frame> {
  const head = await read(6);
  const [flags = 0, sizes = 0] = head.subarray(4);
  if (head.readUInt32LE() !== MAGIC || flags >> 6 !== 1)
    throw new PickleError("it is no LZ4 frame");
  const has = (flag: number): boolean => (flags & flag) !== 0;
  await read((has(0x08) ? 8 : 0) + (has(0x01) ? 4 : 0) + 1); // content size, dictionary, checksum of the head
  return {
    maxBlock: BLOCK_SIZES[(sizes >> 4) & 7] ?? 0,
    isLinked: !has(0x20),
    checksumBytes: has(0x10) ? 4 : 0,
  };
}

/** Sequences of literals and of copies from what was unpacked before. */
function unpackBlock(block: Buffer, history: Buffer, maxBytes: number): Buffer {
  const out = Buffer.allocUnsafe(history.byteLength + maxBytes);
  let end = history.copy(out);
  let at = 0;
  const length = (nibble: number): number => {
    let total = nibble;
    for (let byte = nibble === 15 ? 255 : 0; byte === 255;) {
      byte = block[at] ?? 0;
      at += 1;
      total += byte;
    }
    return total;
  };
  const check = (count: number): void => {
    if (end + count > out.byteLength || at > block.byteLength)
      throw new PickleError("an LZ4 block leaves its bounds");
  };
  while (at < block.byteLength) {
    const token = block[at] ?? 0;
    at += 1;
    const literals = length(token >> 4);
    check(literals);
    end += block.copy(out, end, at, at + literals);
    at += literals;
    if (at >= block.byteLength) break;
    const distance = (block[at] ?? 0) | ((block[at + 1] ?? 0) << 8);
    at += 2;
    const copied = length(token & 15) + 4;
    check(copied);
    if (distance === 0 || distance > end)
      throw new PickleError("an LZ4 block copies from before its beginning");
    // The copy may overlap what it makes, so it goes byte by byte.
    for (const stop = end + copied; end < stop; end += 1) out[end] = out[end - distance] ?? 0;
  }
  return out.subarray(history.byteLength, end);
}

function reader(bytes: Bytes): (count: number) => Promise<Buffer> {
  const iterator = bytes[Symbol.asyncIterator]();
  let held = Buffer.alloc(0);
  return async (count) => {
    while (held.byteLength < count) {
      const { done, value } = await iterator.next();
      if (done === true) throw new PickleError("it ends in the middle");
      held = Buffer.concat([held, value]);
    }
    const taken = held.subarray(0, count);
    held = held.subarray(count);
    return taken;
  };
}
