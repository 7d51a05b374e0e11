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

/** Buffers to read into: one for each position, or two in turn, of which one is with the consumer. */
function createBuffers(options: ReadRangeOptions): (position: number) => Buffer {
  const lengthAt = (position: number): number =>
    Math.max(0, Math.min(READ_BYTES, options.end - position));
  if (options.transient !== true) return (position) => Buffer.allocUnsafeSlow(lengthAt(position));
  const pair = [
    Buffer.allocUnsafeSlow(lengthAt(options.start)),
    Buffer.allocUnsafeSlow(lengthAt(options.start)),
  ] as const;
  let turn = 0;
  return (position) => (pair[(turn += 1) % 2] ?? pair[0]).subarray(0, lengthAt(position));
}

/** Starts a read whose failure is seen when it is awaited, not before. */
function readAhead(file: FileHandle, buffer: Buffer, position: number): Promise<Uint8Array> {
  const reading = readChunk(file, buffer, position);
  reading.catch(() => undefined);
  return reading;
}

async function readChunk(file: FileHandle, buffer: Buffer, position: number): Promise<Uint8Array> {
  if (buffer.byteLength === 0) return buffer;
  const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, position);
  return bytesRead === buffer.byteLength ? buffer : buffer.subarray(0, bytesRead);
}
