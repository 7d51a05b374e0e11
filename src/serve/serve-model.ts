import { InferenceError } from "../errors/index.ts";
import type { CallOptions } from "../internal/index.ts";
import { parseYaml, type ModelDescription, type Ports } from "../model/index.ts";
import { nodeOf, type JsonNode } from "../protocol/index.ts";
import type { ClassParameter } from "../runtime/index.ts";
import { startHttpServer, type Exchange, type HttpServer, type Route, type TlsFiles } from "./http/index.ts";
import { InferenceService } from "./inference-service.ts";
import { loadComponent } from "./load-component.ts";
import { createLogger, type Logger } from "./log/index.ts";
import { MetricRegistry } from "./metrics/index.ts";
import { SeldonApi } from "./seldon/seldon-api.ts";
import { refuse, seldonRoutes } from "./seldon/seldon-routes.ts";
import { DEFAULT_SELDON_SETTINGS, type SeldonSettings } from "./seldon/settings.ts";

export interface ServeOptions extends CallOptions {
  /** Address to listen on. Default `0.0.0.0`. */
  readonly host?: string;
  /** Over those of the description; 0 takes a free one. */
  readonly ports?: Partial<Ports>;
  /** Over `DEFAULT_SELDON_SETTINGS`. */
  readonly seldon?: Partial<SeldonSettings>;
  /** Keyword arguments of the user's class. Default none. */
  readonly parameters?: readonly ClassParameter[];
  /** Path of the metrics page on the metrics port. Default `/metrics`. */
  readonly metricsPath?: string;
  /** Default: JSON lines on standard output. */
  readonly log?: Logger;
  /** Level of user code's own logging, a name of Python's. Default `INFO`. */
  readonly logLevel?: string;
  /** Calls of user code at the same time in one worker. Default 1. */
  readonly threads?: number;
  /** Whole environment of worker processes. Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly tls?: TlsFiles;
  /** Calls that may wait for a worker; more are refused with 429. Default 1024. */
  readonly maxQueue?: number;
  /** Private memory at which a worker is ended, in bytes. Default: no limit. */
  readonly memoryBytes?: number;
}

/** A server that answers. */
export interface RunningServer extends AsyncDisposable {
  readonly ports: Ports;
  readonly service: InferenceService;
  /**
   * Not ready from now on; after `delayMs` (for load balancers to notice; default 0) takes no new connections, answers what is
   * under way for at most `graceMs` (default 25,000), then ends the workers.
   */
  stop(options?: { readonly delayMs?: number; readonly graceMs?: number }): Promise<void>;
}

const DEFAULT_BODY_BYTES = 104_857_600;
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Loads a model and serves it. Resolves when it answers; nothing listens before the model is loaded.
 * @throws InferenceError `MODEL_LOAD_FAILED`, `RUNTIME_MISSING`; ToolError `PORT_TAKEN`
 */
export async function serveModel(description: ModelDescription, options: ServeOptions = {}): Promise<RunningServer> {
  const log = options.log ?? createLogger();
  const settings = { ...DEFAULT_SELDON_SETTINGS, ...options.seldon };
  const service = new InferenceService(description.name);
  const { parameters = [], logLevel = "INFO", threads = 1, env, maxQueue, memoryBytes, signal } = options;
  service.use(await loadComponent(description, { settings, parameters, logLevel, threads, env, maxQueue, memoryBytes, signal, log }));
  const registry = new MetricRegistry();
  const metadataFromEnv = await readMetadata(settings.modelMetadata, log);
  const { signature } = description;
  const api = new SeldonApi({ service, settings, registry, metadataFromEnv, signature, onFailure: (error, failure) => logFailure(log, { error, isBug: failure.isBug }) });
  const servers: HttpServer[] = [];
  try {
    const ports = await listen({ description, options, api, registry, servers });
    log.info({ model: description.name, kind: description.kind, ports }, "ready");
    return runningServer({ ports, service, servers, log });
  } catch (error) {
    servers.forEach((server) => server.cut());
    await service[Symbol.asyncDispose]();
    throw error;
  }
}

interface Listening {
  readonly description: ModelDescription;
  readonly options: ServeOptions;
  readonly api: SeldonApi;
  readonly registry: MetricRegistry;
  readonly servers: HttpServer[];
}

async function listen({ description, options, api, registry, servers }: Listening): Promise<Ports> {
  const { host = "0.0.0.0", tls, metricsPath = "/metrics" } = options;
  const wanted = { ...description.ports, ...options.ports };
  const maxBodyBytes = description.server.maxBodyBytes ?? DEFAULT_BODY_BYTES;
  const refused = (exchange: Exchange, why: Parameters<typeof refuse>[2]): void => refuse(api, exchange, why);
  const page: Route = { methods: ["GET"], handle: (exchange) => exchange.reply({ status: 200, contentType: METRICS_TYPE, body: Buffer.from(registry.text()) }) };
  const routes = new Map([...seldonRoutes(api), ["/metrics", page], ["/prometheus", page]] as const);
  const main = await startHttpServer({ host, port: wanted.http, maxBodyBytes, routes, tls, refuse: refused });
  servers.push(main);
  if (wanted.metrics === undefined) return { http: main.port };
  const pages = new Map([[metricsPath, page]]);
  const notFound = (exchange: Exchange): void => exchange.reply({ status: 404, contentType: "text/plain; charset=utf-8", body: "not found\n" });
  const metrics = await startHttpServer({ host, port: wanted.metrics, maxBodyBytes, routes: pages, refuse: notFound });
  servers.push(metrics);
  return { http: main.port, metrics: metrics.port };
}

function runningServer({ ports, service, servers, log }: { ports: Ports; service: InferenceService; servers: readonly HttpServer[]; log: Logger }): RunningServer {
  let stopping: Promise<void> | undefined;
  const stop = async (delayMs: number, graceMs: number): Promise<void> => {
    service.drain();
    log.info({ delayMs, graceMs }, "stopping");
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    const timer = setTimeout(() => servers.forEach((server) => server.cut()), graceMs);
    await Promise.all(servers.map((server) => server.stop()));
    clearTimeout(timer);
    await service[Symbol.asyncDispose]();
    log.info({}, "stopped");
  };
  return {
    ports,
    service,
    stop: ({ delayMs = 0, graceMs = 25_000 } = {}) => (stopping ??= stop(delayMs, graceMs)),
    [Symbol.asyncDispose]: () => (stopping ??= stop(0, 5000)),
  };
}

async function readMetadata(text: string | undefined, log: Logger): Promise<JsonNode | undefined> {
  try {
    return text === undefined ? undefined : nodeOf(await parseYaml(text));
  } catch (error) {
    log.error({}, `read MODEL_METADATA: ${error instanceof Error ? error.message : String(error)}`);
    return undefined; // as in the wrapper: a model serves without it
  }
}

function logFailure(log: Logger, { error, isBug }: { error: unknown; isBug: boolean }): void {
  const traceback = error instanceof InferenceError && "failure" in error ? (error.failure as { traceback?: string }).traceback : undefined; // a ComponentError
  const fields = { err: isBug && error instanceof Error ? error : undefined, traceback };
  log.error(fields, error instanceof Error ? error.message : String(error));
}
