/** Waits for work that several callers share: one caller's abort ends that caller's wait, not the work. */
export async function waitFor<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Makes a value once, for all who ask; a failure is forgotten, so that the next one tries again. */
export function createOnce<T>(make: () => Promise<T>): (signal?: AbortSignal) => Promise<T> {
  let made: Promise<T> | undefined;
  return (signal) => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return waitFor(made, signal);
  };
}
