import { setTimeout as wait } from "node:timers/promises";

/** How requests are sent: so many at a time, each behind its answer; or so many a second, whether answers come or not. */
export type Load =
  | { readonly kind: "closed"; readonly connections: number }
  | { readonly kind: "open"; readonly requestsPerSecond: number };

export interface MeasureRequest {
  readonly load: Load;
  /** Before anything is counted, in ms. */
  readonly warmUpMs: number;
  /** In ms. */
  readonly durationMs: number;
  /** Sends one request. False where it was refused or failed. */
  readonly send: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

/** What came of one load. Times in ms. */
export interface Measured {
  readonly load: Load;
  /** Answered with success in the time that counts. */
  readonly requests: number;
  readonly failures: number;
  readonly requestsPerSecond: number;
  readonly percentiles: Readonly<Record<PercentileName, number>>;
  /** Of every counted request, ascending. */
  readonly latencies: Float64Array;
}

export const PERCENTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, max: 1 } as const;
export type PercentileName = keyof typeof PERCENTILES;

/** Requests of an open load that may be on their way at the same time; more are counted as failures. */
const MAX_UNDER_WAY = 4096;

/**
 * Puts a load on a server and measures it. With an open load the time counts from when a request was due, so that a server that stands
 * still is not measured as quick.
 */
export async function measure(request: MeasureRequest): Promise<Measured> {
  const { load, warmUpMs, durationMs, signal } = request;
  const counts = { failures: 0 };
  const latencies: number[] = [];
  const startsAt = performance.now();
  const from = startsAt + warmUpMs;
  const until = from + durationMs;
  const once = async (dueAt: number): Promise<void> => {
    const isDone = await request.send();
    const now = performance.now();
    if (now < from || now > until) return;
    if (isDone) latencies.push(now - dueAt);
    else counts.failures += 1;
  };
  if (load.kind === "closed") await closedLoop(load.connections, { until, once, signal });
  else await openLoop(load.requestsPerSecond, { until, once, signal, counts });
  signal.throwIfAborted();
  const sorted = Float64Array.from(latencies).sort();
  return {
    ...{ load, requests: sorted.length, failures: counts.failures, latencies: sorted },
    requestsPerSecond: (1000 * sorted.length) / durationMs,
    percentiles: percentilesOf(sorted),
  };
}

interface Loop {
  readonly until: number;
  readonly once: (dueAt: number) => Promise<void>;
  readonly signal: AbortSignal;
}

async function closedLoop(connections: number, { until, once, signal }: Loop): Promise<void> {
  const turn = async (): Promise<void> => {
    while (performance.now() < until && !signal.aborted) await once(performance.now());
  };
  await Promise.all(Array.from({ length: connections }, turn));
}

async function openLoop(
  rate: number,
  { until, once, signal, counts }: Loop & { readonly counts: { failures: number } },
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const startedAt = performance.now();
  for (let sent = 0; !signal.aborted; sent += 1) {
    const dueAt = startedAt + (1000 * sent) / rate;
    if (dueAt > until) break;
    const ahead = dueAt - performance.now();
    if (ahead > 1) await wait(ahead, undefined, { signal });
    if (underWay.size >= MAX_UNDER_WAY) {
      counts.failures += 1;
      await Promise.race(underWay);
      continue;
    }
    const one = once(dueAt).finally(() => underWay.delete(one));
    underWay.add(one);
  }
  await Promise.all(underWay);
}

function percentilesOf(sorted: Float64Array): Measured["percentiles"] {
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
  const { p50, p90, p95, p99, max } = PERCENTILES;
  return { p50: at(p50), p90: at(p90), p95: at(p95), p99: at(p99), max: at(max) };
}
