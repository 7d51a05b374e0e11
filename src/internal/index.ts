export { explainWriteError, writeFileAtomic, type AtomicFileOptions } from "./atomic-file.ts";
export type { Bytes, CallOptions } from "./bytes.ts";
export { guardOf, isSameGuard, planKey, planOf, segmentSize, type ContentPlan, type FileGuard, type Segment } from "./content-plan.ts";
export { createLimit, mapLimited, type Limit } from "./limit.ts";
export { openPlan, type OpenPlanOptions } from "./open-plan.ts";
export { parsePlan, planToJson, type PlanJson } from "./plan-json.ts";
export { createStopper, run, signalGroup, type RunOptions, type RunResult } from "./process.ts";
export { retry, type RetryOptions } from "./retry.ts";
export { createTempDir, type TempDir } from "./temp-dir.ts";
