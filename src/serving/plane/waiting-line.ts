import type { CallerOptions } from "./contracts.ts";

/** What is looked at of a call that waits. */
export type Urgency = Pick<CallerOptions, "priority" | "deadlineAt">;

/** Puts a call that has to wait before those that are less urgent, and behind its equals. */
export function takePlace<T>(queue: T[], item: T, urgencyOf: (item: T) => Urgency): void {
  const rank = (one: T): number => urgencyOf(one).priority ?? Infinity;
  const own = rank(item);
  let at = queue.length;
  if (own !== Infinity) while (at > 0 && rank(queue[at - 1] ?? item) > own) at -= 1;
  queue.splice(at, 0, item);
}

/** Takes the calls out of a queue whose answers would come too late for their callers, which is mostly none. */
export function takeLate<T>(queue: T[], urgencyOf: (item: T) => Urgency): readonly T[] {
  if (!queue.some((item) => urgencyOf(item).deadlineAt !== undefined)) return NONE;
  const now = performance.now();
  const late = queue.filter((item) => (urgencyOf(item).deadlineAt ?? Infinity) <= now);
  for (const item of late) queue.splice(queue.indexOf(item), 1);
  return late;
}

const NONE: readonly never[] = [];
