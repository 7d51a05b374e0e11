import { isToolError } from "../../ground/errors/index.ts";
import {
  planKey,
  planShape,
  samplePlan,
  type CallOptions,
  type ContentPlan,
} from "../../ground/bytes/index.ts";
import { parseDigest, type Digest } from "../oci/index.ts";
import type { JsonCache } from "./json-cache.ts";

/** Digests of contents that were hashed before, found again without reading a byte of them. */
export interface DigestCache {
  /** The digest of what the plan streams, or `undefined` when it must be read. */
  get(plan: ContentPlan): Promise<Digest | undefined>;
  /** Keeps a digest that a whole pass over the plan found. */
  set(plan: ContentPlan, digest: Digest): Promise<void>;
  /**
   * True when the last content of the same shape looked the same in a few places: it was likely hashed before, under other times or
   * another inode. Reads nothing where no content of that shape was ever hashed.
   */
  resembles(plan: ContentPlan, options?: CallOptions): Promise<boolean>;
}

// File times move in steps of the kernel's clock. A file that was written in the same step as it
// was read may be written once more in that step, and its time would not change. So its digest is
// not kept.
const CLOCK_STEP_MS = 20;
// File systems that keep whole seconds only; FAT keeps even ones.
const COARSE_STEP_MS = 2000;
const MAX_PENDING = 1000;
/** Sending less than this again costs no more than finding out. */
const SAMPLED_BYTES = 1 << 20;

/** Keeps digests in `cache` under the plan's key: literal bytes and (device, inode, size, mtime, ctime) of each file. */
export function createDigestCache(cache: JsonCache, now: () => number = Date.now): DigestCache {
  const askedAt = new Map<string, number>();
  return {
    async get(plan) {
      const key = planKey(plan);
      const found = parse(await cache.get(key));
      if (found === undefined && askedAt.size < MAX_PENDING) askedAt.set(key, now());
      return found;
    },
    async set(plan, digest) {
      const key = planKey(plan);
      const readSince = askedAt.get(key) ?? now();
      askedAt.delete(key);
      if (settledSinceMs(plan) <= readSince) await cache.set(key, digest);
      if (plan.size >= SAMPLED_BYTES) await cache.set(shapeKey(plan), await samplePlan(plan));
    },
    async resembles(plan, options) {
      const sample = plan.size < SAMPLED_BYTES ? undefined : await cache.get(shapeKey(plan));
      return typeof sample === "string" && sample === (await samplePlan(plan, options));
    },
  };
}

function shapeKey(plan: ContentPlan): string {
  return `shape ${planShape(plan)}`;
}

/** The moment from which on any further change to the files shows in their times. */
function settledSinceMs(plan: ContentPlan): number {
  const times = plan.segments.flatMap((segment) =>
    segment.kind === "bytes" ? [] : [segment.guard.mtimeNs, segment.guard.ctimeNs],
  );
  const isCoarse = times.some((time) => BigInt(time) % 1_000_000_000n === 0n);
  return (
    times.reduce((newest, time) => Math.max(newest, Number(BigInt(time) / 1_000_000n)), 0) +
    (isCoarse ? COARSE_STEP_MS : CLOCK_STEP_MS)
  );
}

function parse(value: unknown): Digest | undefined {
  if (typeof value !== "string") return undefined;
  try {
    return parseDigest(value);
  } catch (error) {
    if (!isToolError(error)) throw error;
    return undefined;
  }
}
