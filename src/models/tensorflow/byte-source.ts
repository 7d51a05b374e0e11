import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { FormatError, invalidFile } from "./invalid-file.ts";

/** Bytes that can be read anywhere: a file, or memory. */
export interface ByteSource {
  /** Path of the file; `undefined` for memory. */
  readonly path: string | undefined;
  /** Name for messages. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Exactly `length` bytes, the caller's to keep. @throws FormatError when the range leaves the source. */
  read(offset: number, length: number): Buffer;
}

/** A part of a source. */
export interface ByteRange {
  readonly source: ByteSource;
  readonly offset: number;
  readonly size: number;
}

/** An open file as a source. */
export interface FileSource extends ByteSource, Disposable {
  readonly path: string;
}

/** Opens a file. @throws ProjectError `MODEL_FILE_INVALID` when it is not there, may not be read or is no regular file. */
export function openSource(path: string, name: string): FileSource {
  const descriptor = openDescriptor(path, name);
  const stats = fstatSync(descriptor);
  if (!stats.isFile()) {
    closeSync(descriptor);
    throw invalidFile(name, "it is not a file");
  }
  return {
    path,
    name,
    size: stats.size,
    read(offset, length) {
      assertInside({ source: this, offset, size: length });
      const bytes = Buffer.allocUnsafeSlow(length);
      let filled = 0;
      while (filled < length) {
        const count = readSync(descriptor, bytes, filled, length - filled, offset + filled);
        if (count === 0) throw new FormatError("it became shorter while it was read");
        filled += count;
      }
      return bytes;
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

/** Memory as a source. */
export function memorySource(bytes: Buffer, name: string): ByteSource {
  return {
    path: undefined,
    name,
    size: bytes.byteLength,
    read(offset, length) {
      assertInside({ source: this, offset, size: length });
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** @throws FormatError when a range leaves its source. */
export function assertInside({ source, offset, size }: ByteRange): void {
  const isInside =
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(size) &&
    offset >= 0 &&
    size >= 0 &&
    offset + size <= source.size;
  if (!isInside) throw new FormatError("it is cut short: a part of it lies behind its end");
}

function openDescriptor(path: string, name: string): number {
  try {
    // A named pipe must not hang the open; the flag does nothing to regular files.
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") throw invalidFile(name, "it is not there", error);
    throw invalidFile(name, `it cannot be opened (${code ?? "no reason given"})`, error);
  }
}
