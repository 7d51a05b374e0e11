export { explainWriteError, writeFileAtomic, type AtomicFileOptions } from "./atomic-file.ts";
export { withFileLock } from "./file-lock.ts";
export { createLimit, mapLimited, type Limit } from "./limit.ts";
export { networkReason } from "./network-reason.ts";
export { isOwnerGone, ownerName } from "./owner.ts";
export { run, signalGroup, type RunOptions, type RunResult } from "./process.ts";
export { runStream } from "./run-stream.ts";
export { retry, type RetryOptions } from "./retry.ts";
export { createTempDir, type TempDir } from "./temp-dir.ts";
