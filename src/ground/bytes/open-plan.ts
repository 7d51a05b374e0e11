import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { ToolError } from "../errors/index.ts";
import type { CallOptions } from "./bytes.ts";
import { readRange } from "./read-range.ts";
import {
  guardOf,
  isSameGuard,
  segmentSize,
  type ContentPlan,
  type FileGuard,
  type Segment,
} from "./content-plan.ts";

export interface OpenPlanOptions extends CallOptions {
  /** First byte to give. Default 0. */
  readonly offset?: number | undefined;
  /** As for `readRange`: chunks hold only until the next one is asked for. Default false. */
  readonly transient?: boolean | undefined;
}

/**
 * Reads a whole plan and gives the sha256 of its bytes, in hex. The fastest way to hash files: its buffers are its own.
 * @throws ToolError as `openPlan`.
 */
export async function hashPlan(
  plan: ContentPlan,
  options: CallOptions & { readonly onProgress?: ((bytes: number) => void) | undefined } = {},
): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of openPlan(plan, { signal: options.signal, transient: true })) {
    hash.update(chunk);
    options.onProgress?.(chunk.byteLength);
  }
  return hash.digest("hex");
}

type FileSegment = Extract<Segment, { readonly kind: "file" }>;

const READ_BYTES = 1 << 20;
// A file that was replaced by a named pipe must not hang the open; the flag does nothing to regular files.
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Streams what a plan describes, from `offset` to its end, in chunks of at most 1 MiB. Every chunk is a buffer of its
 * own that the caller may keep. One chunk is read ahead; nothing more is read until the caller asks. Files are checked
 * against their guards when they are opened and when their last byte has been read, before it is given: whoever gets
 * all bytes knows that no file changed.
 * @throws ToolError `FILE_CHANGED` naming the file, `FILE_REFUSED` when it may not be read.
 */
export async function* openPlan(
  plan: ContentPlan,
  options: OpenPlanOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  let skip = options.offset ?? 0;
  if (!Number.isSafeInteger(skip) || skip < 0 || skip > plan.size)
    throw new RangeError(`offset ${skip} lies outside the plan's ${plan.size} bytes`);
  for (const segment of plan.segments) {
    const size = segmentSize(segment);
    if (skip > 0 && skip >= size) {
      skip -= size;
      continue;
    }
    options.signal?.throwIfAborted();
    if (segment.kind === "bytes") yield* sliceBytes(segment.bytes, skip);
    else yield* readGuarded(segment, skip, options);
    skip = 0;
  }
}

function* sliceBytes(bytes: Uint8Array, offset: number): Generator<Uint8Array, void, undefined> {
  for (let start = offset; start < bytes.byteLength; start += READ_BYTES)
    yield bytes.subarray(start, start + READ_BYTES);
}

async function* readGuarded(
  segment: FileSegment,
  offset: number,
  options: OpenPlanOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { path, guard } = segment;
  await using file = await openFile(path);
  await checkGuard(file, path, guard);
  let position = offset;
  for await (const chunk of readRange(file, {
    start: offset,
    end: guard.size,
    signal: options.signal,
    transient: options.transient,
  })) {
    position += chunk.byteLength;
    // The check comes before the last bytes go out: who counts them would take a changed file for whole.
    if (position === guard.size) await checkGuard(file, path, guard);
    yield chunk;
  }
  if (position < guard.size) throw changed(path, `it ended at byte ${position} of ${guard.size}`);
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, OPEN_FLAGS);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "ENXIO")
      throw changed(path, "it is no longer there", error);
    if (code === "EACCES" || code === "EPERM")
      throw new ToolError("FILE_REFUSED", `read "${path}": permission denied`, {
        cause: error,
        hint: "make the file readable",
      });
    throw error;
  }
}

async function checkGuard(file: FileHandle, path: string, guard: FileGuard): Promise<void> {
  const found = guardOf(await file.stat({ bigint: true }));
  if (!isSameGuard(found, guard)) throw changed(path, differenceOf(found, guard));
}

function differenceOf(found: FileGuard, guard: FileGuard): string {
  if (found.size !== guard.size) return `it had ${guard.size} bytes and now has ${found.size}`;
  if (found.ino !== guard.ino || found.dev !== guard.dev) return "it was replaced by another file";
  return found.mtimeNs === guard.mtimeNs ? "its metadata changed" : "it was written to";
}

function changed(path: string, why: string, cause?: unknown): ToolError {
  return new ToolError("FILE_CHANGED", `read "${path}": ${why} since it was packed`, {
    cause,
    hint: "pack again when nothing writes to the folder",
  });
}
