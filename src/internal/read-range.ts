import type { FileHandle } from "node:fs/promises";
import type { CallOptions } from "./bytes.ts";

export interface ReadRangeOptions extends CallOptions {
  /** First byte. */
  readonly start: number;
  /** One past the last byte. The stream ends sooner where the file does. */
  readonly end: number;
}

const READ_BYTES = 1 << 20;

/**
 * Streams a part of an open file in chunks of at most 1 MiB, each a buffer of its own that the caller may keep. One
 * chunk is read ahead; nothing more is read until the caller asks. The file stays open and is the caller's to close.
 */
export async function* readRange(file: FileHandle, options: ReadRangeOptions): AsyncGenerator<Uint8Array, void, undefined> {
  let position = options.start;
  let next = readAhead(file, position, options.end);
  try {
    while (position < options.end) {
      const chunk = await next;
      options.signal?.throwIfAborted();
      if (chunk.byteLength === 0) return;
      position += chunk.byteLength;
      next = readAhead(file, position, options.end);
      yield chunk;
    }
  } finally {
    // The caller closes the file next; no read may be under way then.
    await Promise.allSettled([next]);
  }
}

/** Starts a read whose failure is seen when it is awaited, not before. */
function readAhead(file: FileHandle, position: number, end: number): Promise<Uint8Array> {
  const reading = readChunk(file, position, end);
  reading.catch(() => undefined);
  return reading;
}

async function readChunk(file: FileHandle, position: number, end: number): Promise<Uint8Array> {
  const length = Math.min(READ_BYTES, end - position);
  if (length <= 0) return new Uint8Array(0);
  const buffer = Buffer.allocUnsafeSlow(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return bytesRead === length ? buffer : buffer.subarray(0, bytesRead);
}
