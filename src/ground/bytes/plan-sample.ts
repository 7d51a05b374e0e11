import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { CallOptions } from "./bytes.ts";
import { segmentSize, type ContentPlan, type Segment } from "./content-plan.ts";

/** Few enough samples to be cheap on a spinning disk, enough to tell two models apart. */
const SAMPLES = 32;
const SAMPLE_BYTES = 4096;

/** Names what a plan would stream but for what is in its files: literal bytes and the files' sizes. @returns 64 hex digits. */
export function planShape(plan: ContentPlan): string {
  const hash = createHash("sha256").update("slipway-shape-1\0");
  for (const segment of plan.segments) {
    if (segment.kind === "bytes")
      hash.update(`bytes ${segment.bytes.byteLength}\0`).update(segment.bytes);
    else hash.update(`file ${segment.guard.size}\0`);
  }
  return hash.digest("hex");
}

/**
 * A hash over a few places of the files, evenly spread over the whole plan. Different samples mean different content; equal ones
 * make equal content likely and prove nothing. Reads 128 KiB at most. @returns 64 hex digits, or `undefined` when a file cannot be read.
 */
export async function samplePlan(
  plan: ContentPlan,
  { signal }: CallOptions = {},
): Promise<string | undefined> {
  const hash = createHash("sha256").update("slipway-sample-1\0");
  for (let index = 0; index < SAMPLES; index += 1) {
    signal?.throwIfAborted();
    const place = placeOf(plan.segments, Math.floor((plan.size * index) / SAMPLES));
    const bytes =
      place === undefined ? undefined : await readAt(place.path, place.offset).catch(() => null); // whoever opens the plan says what is wrong
    if (bytes === null) return undefined;
    if (bytes !== undefined) hash.update(bytes);
  }
  return hash.digest("hex");
}

/** The file below a byte of the plan, and where in it the byte is; `undefined` for a literal one. */
function placeOf(
  segments: readonly Segment[],
  position: number,
): { readonly path: string; readonly offset: number } | undefined {
  let start = 0;
  for (const segment of segments) {
    const end = start + segmentSize(segment);
    if (position < end)
      return segment.kind === "file" ? { path: segment.path, offset: position - start } : undefined;
    start = end;
  }
  return undefined;
}

async function readAt(path: string, offset: number): Promise<Uint8Array> {
  await using file = await open(path);
  const buffer = Buffer.alloc(SAMPLE_BYTES);
  const { bytesRead } = await file.read(buffer, 0, SAMPLE_BYTES, offset);
  return buffer.subarray(0, bytesRead);
}
