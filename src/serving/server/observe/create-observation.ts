import { createHttpClient, type HttpClient } from "../../../ground/http/index.ts";
import { Tracer, TraceSettings, type EndedSpan } from "../../plane/index.ts";
import type { Logger } from "../log/index.ts";
import type { Labels, MetricRegistry } from "../../metrics/index.ts";
import { createFileSink, createHttpSink, type EventSource } from "./log-sinks.ts";
import { Observer } from "./observer.ts";
import { OtlpExporter } from "./otlp-exporter.ts";
import { RequestLog, type LogSink } from "./request-log.ts";
import type { ObserveSettings } from "./settings.ts";

export interface ObservationOptions {
  readonly settings: ObserveSettings;
  readonly registry: MetricRegistry;
  readonly labels: Labels;
  readonly log: Logger;
  /** Names for the events of the request log. */
  readonly source: Omit<EventSource, "namespace">;
}

/** Everything that watches requests, and its end: what waits is sent. */
export interface Observation extends AsyncDisposable {
  readonly observer: Observer;
  readonly tracer: Tracer;
  /** What is traced; may be changed. Without a collector nothing is at first, and spans are lines of the log. */
  readonly traces: TraceSettings;
  readonly spansLost: number;
  readonly requestLogLost: number;
}

/** Puts together what the settings ask for. Nothing is opened or sent before the first request. */
export function createObservation({
  settings,
  registry,
  labels,
  log,
  source,
}: ObservationOptions): Observation {
  const client = createHttpClient({ env: settings.proxyEnv });
  const exporter = exporterOf(settings, client, log);
  const { ratio, followsCaller } = settings.tracing?.sampler ?? { ratio: 1, followsCaller: false };
  const traces = new TraceSettings({ isOn: exporter !== undefined, ratio, count: -1 });
  const onEnd = (span: EndedSpan): void =>
    exporter === undefined ? logSpan(log, span) : exporter.add(span);
  const tracer = new Tracer({ settings: traces, followsCaller, onEnd });
  const requestLog = requestLogOf(settings, log, (url) =>
    createHttpSink(url, { ...source, namespace: settings.namespace }, client),
  );
  return {
    observer: new Observer({
      registry,
      labels,
      tracer,
      requestLog,
      accessLog: settings.logsRequests === true ? log : undefined,
    }),
    tracer,
    traces,
    get spansLost() {
      return exporter?.lost ?? 0;
    },
    get requestLogLost() {
      return requestLog?.lost ?? 0;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([exporter?.[Symbol.asyncDispose](), requestLog?.[Symbol.asyncDispose]()]);
      client[Symbol.dispose]();
    },
  };
}

/** A span as a line of the log, where no collector takes it. */
function logSpan(
  log: Logger,
  { context, name, startMs, endMs, attributes, error }: EndedSpan,
): void {
  const { traceId, spanId, parentId } = context;
  const fields = {
    ...{ trace_id: traceId, span_id: spanId, parent_id: parentId, name },
    startedAt: new Date(startMs).toISOString(),
    durationMs: Math.round((endMs - startMs) * 1000) / 1000,
    ...{ attributes, error },
  };
  log.info(fields, "span");
}

function exporterOf(
  { tracing }: ObserveSettings,
  client: HttpClient,
  log: Logger,
): OtlpExporter | undefined {
  if (tracing === undefined) return undefined;
  return new OtlpExporter({
    settings: tracing.otlp,
    client,
    onFailure: (why, lost) => log.warn({ lost }, `export spans: ${why}`),
  });
}

function requestLogOf(
  { requestLog }: ObserveSettings,
  log: Logger,
  httpSink: (url: URL) => LogSink,
): RequestLog | undefined {
  if (requestLog === undefined) return undefined;
  const sink = /^https?:/i.test(requestLog.target)
    ? httpSink(new URL(requestLog.target))
    : createFileSink(requestLog.target);
  return new RequestLog({
    settings: requestLog,
    sink,
    onFailure: (why, lost) => log.warn({ lost }, `log requests: ${why}`),
  });
}
