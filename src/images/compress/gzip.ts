import { crc32 } from "node:zlib";
import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";
import {
  BLOCK_BYTES,
  createBlockDeflater,
  HISTORY_BYTES,
  type BlockDone,
  type BlockJob,
} from "./block-deflater.ts";
import { compileDeflate } from "./compile.ts";
import { DEFLATE_WASM_ID } from "./deflate-wasm.ts";
import { createDeflatePool, type DeflatePool } from "./pool.ts";

export interface GzipOptions extends CallOptions {
  /** Threads to share with other streams; the caller disposes of them. Default: threads of its own, when they pay. */
  readonly pool?: DeflatePool | undefined;
  /** Threads of its own at most, when no pool is given. Default: see `createDeflatePool`. */
  readonly threads?: number | undefined;
}

/**
 * Names what decides the bytes of `gzipPinned`: two outputs under one name from one input are equal. Belongs in build
 * records and in the key of any cache from content to compressed digest.
 */
export const COMPRESSOR_ID: string = `gzip+${DEFLATE_WASM_ID}+1m`;

/** Up to this much is compressed on the calling thread when no thread runs yet: starting some costs more than it saves. */
const INLINE_BLOCKS = 2;

/** No name, no time, XFL 0, OS 255 (unknown). @see RFC 1952, section 2.3 */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);

/**
 * Compresses to one gzip member whose bytes depend on the content alone: not on Node, the machine, the number of
 * threads or how the content is cut into chunks. Streams with at most `pool.depth` MiB under way.
 * Content that does not compress becomes stored blocks (0.03 % larger at worst).
 */
export async function* gzipPinned(
  content: Bytes,
  options: GzipOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const state: State = { crc: 0, size: 0, spare: [] };
  const blocks = cut(content, state);
  yield HEADER;
  const { first, rest } = await takeFirst(
    blocks,
    options.pool?.isStarted === true ? 0 : INLINE_BLOCKS,
  );
  if (rest === undefined) {
    const deflater = createBlockDeflater(compileDeflate());
    for (const block of first) {
      options.signal?.throwIfAborted();
      yield deflater.deflate(block);
    }
  } else {
    await using own = createDeflatePool({ threads: options.threads });
    yield* inParallel(joined(first, rest), options.pool ?? own, { ...options, state });
  }
  yield trailer(state);
}

interface State {
  crc: number;
  /** Plain bytes so far. */
  size: number;
  /** Buffers that came back from threads: fresh ones for every block would grow the process by what the collector lets pile up. */
  readonly spare: ArrayBuffer[];
}

function takeBuffer(state: State): Uint8Array<ArrayBuffer> {
  return new Uint8Array(state.spare.pop() ?? new ArrayBuffer(HISTORY_BYTES + BLOCK_BYTES));
}

/** Cuts into blocks of exactly `BLOCK_BYTES`, the last one shorter or equal, each with the history before it. */
async function* cut(content: Bytes, state: State): AsyncGenerator<BlockJob, void, undefined> {
  let buffer = takeBuffer(state);
  let history = 0;
  let used = 0;
  for await (const chunk of content) {
    state.crc = crc32(chunk, state.crc);
    state.size += chunk.byteLength;
    for (let offset = 0; offset < chunk.byteLength;) {
      if (used === history + BLOCK_BYTES) {
        const next = takeBuffer(state);
        next.set(buffer.subarray(used - HISTORY_BYTES, used));
        yield { input: buffer.subarray(0, used), history, isLast: false };
        buffer = next;
        history = used = HISTORY_BYTES;
      }
      const part = chunk.subarray(offset, offset + history + BLOCK_BYTES - used);
      buffer.set(part, used);
      used += part.byteLength;
      offset += part.byteLength;
    }
  }
  yield { input: buffer.subarray(0, used), history, isLast: true };
}

type Blocks = AsyncGenerator<BlockJob, void, undefined>;

/** Takes up to `count` blocks; `rest` is there when there are more. */
async function takeFirst(
  blocks: Blocks,
  count: number,
): Promise<{ readonly first: readonly BlockJob[]; readonly rest?: Blocks }> {
  const first: BlockJob[] = [];
  while (first.at(-1)?.isLast !== true) {
    if (first.length === count) return { first, rest: blocks };
    const next = await blocks.next();
    if (next.done === true) break;
    first.push(next.value);
  }
  return { first };
}

async function* joined(first: readonly BlockJob[], rest: Blocks): Blocks {
  yield* first;
  yield* rest;
}

async function* inParallel(
  blocks: Blocks,
  pool: DeflatePool,
  options: CallOptions & { readonly state: State },
): AsyncGenerator<Uint8Array, void, undefined> {
  const underWay: Promise<BlockDone>[] = [];
  const finish = async (block: Promise<BlockDone>): Promise<Uint8Array> => {
    const { output, buffer } = await block;
    options.state.spare.push(buffer);
    return output;
  };
  for await (const block of blocks) {
    options.signal?.throwIfAborted();
    const done = pool.deflate(block);
    done.catch(() => undefined); // seen below; until then it must not count as unhandled
    underWay.push(done);
    const oldest = underWay.length < pool.depth ? undefined : underWay.shift();
    if (oldest !== undefined) yield await finish(oldest);
  }
  for (const block of underWay) yield await finish(block);
}

/** CRC-32 and size modulo 2^32, little-endian. */
function trailer(state: { readonly crc: number; readonly size: number }): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(state.crc, 0);
  bytes.writeUInt32LE(state.size % 2 ** 32, 4);
  return bytes;
}
