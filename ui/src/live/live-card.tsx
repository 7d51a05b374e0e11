import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { formatMs, formatNumber } from "../format.ts";
import type { ModelDocument } from "../server.ts";
import { askServer } from "../ask-server.ts";
import { whileVisible } from "../while-visible.ts";
import { useWords } from "../words.ts";
import { Chart } from "./chart.tsx";
import { intervalOf, readSnapshot, type Interval, type Snapshot } from "./read-metrics.ts";

const EVERY_MS = 2000;
/** Two minutes. */
const MAX_POINTS = 60;

/** Numbers of the server as they change. */
export function LiveCard({
  model,
  isAlone,
}: {
  readonly model: ModelDocument;
  readonly isAlone: boolean;
}): JSX.Element {
  const words = useWords();
  const seen = usePoints(model.name);
  return (
    <section class="card" aria-labelledby="live">
      <div class="card-head">
        <h2 id="live">{words.live}</h2>
        <span class="quiet">{isAlone ? words.liveHint : `${words.liveHint} ${words.liveAll}`}</span>
      </div>
      <div class="charts">
        <RequestsChart {...seen} />
        <LatencyChart {...seen} />
        <BatchChart {...seen} isOff={!model.joinsRows || model.limits.maxBatch < 2} />
        <WorkCharts {...seen} />
      </div>
    </section>
  );
}

interface Seen {
  /** Of each of the last intervals, oldest first. */
  readonly points: readonly Interval[];
  /** Absent until the server was asked once. */
  readonly now: Snapshot | undefined;
}

type Quantile = (point: Interval) => number | undefined;

function RequestsChart({ points }: Seen): JSX.Element {
  const words = useWords();
  const { requestsPerSecond = 0, failuresPerSecond = 0 } = points.at(-1) ?? {};
  return (
    <Chart
      title={words.requests}
      value={formatNumber(requestsPerSecond)}
      unit={words.perSecond}
      lines={[
        points.map((point) => point.requestsPerSecond),
        points.map((point) => point.failuresPerSecond),
      ]}
      note={`${words.failures}: ${formatNumber(failuresPerSecond)}`}
      isFailing={failuresPerSecond > 0}
    />
  );
}

const QUANTILES: readonly Quantile[] = [({ p50 }) => p50, ({ p95 }) => p95, ({ p99 }) => p99];

function LatencyChart({ points }: Seen): JSX.Element {
  const words = useWords();
  const last = points.findLast(({ p50 }) => p50 !== undefined);
  const [p50 = "–", p95, p99] =
    last === undefined ? [] : QUANTILES.map((pick) => formatMs(pick(last) ?? 0));
  return (
    <Chart
      title={words.latency}
      value={p50}
      unit="p50"
      lines={QUANTILES.map((pick) => points.map(pick))}
      note={last === undefined ? words.nothingYet : `p95 ${p95 ?? ""} · p99 ${p99 ?? ""}`}
    />
  );
}

function BatchChart({ points, isOff }: Seen & { readonly isOff: boolean }): JSX.Element {
  const words = useWords();
  const last = points.findLast(({ rowsPerBatch }) => rowsPerBatch !== undefined);
  return (
    <Chart
      title={words.batch}
      value={last?.rowsPerBatch === undefined ? "–" : formatNumber(last.rowsPerBatch)}
      unit=""
      lines={[points.map(({ rowsPerBatch }) => rowsPerBatch)]}
      note={isOff ? `${words.batching}: ${words.batchOff}` : ""}
    />
  );
}

function WorkCharts({ points, now }: Seen): JSX.Element {
  const words = useWords();
  return (
    <>
      <Chart
        title={words.queue}
        value={now === undefined ? "–" : formatNumber(now.queued)}
        unit=""
        lines={[points.map(({ queued }) => queued), points.map(({ running }) => running)]}
        note={`${words.runningNow}: ${now?.running ?? 0}`}
      />
      <Chart
        title={words.working}
        value={now === undefined ? "–" : String(now.workersReady)}
        unit={now === undefined ? "" : words.ofWorkers(now.workers)}
        lines={[points.map(({ workersReady }) => workersReady)]}
        note=""
        isFailing={now !== undefined && now.workersReady < now.workers}
      />
    </>
  );
}

/** Asks for the numbers again and again. */
function usePoints(model: string): Seen {
  const [points, setPoints] = useState<readonly Interval[]>([]);
  const [now, setNow] = useState<Snapshot>();
  useEffect(() => {
    let before: Snapshot | undefined;
    return whileVisible(EVERY_MS, async (signal) => {
      try {
        const response = await askServer("/metrics", { signal });
        if (!response.ok) return;
        const after = readSnapshot(await response.text(), model, performance.now());
        const interval = before === undefined ? undefined : intervalOf(before, after);
        before = after;
        setNow(after);
        if (interval !== undefined) setPoints((all) => [...all.slice(1 - MAX_POINTS), interval]);
      } catch (error) {
        if (!(error instanceof TypeError) && !signal.aborted) throw error; // a server that is away is told of above
      }
    });
  }, [model]);
  return { points, now };
}
