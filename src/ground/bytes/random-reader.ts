import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { ProjectError } from "../errors/index.ts";

/** Random access to bytes that may be many gigabytes: what is skipped is never read. */
export interface RandomReader extends Disposable {
  readonly size: number;
  /** Up to `length` bytes from `offset`; fewer only at the end. Valid until the next call. */
  at(offset: number, length: number): Uint8Array;
}

const WINDOW_BYTES = 64 * 1024;

/** Opens a file; small reads share a window of 64 KiB. @throws ProjectError `MODEL_FILE_INVALID` when it is no regular file. */
export function openReader(location: string, name: string): RandomReader {
  const descriptor = openSync(location, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const stats = fstatSync(descriptor);
  if (!stats.isFile()) {
    closeSync(descriptor);
    throw new ProjectError("MODEL_FILE_INVALID", `read "${name}": it is not a file`, {
      file: name,
    });
  }
  const window = Buffer.allocUnsafe(WINDOW_BYTES);
  let start = 0;
  let length = 0;
  const fill = (target: Buffer, offset: number): number => {
    let filled = 0;
    while (filled < target.byteLength) {
      const count = readSync(
        descriptor,
        target,
        filled,
        target.byteLength - filled,
        offset + filled,
      );
      if (count === 0) break;
      filled += count;
    }
    return filled;
  };
  return {
    size: stats.size,
    at(offset, wanted) {
      if (wanted > WINDOW_BYTES) {
        const own = Buffer.allocUnsafe(Math.min(wanted, Math.max(0, stats.size - offset)));
        return own.subarray(0, fill(own, offset));
      }
      if (offset < start || offset + wanted > start + length) {
        start = offset;
        length = fill(window, offset);
      }
      return window.subarray(offset - start, Math.min(offset - start + wanted, length));
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

/** Random access to bytes in memory. */
export function readerOf(bytes: Uint8Array): RandomReader {
  return {
    size: bytes.byteLength,
    at: (offset, length) => bytes.subarray(offset, offset + length),
    [Symbol.dispose]: () => undefined,
  };
}
