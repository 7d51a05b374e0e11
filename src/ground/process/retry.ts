import { setTimeout as sleep } from "node:timers/promises";
import { isRetryable, RegistryError } from "../errors/index.ts";
import type { CallOptions } from "../bytes/index.ts";

export interface RetryOptions extends CallOptions {
  /** Calls in all, the first included. Default 5. */
  readonly attempts?: number;
  /** First pause; doubles each time. Default 200. */
  readonly baseMs?: number;
  /** Longest pause, `Retry-After` included. Default 20 000. */
  readonly capMs?: number;
  /** Says whether an error is worth another call. Default: its code is marked retryable in the table. */
  readonly isRetryable?: (error: unknown) => boolean;
  /** Source of jitter in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** Waits; replaced in tests. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Told before each pause. */
  readonly onRetry?: (error: unknown, attempt: number, pauseMs: number) => void;
}

/**
 * Calls again while the error's code is marked retryable in the table. Pauses are full-jitter exponential,
 * or what the registry's `Retry-After` asked for, both under `capMs`.
 */
export async function retry<T>(
  call: (attempt: number) => Promise<T>,
  options: RetryOptions = {},
): Promise<T> {
  const attempts = options.attempts ?? 5;
  for (let attempt = 1; ; attempt += 1) {
    options.signal?.throwIfAborted();
    try {
      return await call(attempt);
    } catch (error) {
      if (attempt >= attempts || !(options.isRetryable ?? isRetryable)(error)) throw error;
      const pauseMs = pauseOf(error, attempt, options);
      options.onRetry?.(error, attempt, pauseMs);
      await (options.sleep ?? pause)(pauseMs, options.signal);
    }
  }
}

function pauseOf(error: unknown, attempt: number, options: RetryOptions): number {
  const capMs = options.capMs ?? 20_000;
  if (error instanceof RegistryError && error.retryAfterMs !== undefined)
    return Math.min(error.retryAfterMs, capMs);
  const ceiling = Math.min(capMs, (options.baseMs ?? 200) * 2 ** (attempt - 1));
  return ceiling / 2 + ((options.random ?? Math.random)() * ceiling) / 2;
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal });
}
