export { explainWriteError, writeFileAtomic, type AtomicFileOptions } from "./atomic-file.ts";
export type { Bytes, CallOptions } from "./bytes.ts";
export { createLimit, mapLimited, type Limit } from "./limit.ts";
export { createStopper, run, signalGroup, type RunOptions, type RunResult } from "./process.ts";
export { retry, type RetryOptions } from "./retry.ts";
export { createTempDir, type TempDir } from "./temp-dir.ts";
