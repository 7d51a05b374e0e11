/** One series of Prometheus' text form. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const REQUESTS = "seldon_api_executor_server_requests_seconds";
/** Endpoints that call no model. */
const ASIDE = /metadata|health|repository|status/;

/** Counters and gauges at one moment. */
export interface Snapshot {
  /** In ms of `performance.now()`. */
  readonly at: number;
  readonly requests: number;
  readonly failures: number;
  /** Requests by the upper end of their duration in seconds, cumulative, ascending. */
  readonly durations: readonly (readonly [bound: number, count: number])[];
  readonly batches: number;
  readonly batchRows: number;
  readonly queued: number;
  readonly running: number;
  readonly workers: number;
  readonly workersReady: number;
}

/** Reads the page of metrics: requests of the whole server, and what is known of one model. */
export function readSnapshot(text: string, model: string, at: number): Snapshot {
  const samples = text.split("\n").flatMap(parseLine);
  const calls = samples.filter(
    ({ name, labels }) => name.startsWith(REQUESTS) && !ASIDE.test(labels["service"] ?? ""),
  );
  const sum = (list: readonly Sample[]): number =>
    list.reduce((total, { value }) => total + value, 0);
  const own = (name: string): number =>
    sum(samples.filter((one) => one.name === name && one.labels["model_name"] === model));
  const counts = calls.filter(({ name }) => name === `${REQUESTS}_count`);
  const bounds = new Map<number, number>();
  for (const { name, labels, value } of calls) {
    if (name !== `${REQUESTS}_bucket`) continue;
    const bound = labels["le"] === "+Inf" ? Infinity : Number(labels["le"]);
    bounds.set(bound, (bounds.get(bound) ?? 0) + value);
  }
  return {
    at,
    requests: sum(counts),
    failures: sum(counts.filter(({ labels }) => /^[45]/.test(labels["code"] ?? ""))),
    durations: [...bounds].sort(([one], [other]) => one - other),
    batches: own("slipway_batch_rows_count"),
    batchRows: own("slipway_batch_rows_sum"),
    queued: own("slipway_queue_requests"),
    running: own("slipway_running_requests"),
    workers: own("slipway_workers"),
    workersReady: own("slipway_workers_ready"),
  };
}

function parseLine(line: string): readonly Sample[] {
  const [, name, labels = "", value] = LINE.exec(line) ?? [];
  if (name === undefined || value === undefined) return [];
  const pairs = [...labels.matchAll(LABEL)].map(([, key = "", text = ""]) => [key, text] as const);
  return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
}

/** What happened between two moments. Undefined where nothing was asked, so that nothing can be said. */
export interface Interval {
  readonly requestsPerSecond: number;
  readonly failuresPerSecond: number;
  /** In ms. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly p99: number | undefined;
  readonly rowsPerBatch: number | undefined;
  readonly queued: number;
  readonly running: number;
  readonly workers: number;
  readonly workersReady: number;
}

/** The difference of two snapshots; undefined when the server was started anew between them. */
export function intervalOf(before: Snapshot, after: Snapshot): Interval | undefined {
  const seconds = (after.at - before.at) / 1000;
  const requests = after.requests - before.requests;
  if (requests < 0 || seconds <= 0) return undefined;
  const batches = after.batches - before.batches;
  const old = new Map(before.durations);
  const durations = after.durations.map(
    ([bound, count]) => [bound, count - (old.get(bound) ?? 0)] as const,
  );
  const { queued, running, workers, workersReady } = after;
  return {
    requestsPerSecond: requests / seconds,
    failuresPerSecond: (after.failures - before.failures) / seconds,
    p50: quantile(durations, 0.5),
    p95: quantile(durations, 0.95),
    p99: quantile(durations, 0.99),
    rowsPerBatch: batches > 0 ? (after.batchRows - before.batchRows) / batches : undefined,
    ...{ queued, running, workers, workersReady },
  };
}

/** As Prometheus' `histogram_quantile` does it: evenly inside a bucket. In ms. */
function quantile(
  durations: readonly (readonly [bound: number, count: number])[],
  share: number,
): number | undefined {
  const total = durations.at(-1)?.[1] ?? 0;
  if (total <= 0) return undefined;
  const wanted = share * total;
  let [low, under] = [0, 0];
  for (const [bound, count] of durations) {
    if (count >= wanted) {
      if (bound === Infinity) return low * 1000;
      return 1000 * (low + ((bound - low) * (wanted - under)) / Math.max(count - under, 1e-9));
    }
    [low, under] = [bound, count];
  }
  return low * 1000;
}
