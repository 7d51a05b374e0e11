import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";

/** The identity of a file at the time it was planned; a later read that finds another one refuses. */
export interface FileGuard {
  readonly dev: string;
  readonly ino: string;
  /** Bytes. */
  readonly size: number;
  /** Nanoseconds since the epoch, decimal. */
  readonly mtimeNs: string;
  /** Nanoseconds since the epoch, decimal. */
  readonly ctimeNs: string;
}

/** Literal bytes, or the whole of a file that is read when the content is streamed. */
export type Segment =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "file"; readonly path: string; readonly guard: FileGuard };

/** Content described rather than stored: no copy of the files exists. `size` is the sum of the segments, in bytes. */
export interface ContentPlan {
  readonly size: number;
  readonly segments: readonly Segment[];
}

/** Takes the guard of a file from `stat(path, { bigint: true })`. */
export function guardOf(stats: BigIntStats): FileGuard {
  return {
    dev: stats.dev.toString(),
    ino: stats.ino.toString(),
    size: Number(stats.size),
    mtimeNs: stats.mtimeNs.toString(),
    ctimeNs: stats.ctimeNs.toString(),
  };
}

/** True when both guards speak of the same state of the same file. */
export function isSameGuard(one: FileGuard, other: FileGuard): boolean {
  return (
    one.size === other.size &&
    one.mtimeNs === other.mtimeNs &&
    one.ctimeNs === other.ctimeNs &&
    one.ino === other.ino &&
    one.dev === other.dev
  );
}

/** Joins segments to a plan and adds their sizes up. */
export function planOf(segments: readonly Segment[]): ContentPlan {
  return { size: segments.reduce((sum, segment) => sum + segmentSize(segment), 0), segments };
}

/** Bytes that a segment gives. */
export function segmentSize(segment: Segment): number {
  return segment.kind === "bytes" ? segment.bytes.byteLength : segment.guard.size;
}

/**
 * Names a plan by what it would stream: equal keys mean equal bytes as long as the files keep their guards. Paths are
 * no part of it, nor is the way literal bytes are cut into segments. For caches of digests. @returns 64 hex digits.
 */
export function planKey(plan: ContentPlan): string {
  const hash = createHash("sha256").update("slipway-plan-1\0");
  let literal: Uint8Array[] = [];
  const flush = (): void => {
    const size = literal.reduce((sum, bytes) => sum + bytes.byteLength, 0);
    if (size > 0) hash.update(`bytes ${size}\0`);
    for (const bytes of literal) hash.update(bytes);
    literal = [];
  };
  for (const segment of plan.segments) {
    if (segment.kind === "bytes") {
      literal.push(segment.bytes);
      continue;
    }
    flush();
    const { dev, ino, size, mtimeNs, ctimeNs } = segment.guard;
    hash.update(`file ${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}\0`);
  }
  flush();
  return hash.digest("hex");
}
