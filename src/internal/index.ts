export { explainWriteError, writeFileAtomic, type AtomicFileOptions } from "./atomic-file.ts";
export type { Bytes, CallOptions } from "./bytes.ts";
export {
  guardOf,
  isSameGuard,
  planKey,
  planOf,
  type ContentPlan,
  type FileGuard,
  type Segment,
} from "./content-plan.ts";
export { withFileLock } from "./file-lock.ts";
export { createLimit, mapLimited, type Limit } from "./limit.ts";
export { hashPlan, openPlan } from "./open-plan.ts";
export { networkReason } from "./network-reason.ts";
export { isOwnerGone, ownerName } from "./owner.ts";
export { parsePlan, planToJson } from "./plan-json.ts";
export { planShape, samplePlan } from "./plan-sample.ts";
export { run, signalGroup, type RunOptions, type RunResult } from "./process.ts";
export { runStream } from "./run-stream.ts";
export { readRange, type ReadRangeOptions } from "./read-range.ts";
export { retry, type RetryOptions } from "./retry.ts";
export { createTempDir, type TempDir } from "./temp-dir.ts";
export { writeBehind } from "./write-behind.ts";
