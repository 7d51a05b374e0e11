import { mkdir, open, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { ContentError, isToolError } from "../../ground/errors/index.ts";
import { writeBehind, type Bytes, type CallOptions } from "../../ground/bytes/index.ts";
import { explainWriteError, noFile } from "../../ground/process/index.ts";
import { hexOf, type Descriptor, type RawOptions } from "../oci/index.ts";
import { moveIn, type BlobPlace } from "./blobs.ts";
import { followHash } from "./follow-hash.ts";
import type { StorePaths } from "./store-paths.ts";

/** Blobs from this size on are kept when they break off, in bytes. */
const KEPT_BYTES = 16 * 2 ** 20;
const ENDING = ".partial";
/** Folder of beginnings that belong to nobody, beside those of the writing processes. */
export const PARTIAL_FOLDER = "partial";
const MAX_AGE_MS = 7 * 24 * 3600 * 1000;

/** Content from an offset on. */
type OpenFrom = (offset: number, options?: RawOptions) => Bytes;

/** True for a blob whose beginning is worth keeping. */
export function isKept({ size }: Descriptor): boolean {
  return size >= KEPT_BYTES;
}

/**
 * Writes a large blob, or the rest of one whose beginning an earlier try has left, be that one cut off or killed. All of it is verified. A
 * beginning that turns out wrong is thrown away, and the blob is written whole.
 * @throws ContentError `DIGEST_MISMATCH`, `SIZE_MISMATCH`; what `open` throws: the beginning is kept then
 */
export async function putResuming(
  place: BlobPlace,
  target: Descriptor,
  { open: openFrom, signal }: { readonly open: OpenFrom } & CallOptions,
): Promise<void> {
  const path = `${await place.scratch.newPath()}-${hexOf(target.digest)}${ENDING}`;
  const kept = keptPath(place.paths, target);
  const hadBeginning = await claim(kept, path);
  try {
    await writeRest(place, target, { path, open: openFrom, signal });
  } catch (error) {
    const isWrong =
      isToolError(error) && (error.code === "DIGEST_MISMATCH" || error.code === "SIZE_MISMATCH");
    if (!isWrong) {
      await giveBack(place.paths, path, kept);
      throw explainWriteError(error, place.paths.dataDir);
    }
    await rm(path, { force: true });
    if (!hadBeginning) throw error;
    await putResuming(place, target, { open: openFrom, signal });
  }
}

async function writeRest(
  place: BlobPlace,
  target: Descriptor,
  {
    path,
    open: openFrom,
    signal,
  }: { readonly path: string; readonly open: OpenFrom } & CallOptions,
): Promise<void> {
  await using file = await open(path, "r+").catch((error: unknown) => {
    noFile(error);
    return open(path, "wx+", 0o644);
  });
  const { size } = await file.stat();
  const start = Math.min(size, target.size);
  await file.truncate(start);
  const algorithm = target.digest.startsWith("sha512:") ? "sha512" : "sha256";
  await using hash = await followHash({ algorithm, path, file, start, size: target.size });
  const came = await writeBehind(file, atMost(openFrom(start, { isRaw: true }), target, start), {
    ...{ position: start, signal },
    onChunk: (chunk) => hash.chunk(chunk),
    onWritten: (position) => hash.written(position),
  });
  if (start + came !== target.size) throw wrongSize(target, start + came);
  const actual = `${algorithm}:${await hash.digest()}`;
  if (actual !== target.digest) throw wrongDigest(target, actual);
  await moveIn(place, path, target.digest);
}

/** The content; more than the blob has ends it. */
async function* atMost(
  content: Bytes,
  target: Descriptor,
  start: number,
): AsyncGenerator<Uint8Array> {
  let position = start;
  for await (const chunk of content) {
    position += chunk.byteLength;
    if (position > target.size) throw wrongSize(target, position);
    yield chunk;
  }
}

function wrongSize({ digest, size }: Descriptor, actual: number): ContentError {
  return new ContentError(
    "SIZE_MISMATCH",
    `verify "${digest}": the content ${actual > size ? `is longer than ${size}` : `ended after ${actual} of ${size}`} bytes`,
    { expected: String(size), actual: String(actual), bytesRead: actual },
  );
}

function wrongDigest({ digest, size }: Descriptor, actual: string): ContentError {
  return new ContentError(
    "DIGEST_MISMATCH",
    `verify "${digest}": the content has digest "${actual}"`,
    {
      ...{ expected: digest, actual, bytesRead: size },
      hint: "what is kept there is damaged, or something on the way changed it; push it there again",
    },
  );
}

/** Takes a beginning over; of several processes one gets it. */
async function claim(kept: string, path: string): Promise<boolean> {
  try {
    await rename(kept, path);
    return true;
  } catch (error) {
    noFile(error);
    return false;
  }
}

async function giveBack(paths: StorePaths, path: string, kept: string): Promise<void> {
  const stats = await stat(path).catch(noFile);
  if (stats === undefined) return;
  await mkdir(join(paths.temporary, PARTIAL_FOLDER), { recursive: true });
  await rename(path, kept).catch(() => unlink(path)); // the disk may be full: the beginning is lost, and nothing else
}

function keptPath(paths: StorePaths, { digest }: Pick<Descriptor, "digest">): string {
  return join(paths.temporary, PARTIAL_FOLDER, hexOf(digest));
}

/** Keeps the beginnings that a process left which was killed. @param folder - the process's own */
export async function keepPartials(paths: StorePaths, folder: string): Promise<void> {
  for (const name of (await readdir(folder).catch(noFile)) ?? []) {
    const hex = new RegExp(`-([0-9a-f]{64})\\${ENDING}$`).exec(name)?.[1];
    if (hex === undefined) continue;
    await mkdir(join(paths.temporary, PARTIAL_FOLDER), { recursive: true });
    await rename(join(folder, name), join(paths.temporary, PARTIAL_FOLDER, hex)).catch(noFile); // another process was faster
  }
}

/** Removes beginnings that nobody has gone on with for a week. @returns how many */
export async function sweepPartials(paths: StorePaths): Promise<number> {
  const folder = join(paths.temporary, PARTIAL_FOLDER);
  let removed = 0;
  for (const name of (await readdir(folder).catch(noFile)) ?? []) {
    const path = join(folder, name);
    const stats = await stat(path).catch(noFile);
    if (stats === undefined || Date.now() - stats.mtimeMs < MAX_AGE_MS) continue;
    await rm(path, { force: true });
    removed += 1;
  }
  return removed;
}
