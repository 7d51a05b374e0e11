import { isToolError } from "../../ground/errors/index.ts";
import type { Logger } from "./log/index.ts";
import type { ServerMetrics } from "./observe/index.ts";

export interface ReloadOptions {
  /** Loads the model again, as it lies there now, and takes it into use. */
  readonly load: () => Promise<void>;
  readonly metrics: Pick<ServerMetrics, "reloads" | "failedReloads">;
  readonly log: Logger;
}

/**
 * Puts new code in place of the old: loaded in fresh workers first, then swapped in, and only then are the old ones drained. What does
 * not load changes nothing, and the log says why. Never rejects.
 */
export async function reload(
  { load, metrics, log }: ReloadOptions,
  files: readonly string[],
): Promise<void> {
  log.info({ files: files.slice(0, 10) }, "reloading");
  const startedAt = performance.now();
  try {
    await load();
    metrics.reloads.value += 1;
    log.info({ durationMs: Math.round(performance.now() - startedAt) }, "reloaded");
  } catch (error) {
    metrics.failedReloads.value += 1;
    log.error(
      isToolError(error) ? { code: error.code, hint: error.hint } : { err: error },
      `reload: the model before goes on, because the new one failed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
