import { run, type RunOptions } from "./process.ts";

/**
 * Runs a program and gives its standard output as it comes; the program waits while nobody reads. A clean end means
 * that it ended with exit code 0. Leaving early ends the program.
 * @throws as `run`, in place of a clean end.
 */
export async function* runStream(
  command: readonly [string, ...string[]],
  options: Omit<RunOptions, "onStdout"> = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const left = new AbortController();
  const signal =
    options.signal === undefined ? left.signal : AbortSignal.any([options.signal, left.signal]);
  const hand = createHandOver();
  const ended = run(command, { ...options, signal, onStdout: (chunk) => hand.give(chunk) }).then(
    () => hand.close(),
    (error: unknown) => hand.fail(error),
  );
  try {
    yield* hand.take();
  } finally {
    left.abort();
    hand.leave();
    await ended;
  }
}

/** One chunk at a time from a giver to a taker. */
function createHandOver() {
  let chunk: Uint8Array | undefined;
  let isClosed = false;
  let failure: { readonly error: unknown } | undefined;
  let wake = (): void => undefined;
  let taken = (): void => undefined;
  let isLeft = false;
  return {
    give(next: Uint8Array): Promise<void> {
      if (isLeft) return Promise.resolve();
      chunk = next;
      const wait = new Promise<void>((resolve) => (taken = resolve));
      wake();
      return wait;
    },
    close(): void {
      isClosed = true;
      wake();
    },
    fail(error: unknown): void {
      failure = { error };
      wake();
    },
    leave(): void {
      isLeft = true;
      taken();
    },
    async *take(): AsyncGenerator<Uint8Array, void, undefined> {
      for (;;) {
        if (chunk !== undefined) {
          const current = chunk;
          chunk = undefined;
          yield current;
          taken();
        } else if (failure !== undefined) throw failure.error;
        else if (isClosed) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
