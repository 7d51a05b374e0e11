/** Bytes that are compressed as one unit; the unit of work of a thread. Part of what decides the output. */
export const BLOCK_BYTES: number = 2 ** 20;

/** Bytes before a block that its matches may reach into: the deflate window. */
export const HISTORY_BYTES: number = 32 * 1024;

/** One block of a stream: `input` holds `history` bytes of what came before, then the block. */
export interface BlockJob {
  readonly input: Uint8Array<ArrayBuffer>;
  /** At most `HISTORY_BYTES`; 0 for the first block. */
  readonly history: number;
  /** True for the block that ends the stream. */
  readonly isLast: boolean;
}

/** What a thread gives back: the compressed block, and the job's buffer for the next one. */
export interface BlockDone {
  readonly output: Uint8Array<ArrayBuffer>;
  readonly buffer: ArrayBuffer;
}

/** Compresses blocks of raw deflate; what comes out depends on the job alone. Blocks joined in order form one stream. */
export interface BlockDeflater {
  /** Gives bytes of their own, on a byte boundary. */
  deflate(job: BlockJob): Uint8Array<ArrayBuffer>;
}

interface DeflateExports {
  readonly memory: WebAssembly.Memory;
  input(): number;
  output(): number;
  deflate(history: number, length: number, isLast: number): number;
}

/** Starts a compressor of its own memory (about 3 MiB) from a compiled module; takes well under a millisecond. */
export function createBlockDeflater(module: WebAssembly.Module): BlockDeflater {
  // The module is a constant of this package, made by wasm/build.sh: these are its exports.
  const wasm = new WebAssembly.Instance(module).exports as unknown as DeflateExports;
  const input = new Uint8Array(wasm.memory.buffer, wasm.input(), HISTORY_BYTES + BLOCK_BYTES);
  const output = new Uint8Array(wasm.memory.buffer, wasm.output());
  return {
    deflate(job) {
      input.set(job.input);
      const length = wasm.deflate(
        job.history,
        job.input.byteLength - job.history,
        job.isLast ? 1 : 0,
      );
      if (length === 0) throw new Error("the compressor refused a block that fits its limits");
      return output.slice(0, length);
    },
  };
}
