import type { ServerSettings } from "../../models/description/index.ts";

/** What holds for a setting that a description leaves out; `ServerSettings` says what each one means. */
export const SERVER_DEFAULTS: Required<Omit<ServerSettings, "workerMemoryMib" | "padValue">> = {
  workers: 1,
  maxBatch: 1,
  maxWaitMs: 0,
  maxBodyBytes: 104_857_600,
  timeoutMs: 60_000,
  maxQueue: 1024,
};
