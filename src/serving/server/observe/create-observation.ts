import { createHttpClient, type HttpClient } from "../../../ground/http/index.ts";
import { Tracer } from "../../plane/index.ts";
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
  readonly tracer: Tracer | undefined;
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
  const tracer =
    settings.tracing === undefined || exporter === undefined
      ? undefined
      : new Tracer({ sampler: settings.tracing.sampler, onEnd: (span) => exporter.add(span) });
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
