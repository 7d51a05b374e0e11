import { createHash } from "node:crypto";
import { closeSync, createReadStream, openSync, readSync } from "node:fs";
import { ToolError } from "../../ground/errors/index.ts";
import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";
import { inByteOrder } from "./path-order.ts";
import type { PackageFile, UnpackedWheel } from "./tree.ts";

/** A file of a layer. */
export interface LayerFile extends PackageFile {
  /** `numpy 2.4.6`, for messages. */
  readonly owner: string;
}

/** Read at once. */
export const CHUNK_BYTES: number = 2 ** 20;

/** The files of a group in byte order of their paths; of two with one path the later package's counts, as for an installer. */
export function filesOf(wheels: readonly UnpackedWheel[]): readonly LayerFile[] {
  const files = new Map<string, LayerFile>();
  for (const { wheel, files: own } of wheels)
    for (const file of own)
      files.set(file.path, { ...file, owner: `${wheel.name} ${wheel.version}` });
  return inByteOrder([...files.values()]);
}

export interface ReadOptions extends CallOptions {
  /** Filled again and again: a fresh one for each of ten thousand files would cost more memory than all else. */
  readonly buffer: Buffer;
}

/**
 * Streams a file and holds it against the hash its wheel promises: uv links files from its cache, so whoever edits an
 * installed package may have edited the cache. A chunk is overwritten when the next one is asked for.
 * @throws ToolError `FILE_CHANGED` in place of a clean end.
 */
export async function* readChecked(
  file: LayerFile,
  options: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  if ("bytes" in file.content) {
    yield file.content.bytes;
    return;
  }
  const hash = createHash("sha256");
  let size = 0;
  for (const chunk of readWhole(file.content.file, options.buffer)) {
    options.signal?.throwIfAborted();
    hash.update(chunk);
    size += chunk.byteLength;
    yield chunk;
  }
  const expected = file.content.sha256;
  if (size === file.size && (expected === undefined || hash.digest("base64url") === expected))
    return;
  throw new ToolError(
    "FILE_CHANGED",
    `read "${file.path}" of ${file.owner}: it is not what the wheel's RECORD says`,
    {
      hint: `clear the installer's cache of it (\`uv cache clean ${file.owner.split(" ")[0]}\`) and try again`,
    },
  );
}

/** The contents one after the other from a byte offset on, unchecked: enough for sampling. */
export async function* readFrom(
  files: readonly LayerFile[],
  offset: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let skip = offset;
  for (const { size, content } of files) {
    if (skip >= size) {
      skip -= size;
      continue;
    }
    if ("bytes" in content) yield content.bytes.subarray(skip);
    else
      yield* createReadStream(content.file, { start: skip, highWaterMark: CHUNK_BYTES }) as Bytes;
    skip = 0;
  }
}

function* readWhole(path: string, buffer: Buffer): Generator<Uint8Array, void, undefined> {
  const file = openSync(path, "r");
  try {
    for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer))
      yield buffer.subarray(0, length);
  } finally {
    closeSync(file);
  }
}
