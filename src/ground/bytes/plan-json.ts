import { ToolError } from "../errors/index.ts";
import { planOf, type ContentPlan, type FileGuard, type Segment } from "./content-plan.ts";

/** A plan as JSON can carry it: literal bytes are base64. */
export interface PlanJson {
  readonly size: number;
  readonly segments: readonly SegmentJson[];
}

type SegmentJson =
  | { readonly bytes: string }
  | { readonly path: string; readonly guard: FileGuard };

const DECIMAL = /^-?\d{1,20}$/;

/** Turns a plan into plain data for `JSON.stringify`; `parsePlan` is the way back. */
export function planToJson(plan: ContentPlan): PlanJson {
  return {
    size: plan.size,
    segments: plan.segments.map((segment) =>
      segment.kind === "bytes"
        ? { bytes: Buffer.from(segment.bytes).toString("base64") }
        : { path: segment.path, guard: segment.guard },
    ),
  };
}

/**
 * Reads what `planToJson` gave, from parsed JSON that may be anything.
 * @throws ToolError `STORE_INVALID` when it is not a plan, or when its size is not the sum of its segments.
 */
export function parsePlan(value: unknown): ContentPlan {
  const { size, segments } = record(value);
  if (!Array.isArray(segments)) throw invalidPlan("it has no list of segments");
  const plan = planOf(segments.map(parseSegment));
  if (plan.size !== size)
    throw invalidPlan(`its segments have ${plan.size} bytes, not ${String(size)}`);
  return plan;
}

function parseSegment(value: unknown): Segment {
  const { bytes, path, guard } = record(value);
  if (typeof bytes === "string") return { kind: "bytes", bytes: Buffer.from(bytes, "base64") };
  if (typeof path !== "string" || path === "" || path.includes("\0"))
    throw invalidPlan("a segment has neither bytes nor a path");
  return { kind: "file", path, guard: parseGuard(guard) };
}

function parseGuard(value: unknown): FileGuard {
  const { dev, ino, size, mtimeNs, ctimeNs } = record(value);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw invalidPlan("a guard has no size");
  return {
    dev: decimal(dev),
    ino: decimal(ino),
    size,
    mtimeNs: decimal(mtimeNs),
    ctimeNs: decimal(ctimeNs),
  };
}

function decimal(value: unknown): string {
  if (typeof value !== "string" || !DECIMAL.test(value))
    throw invalidPlan("a guard has a field that is no number");
  return value;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalidPlan("an object is missing");
  return value as Readonly<Record<string, unknown>>;
}

function invalidPlan(why: string): ToolError {
  return new ToolError("STORE_INVALID", `read a content plan: ${why}`, { hint: "pack again" });
}
