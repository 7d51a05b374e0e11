/** A limit that finds out by itself how many uploads at once are worth it. */
export interface AdaptiveLimit {
  run<T>(task: () => Promise<T>): Promise<T>;
  /** Told of bytes as they leave. */
  sent(bytes: number): void;
  /** The other side has asked for less, or is in trouble: half as many at once. */
  slowDown(): void;
  readonly current: number;
}

export interface AdaptiveLimitOptions {
  /** Default 4: what registries take without throttling. */
  readonly start?: number | undefined;
  /** Default 16. */
  readonly max?: number | undefined;
  /** Milliseconds from any fixed point. */
  readonly now?: (() => number) | undefined;
}

/** How long the throughput is measured before the next step. */
const WINDOW_MS = 1000;
/** One more is worth it as long as it brings at least a twentieth. */
const GAIN = 1.05;
/** No growth for this long after a slow-down. */
const CAUTION_MS = 10_000;

/**
 * Starts small; while there is a queue, adds one upload per second as long as the throughput grows by it. Falls to half on
 * `slowDown`, never below one. Running tasks are never ended.
 */
export function createAdaptiveLimit(options: AdaptiveLimitOptions = {}): AdaptiveLimit {
  const now = options.now ?? (() => performance.now());
  const max = Math.max(1, options.max ?? 16);
  const waiting: (() => void)[] = [];
  let limit = Math.min(options.start ?? 4, max);
  let running = 0;
  let best = 0;
  let window = { since: now(), bytes: 0 };
  let carefulUntil = 0;
  const admit = (): void => {
    while (running < limit) {
      const next = waiting.shift();
      if (next === undefined) return;
      running += 1;
      next();
    }
  };
  return {
    get current() {
      return limit;
    },
    async run(task) {
      if (running < limit) running += 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await task();
      } finally {
        running -= 1;
        admit();
      }
    },
    sent(bytes) {
      window.bytes += bytes;
      const elapsed = now() - window.since;
      if (elapsed < WINDOW_MS) return;
      const rate = window.bytes / elapsed;
      window = { since: now(), bytes: 0 };
      if (waiting.length === 0 || now() < carefulUntil) return;
      if (rate > best * GAIN) {
        best = rate;
        limit = Math.min(limit + 1, max);
        admit();
      }
    },
    slowDown() {
      limit = Math.max(1, Math.floor(limit / 2));
      best = 0;
      carefulUntil = now() + CAUTION_MS;
    },
  };
}
