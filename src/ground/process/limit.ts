/** Runs tasks, at most `count` at once, in the order they were given. */
export type Limit = <T>(task: () => Promise<T>) => Promise<T>;

/** Makes a `Limit`. `count` is at least 1. The queue holds closures only; callers bound its length. */
export function createLimit(count: number): Limit {
  const waiting: (() => void)[] = [];
  let running = 0;
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  };
  return async (task) => {
    if (running < count) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      release();
    }
  };
}

/**
 * Maps with at most `count` tasks at once; results keep the order of `items`.
 * The first failure rejects, and no further task is started after it.
 */
export async function mapLimited<T, R>(
  items: readonly T[],
  count: number,
  task: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = Array.from({ length: items.length });
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (next < items.length && !failed) {
      const index = next++;
      try {
        results[index] = await task(items[index] as T, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(
    Array.from({ length: Math.min(count, items.length) }, lane),
  );
  for (const outcome of lanes) if (outcome.status === "rejected") throw outcome.reason;
  return results;
}
