import type { FileHandle } from "node:fs/promises";
import type { CallOptions } from "./bytes.ts";

export interface ReadRangeOptions extends CallOptions {
  /** First byte. */
  readonly start: number;
  /** One past the last byte. The stream ends sooner where the file does. */
  readonly end: number;
  /**
   * Give chunks that hold only until the next one is asked for, which spares a third of the time where memory is what
   * costs. For consumers that are done with a chunk at once, such as a hash; never for streams, which keep chunks. Default false.
   */
  readonly transient?: boolean | undefined;
  /**
   * Read into this many buffers in turn: a chunk holds until one less than so many more were asked for. Three are enough for `writeBehind`, which
   * holds two chunks of 1 MiB. Default: no buffer is used twice, or two where `transient` is set.
   */
  readonly buffers?: number | undefined;
}

const READ_BYTES = 1 << 20;

/**
 * Streams a part of an open file in chunks of at most 1 MiB, each a buffer of its own that the caller may keep, unless
 * `transient` is set. One chunk is read ahead; nothing more is read until the caller asks. The file stays open and is the caller's to close.
 */
export async function* readRange(
  file: FileHandle,
  options: ReadRangeOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const bufferOf = createBuffers(options);
  let position = options.start;
  let next = readAhead(file, bufferOf(position), position);
  try {
    while (position < options.end) {
      const chunk = await next;
      options.signal?.throwIfAborted();
      if (chunk.byteLength === 0) return;
      position += chunk.byteLength;
      next = readAhead(file, bufferOf(position), position);
      yield chunk;
    }
  } finally {
    // The caller closes the file next; no read may be under way then.
    await Promise.allSettled([next]);
  }
}

/** Buffers to read into: one for each position, or a few in turn. */
function createBuffers(options: ReadRangeOptions): (position: number) => Buffer {
  const lengthAt = (position: number): number =>
    Math.max(0, Math.min(READ_BYTES, options.end - position));
  const count = options.buffers ?? (options.transient === true ? 2 : 0);
  if (count === 0) return (position) => Buffer.allocUnsafeSlow(lengthAt(position));
  const ring: Buffer[] = [];
  let turn = 0;
  return (position) => {
    const index = turn % count;
    turn += 1;
    const buffer = ring[index] ?? Buffer.allocUnsafeSlow(lengthAt(options.start));
    ring[index] = buffer;
    return buffer.subarray(0, lengthAt(position));
  };
}

/** Starts a read whose failure is seen when it is awaited, not before. */
function readAhead(file: FileHandle, buffer: Buffer, position: number): Promise<Uint8Array> {
  const reading = readChunk(file, buffer, position);
  reading.catch(() => undefined); // thrown where it is awaited
  return reading;
}

async function readChunk(file: FileHandle, buffer: Buffer, position: number): Promise<Uint8Array> {
  if (buffer.byteLength === 0) return buffer;
  const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, position);
  return bytesRead === buffer.byteLength ? buffer : buffer.subarray(0, bytesRead);
}
