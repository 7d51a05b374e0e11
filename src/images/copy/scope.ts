import type { CallOptions } from "../../ground/bytes/index.ts";

/**
 * Runs a task with a signal of its own, which the task's own failure aborts as well: what it had started elsewhere ends
 * too. Rejects with the first failure, not with the aborts that followed from it.
 */
export async function withScope<T>(
  options: CallOptions,
  task: (scope: Scope) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const signal =
    options.signal === undefined
      ? controller.signal
      : AbortSignal.any([options.signal, controller.signal]);
  signal.throwIfAborted();
  return task({
    signal,
    async all(tasks) {
      let first: { readonly error: unknown } | undefined;
      const settled = await Promise.allSettled(
        tasks.map((running) =>
          running.catch((error: unknown) => {
            first ??= { error };
            controller.abort(error);
            throw error;
          }),
        ),
      );
      if (first !== undefined) throw first.error;
      return settled.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    },
  });
}

export interface Scope {
  readonly signal: AbortSignal;
  /** Waits until all have ended, well or not. @throws the failure that came first; the others are aborted by it. */
  all<T>(tasks: readonly Promise<T>[]): Promise<readonly T[]>;
}
