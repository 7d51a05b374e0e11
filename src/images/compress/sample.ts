import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";
import { BLOCK_BYTES, createBlockDeflater, type BlockJob } from "./block-deflater.ts";
import { compileDeflate } from "./compile.ts";
import type { DeflatePool } from "./pool.ts";

export interface SampleOptions extends CallOptions {
  /** Threads to do it on. Default: the calling thread, about 15 ms a sample. */
  readonly pool?: DeflatePool | undefined;
}

/** How a layer is stored. */
export type Compression = "gzip" | "none";

const SAMPLES = 4;

/** Compression must take away at least a tenth; else it costs every reader time for nothing. */
const WORTH_IT_BELOW = 0.9;

/**
 * Compresses four samples of 1 MiB, evenly spread, and gives compressed by plain size (0 to about 1). The places depend
 * on `size` alone, so the answer is the same on every machine. Content of up to 4 MiB is read whole.
 *
 * @param open - gives the content from a byte offset on; it is closed early.
 * @param size - bytes of the whole content.
 */
export async function sampleCompressibility(
  open: (offset: number) => Bytes,
  size: number,
  options: SampleOptions = {},
): Promise<number> {
  if (size === 0) return 1;
  const compress = compressorOf(options.pool);
  const count = Math.min(SAMPLES, Math.ceil(size / BLOCK_BYTES));
  const stride = count === 1 ? 0 : (size - BLOCK_BYTES) / (count - 1);
  let plain = 0;
  let compressed = 0;
  for (let index = 0; index < count; index += 1) {
    options.signal?.throwIfAborted();
    const sample = await read(open(Math.floor(stride * index)), BLOCK_BYTES);
    plain += sample.byteLength;
    compressed += await compress({ input: sample, history: 0, isLast: true });
  }
  return plain === 0 ? 1 : compressed / plain;
}

/** The way to store content of which `sampleCompressibility` gave `ratio`. */
export function chooseCompression(ratio: number): Compression {
  return ratio < WORTH_IT_BELOW ? "gzip" : "none";
}

/** Gives the compressed size of a block. */
function compressorOf(pool: DeflatePool | undefined): (job: BlockJob) => Promise<number> {
  if (pool !== undefined) return async (job) => (await pool.deflate(job)).output.byteLength;
  const deflater = createBlockDeflater(compileDeflate());
  return async (job) => deflater.deflate(job).byteLength;
}

async function read(content: Bytes, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(length);
  let used = 0;
  for await (const chunk of content) {
    const part = chunk.subarray(0, length - used);
    buffer.set(part, used);
    used += part.byteLength;
    if (used === length) break;
  }
  return buffer.subarray(0, used);
}
