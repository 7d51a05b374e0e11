import type { PredictorStats } from "../../plane/index.ts";
import type { Histogram, Labels, MetricRegistry, NumberSeries } from "../../metrics/index.ts";

/** What is asked whenever the page of metrics is. */
export interface ServerState {
  readonly isReady: boolean;
  /** Absent when the model keeps no count. */
  readonly stats: PredictorStats | undefined;
  /** Spans that never arrived. */
  readonly spansLost: number;
  /** Requests that are missing in the request log. */
  readonly requestLogLost: number;
}

/** Series that events move; the others are read off `ServerState`. */
export interface ServerMetrics {
  readonly restarts: NumberSeries;
  readonly reloads: NumberSeries;
  readonly failedReloads: NumberSeries;
  /** Rows of each call that several requests were joined into. */
  readonly batchRows: Histogram;
}

const BATCH_BOUNDS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** Registers the server's own metrics. */
export function registerServerMetrics(
  registry: MetricRegistry,
  labels: Labels,
  state: () => ServerState,
): ServerMetrics {
  const gauge = (name: string, help: string): NumberSeries =>
    registry.gauge(`slipway_${name}`, help, labels);
  const counter = (name: string, help: string): NumberSeries =>
    registry.counter(`slipway_${name}`, help, labels);
  const ready = gauge("ready", "1 when requests reach a model");
  const queued = gauge("queue_requests", "Requests that wait for a worker");
  const running = gauge("running_requests", "Requests inside workers");
  const inflight = gauge("inflight_requests", "Requests that wait for a worker or are inside one");
  const wait = gauge(
    "expected_wait_seconds",
    "Time that a request which comes now waits for a worker, by the last calls",
  );
  const workers = gauge("workers", "Workers that there should be");
  const workersReady = gauge("workers_ready", "Workers that answer");
  const spansLost = counter("spans_lost_total", "Spans that did not reach the collector");
  const logLost = counter("request_log_lost_total", "Requests that did not reach the request log");
  const collectProcess = registerProcessMetrics(registry);
  registry.onCollect(() => {
    const { isReady, stats, ...lost } = state();
    ready.value = isReady ? 1 : 0;
    queued.value = stats?.queued ?? 0;
    running.value = stats?.running ?? 0;
    inflight.value = queued.value + running.value;
    wait.value = stats === undefined ? 0 : expectedWaitSeconds(stats);
    workers.value = stats?.workers ?? 0;
    workersReady.value = stats?.ready ?? 0;
    spansLost.value = lost.spansLost;
    logLost.value = lost.requestLogLost;
    collectProcess();
  });
  return {
    restarts: counter("worker_restarts_total", "Workers started in place of one that died"),
    reloads: counter("reloads_total", "Times that new code took the place of old"),
    failedReloads: counter(
      "failed_reloads_total",
      "Times that new code did not load and the old went on",
    ),
    batchRows: registry.histogram(
      {
        name: "slipway_batch_rows",
        help: "Rows of the calls that requests were joined into",
        bounds: BATCH_BOUNDS,
      },
      labels,
    ),
  };
}

/** Until a worker is free for one request more: 0 while one is idle. */
function expectedWaitSeconds({ queued, running, workers, callMs = 0 }: PredictorStats): number {
  const ahead = Math.max(0, queued + running + 1 - workers);
  return (ahead * callMs) / Math.max(1, workers) / 1000;
}

/** Registers what the server's process takes. @returns brings the numbers up to date. */
function registerProcessMetrics(registry: MetricRegistry): () => void {
  const cpu = registry.counter(
    "process_cpu_seconds_total",
    "CPU time of the server, without its workers",
    {},
  );
  const resident = registry.gauge(
    "process_resident_memory_bytes",
    "Resident memory of the server, without its workers",
    {},
  );
  registry.gauge(
    "process_start_time_seconds",
    "Start of the server, in seconds since the epoch",
    {},
  ).value = Math.round(performance.timeOrigin / 1000);
  return () => {
    const { user, system } = process.cpuUsage();
    cpu.value = (user + system) / 1e6;
    resident.value = process.memoryUsage.rss();
  };
}
