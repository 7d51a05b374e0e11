import { createHash } from "node:crypto";
import { mkdir, open, rename, rm, stat, unlink, utimes, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { ContentError, isToolError, ToolError } from "../../ground/errors/index.ts";
import { readRange, writeBehind, type Bytes, type CallOptions } from "../../ground/bytes/index.ts";
import { explainWriteError, noFile } from "../../ground/process/index.ts";
import { parseDigest, verifyBytes, type Descriptor, type Digest } from "../oci/index.ts";
import type { Scratch } from "./scratch.ts";
import type { TagFolder } from "./tags.ts";
import { blobFileOf, type StorePaths } from "./store-paths.ts";

/** A part of a blob, in bytes. */
export interface RangeOptions extends CallOptions {
  /** First byte. Default 0. */
  readonly start?: number | undefined;
  /** One past the last byte. Default: the blob's end. */
  readonly end?: number | undefined;
}

/** What the functions on blobs need of a store. */
export interface BlobPlace {
  readonly paths: StorePaths;
  readonly scratch: Scratch;
  /** Tags per folder, as long as the folder's time has not changed. */
  readonly tagCache: Map<string, TagFolder>;
}

// Manifests and configs are what holds a store together, so they are flushed. A larger blob that a power cut damages is
// found out by its size or digest and written again; waiting for the device would cost more than it saves.
const SYNC_BYTES = 1 << 20;

/** Bytes of a blob that is a real file, or `undefined`. One `stat`. */
export async function blobSize(place: BlobPlace, digest: Digest): Promise<number | undefined> {
  const stats = await stat(blobFileOf(place.paths, digest)).catch(noFile);
  return stats?.isFile() === true ? stats.size : undefined;
}

/** Writes a blob and verifies it on the way. Does nothing when it is there. */
export async function putBlob(
  place: BlobPlace,
  target: Descriptor,
  options: { readonly content: Bytes } & CallOptions,
): Promise<void> {
  const { content, ...callOptions } = options;
  const verified = verifyBytes(content, target, callOptions);
  await writeScratch(place, verified, {
    ...callOptions,
    finish: (path) => moveIn(place, path, target.digest),
  });
}

/** Writes a blob whose digest is not known yet. @throws ContentError `SIZE_MISMATCH`. */
export async function ingestBlob(
  place: BlobPlace,
  content: Bytes,
  options: { readonly size: number } & CallOptions,
): Promise<Digest> {
  const hash = createHash("sha256");
  let size = 0;
  const measured = (chunk: Uint8Array): void => {
    size += chunk.byteLength;
    if (size > options.size) throw wrongSize(options.size, size);
    hash.update(chunk);
  };
  const finish = async (path: string): Promise<Digest> => {
    if (size !== options.size) throw wrongSize(options.size, size);
    const digest = parseDigest(`sha256:${hash.digest("hex")}`);
    await moveIn(place, path, digest);
    return digest;
  };
  return writeScratch(place, content, { signal: options.signal, onChunk: measured, finish });
}

/** Takes a file of the same file system over as a blob; the caller has verified it. The file is gone afterwards. */
export async function moveIn(place: BlobPlace, path: string, digest: Digest): Promise<void> {
  const target = blobFileOf(place.paths, digest);
  await mkdir(dirname(target), { recursive: true });
  await rename(path, target);
}

/** Opens a blob that is a real file, or gives `undefined`. The caller closes it. */
export async function openBlob(place: BlobPlace, digest: Digest): Promise<FileHandle | undefined> {
  return open(blobFileOf(place.paths, digest), "r").catch(noFile);
}

/**
 * Streams an open blob, verified. One that turns out damaged is removed, so that the next pack or pull writes it anew.
 * Closes the file.
 */
export async function* readVerified(
  place: BlobPlace,
  file: FileHandle,
  options: { readonly target: Descriptor } & CallOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  await using closing = file;
  const { target, signal } = options;
  // One byte more than there should be, so that a longer file is found out.
  const content = readRange(closing, { start: 0, end: target.size + 1, signal });
  try {
    yield* verifyBytes(content, target, { signal });
  } catch (error) {
    if (!isToolError(error) || (error.code !== "DIGEST_MISMATCH" && error.code !== "SIZE_MISMATCH"))
      throw error;
    throw await explainDamage(place, target, error);
  }
}

/** Marks a blob as in use, so that a `gc` that is under way spares it. @returns false when it has just gone. */
export async function touch(path: string): Promise<boolean> {
  const now = new Date();
  try {
    await utimes(path, now, now);
    return true;
  } catch (error) {
    // On a store that cannot be written nobody can collect either.
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

/** The answer to content that is not in the store. */
export function blobNotFound(digest: Digest): ContentError {
  return new ContentError("BLOB_NOT_FOUND", `read "${digest}": the store has no such blob`, {
    expected: digest,
    hint: "pack or pull the image again",
  });
}

interface ScratchWrite<T> extends CallOptions {
  readonly onChunk?: (chunk: Uint8Array) => void;
  /** Moves the written file to where it belongs. */
  readonly finish: (path: string) => Promise<T>;
}

async function writeScratch<T>(
  place: BlobPlace,
  content: Bytes,
  options: ScratchWrite<T>,
): Promise<T> {
  const path = await place.scratch.newPath();
  try {
    await using file = await open(path, "wx", 0o644);
    const size = await writeBehind(file, content, options);
    if (size <= SYNC_BYTES) await file.datasync();
    return await options.finish(path);
  } catch (error) {
    await rm(path, { force: true });
    throw explainWriteError(error, place.paths.dataDir);
  }
}

async function explainDamage(
  place: BlobPlace,
  target: Descriptor,
  cause: ToolError,
): Promise<ContentError> {
  const path = blobFileOf(place.paths, target.digest);
  const actualSize = await blobSize(place, target.digest);
  const isDamaged = cause.code === "DIGEST_MISMATCH";
  // A wrong size may be the caller's mistake; a wrong digest never is.
  const isRemoved =
    isDamaged &&
    (await unlink(path).then(
      () => true,
      () => false,
    ));
  const why = isDamaged
    ? "the file in the store is damaged"
    : `the file in the store has ${actualSize ?? 0} bytes, not ${target.size}`;
  return new ContentError(cause.code, `read "${target.digest}": ${why}`, {
    cause,
    expected: target.digest,
    hint: isRemoved
      ? "pack or pull the image again; the damaged file was removed"
      : `remove "${path}", then pack or pull the image again`,
  });
}

function wrongSize(expected: number, actual: number): ContentError {
  const got = actual > expected ? "more" : `${actual}`;
  return new ContentError("SIZE_MISMATCH", `store a blob: got ${got} bytes, want ${expected}`, {
    expected: String(expected),
    actual: String(actual),
    bytesRead: actual,
  });
}
