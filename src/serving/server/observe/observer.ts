import { IdSource, type SpanContext, type Tracer } from "../../plane/index.ts";
import type { Logger } from "../log/index.ts";
import type { Histogram, Labels, MetricRegistry } from "../../metrics/index.ts";
import type { LoggedBody, RequestLog } from "./request-log.ts";

/** A request that was answered, over whatever transport. */
export interface AnsweredRequest {
  /** `predictions`, `feedback`, or the name of another method; few different ones. */
  readonly endpoint: string;
  /** `post` and `get` over HTTP, `unary` over gRPC, as Seldon's executor has it. */
  readonly method: string;
  /** HTTP path or gRPC method. */
  readonly path: string;
  /** HTTP status, or the name of a gRPC one. */
  readonly code: string;
  readonly isError: boolean;
  /** In ms of `performance.now()`. */
  readonly startedAt: number;
  readonly requestId: string | undefined;
  /** What `begin` gave. */
  readonly span: SpanContext | undefined;
  /** Made when the request log asks for them, and not otherwise. */
  readonly request: () => LoggedBody;
  readonly response: () => LoggedBody;
}

export interface ObserverOptions {
  readonly registry: MetricRegistry;
  /** On every series. */
  readonly labels: Labels;
  readonly tracer: Tracer | undefined;
  readonly requestLog: RequestLog | undefined;
  /** Gets a line for each request, when there is one. */
  readonly accessLog: Logger | undefined;
}

/** Upper ends in seconds, as in Seldon's executor, and below them some for servers that are faster. */
const LATENCY_BOUNDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];
const LATENCY = {
  name: "seldon_api_executor_server_requests_seconds",
  help: "Time from a request's head to its answer, by endpoint",
  bounds: LATENCY_BOUNDS,
};

/** Sees every request: counts it, and logs and traces it when that is switched on. */
export class Observer {
  readonly #options: ObserverOptions;
  readonly #latencies = new Map<string, Histogram>();
  readonly #prefix: string = new IdSource().next(5);
  #count = 0;

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  /** An id for a request that brought none; no two are equal. */
  nextRequestId(): string {
    this.#count += 1;
    return `${this.#prefix}-${this.#count.toString(36)}`;
  }

  /** The span of a request that came with this `traceparent`; undefined when tracing is off. */
  begin(traceparent: string | undefined): SpanContext | undefined {
    return this.#options.tracer?.begin(traceparent);
  }

  /** To be called once for each request, after its answer was handed over. */
  end(answered: AnsweredRequest): void {
    const durationMs = performance.now() - answered.startedAt;
    this.#latency(answered).observe(durationMs / 1000);
    const { accessLog, requestLog } = this.#options;
    if (answered.span !== undefined) this.#endSpan(answered, answered.span);
    if (accessLog !== undefined) this.#log(accessLog, answered, durationMs);
    if (requestLog?.draws() !== true) return;
    const { endpoint, code, requestId = "", request } = answered;
    requestLog.add({
      id: requestId,
      endpoint,
      code,
      durationMs,
      atMs: Date.now(),
      request: request(),
      response: answered.response(),
    });
  }

  #latency({ endpoint, method, code }: AnsweredRequest): Histogram {
    const key = `${endpoint} ${method} ${code}`;
    let found = this.#latencies.get(key);
    if (found === undefined) {
      found = this.#options.registry.histogram(LATENCY, {
        ...this.#options.labels,
        service: endpoint,
        method,
        code,
      });
      this.#latencies.set(key, found);
    }
    return found;
  }

  #endSpan(
    { endpoint, method, path, code, isError, startedAt, requestId }: AnsweredRequest,
    context: SpanContext,
  ): void {
    const isHttp = method !== "unary";
    const protocol = isHttp
      ? {
          "http.request.method": method.toUpperCase(),
          "url.path": path,
          "http.route": path,
          "http.response.status_code": Number(code),
        }
      : { "rpc.system": "grpc", "rpc.method": path, "rpc.grpc.status": code };
    this.#options.tracer?.end(context, {
      name: isHttp ? `${method.toUpperCase()} ${path}` : path,
      kind: "server",
      startedAt,
      attributes: {
        ...protocol,
        "slipway.endpoint": endpoint,
        ...(requestId !== undefined && { "seldon.puid": requestId }),
      },
      ...(isError && { error: code }),
    });
  }

  #log(
    log: Logger,
    { endpoint, method, path, code, requestId, span }: AnsweredRequest,
    durationMs: number,
  ): void {
    log.info(
      {
        puid: requestId,
        endpoint,
        method,
        path,
        code,
        durationMs: Math.round(durationMs * 1000) / 1000,
        trace_id: span?.traceId,
      },
      "request",
    );
  }
}
