import type { FileHandle } from "node:fs/promises";
import type { Bytes, CallOptions } from "./bytes.ts";

export interface WriteBehindOptions extends CallOptions {
  /** Where in the file the first byte goes. Default 0. */
  readonly position?: number | undefined;
  /** Told each chunk before it is written; may be slow, since the chunk before it is being written meanwhile. */
  readonly onChunk?: ((chunk: Uint8Array) => void) | undefined;
  /** Told after each write where in the file it ended. */
  readonly onWritten?: ((position: number) => void) | undefined;
}

const GATHER_BYTES = 1 << 19;

/**
 * Writes a stream to an open file: small chunks are gathered to 512 KiB, and one such piece is written while the next
 * is being taken. Holds at most two pieces: a chunk must stay as it is until 3 MiB more were taken.
 * @returns bytes written. After an error nothing is being written any more; all that came before it is in the file.
 */
export async function writeBehind(
  file: FileHandle,
  content: Bytes,
  options: WriteBehindOptions = {},
): Promise<number> {
  const start = options.position ?? 0;
  let position = start;
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  let writing: Promise<void> = Promise.resolve();
  const flush = async (): Promise<void> => {
    await writing;
    writing = writeAll(file, gathered, position).then(options.onWritten);
    // Its failure is seen at the next flush.
    writing.catch(() => undefined);
    position += gatheredBytes;
    gathered = [];
    gatheredBytes = 0;
  };
  try {
    for await (const chunk of content) {
      options.signal?.throwIfAborted();
      if (chunk.byteLength === 0) continue;
      options.onChunk?.(chunk);
      gathered.push(chunk);
      gatheredBytes += chunk.byteLength;
      if (gatheredBytes >= GATHER_BYTES) await flush();
    }
    await flush();
    await writing;
  } catch (error) {
    // What came before the source failed is written: an upload goes on behind it.
    await flush().catch(() => undefined);
    throw error;
  } finally {
    await Promise.allSettled([writing]);
  }
  return position - start;
}

async function writeAll(
  file: FileHandle,
  chunks: readonly Uint8Array[],
  start: number,
): Promise<number> {
  let position = start;
  let rest = chunks;
  while (rest.length > 0) {
    const { bytesWritten } =
      rest.length === 1
        ? await file.write(rest[0] as Uint8Array, 0, null, position)
        : await file.writev(rest, position);
    position += bytesWritten;
    rest = after(rest, bytesWritten);
  }
  return position;
}

function after(chunks: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skip = written;
  let index = 0;
  for (; index < chunks.length; index += 1) {
    const size = (chunks[index] as Uint8Array).byteLength;
    if (skip < size) break;
    skip -= size;
  }
  const [first, ...others] = chunks.slice(index);
  return first === undefined ? [] : [first.subarray(skip), ...others];
}
