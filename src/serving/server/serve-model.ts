import type { CallOptions } from "../../ground/bytes/index.ts";
import { connectionCap, defaultBodyBudget } from "../../ground/http/index.ts";
import { parseYaml, type ModelDescription, type Ports } from "../../models/description/index.ts";
import { nodeOf, type JsonNode } from "../protocols/index.ts";
import { ComponentError, ModelRepository, type ServedModel } from "../plane/index.ts";
import type { ClassParameter } from "../runtime/index.ts";
import {
  startHttpServer,
  type Exchange,
  type HttpServerOptions,
  type Reply,
  type Route,
  type TlsFiles,
} from "./http/index.ts";
import { listenGrpc } from "./listen-grpc.ts";
import { loadPredictor } from "./load-predictor.ts";
import { createLogger, type Logger } from "./log/index.ts";
import { MetricRegistry } from "./metrics/index.ts";
import {
  createObservation,
  registerServerMetrics,
  type Observation,
  type ObserveSettings,
  type Observer,
  type ServerMetrics,
} from "./observe/index.ts";
import { reload } from "./reloader.ts";
import { runningServer, type RunningServer, type Stoppable } from "./running-server.ts";
import { SeldonApi } from "./seldon/seldon-api.ts";
import { refuse, seldonRoutes } from "./seldon/seldon-routes.ts";
import { DEFAULT_SELDON_SETTINGS, nodeLabels, type SeldonSettings } from "./seldon/settings.ts";
import { uaiRoutes } from "./uai/index.ts";
import { watchSources, type SourceWatch } from "./watch-sources.ts";

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
  /** For REST and gRPC; the metrics port stays plain. */
  readonly tls?: TlsFiles | undefined;
  /** Of one gRPC message. Default: that of a body; 4 MiB in strict mode, as in the wrapper. */
  readonly grpcMaxMessageBytes?: number | undefined;
  /** What is logged and traced of requests. Default: nothing. */
  readonly observe?: ObserveSettings;
  /** Loads the code anew when its files change. Default false. */
  readonly watch?: boolean;
}

const DEFAULT_BODY_BYTES = 104_857_600;
const STRICT_MESSAGE_BYTES = 4_194_304;
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
/** As many as a worker keeps of an id. */
const MAX_ID_CHARACTERS = 128;
/** A description speaks of one version of its model. */
const VERSION = "1";
const TEXT = "text/plain; charset=utf-8";

/**
 * Loads a model and serves it. Resolves when it answers; nothing listens before the model is loaded.
 * @throws InferenceError `MODEL_LOAD_FAILED`, `RUNTIME_MISSING`; ToolError `PORT_TAKEN`
 */
export async function serveModel(
  description: ModelDescription,
  options: ServeOptions = {},
): Promise<RunningServer> {
  const parts = createParts(description, options);
  const { models, log, observation } = parts;
  const watch =
    options.watch === true
      ? await watchSources({
          paths: [description.codePath, description.modelPath].filter((path) => path !== undefined),
        })
      : undefined;
  const servers: Stoppable[] = [];
  try {
    await parts.load();
    const api = await createApi(parts);
    const ports = await listen({ parts, api, servers });
    startWatch(parts, watch);
    log.info({ model: description.name, kind: description.kind, ports }, "ready");
    return runningServer({
      ports,
      models,
      servers,
      log,
      closers: [() => watch?.close(), async () => observation[Symbol.asyncDispose]()],
    });
  } catch (error) {
    watch?.close();
    servers.forEach((server) => server.cut());
    await models[Symbol.asyncDispose]();
    throw error;
  }
}

/** What the pieces of one server share. */
interface Parts {
  readonly description: ModelDescription;
  readonly options: ServeOptions;
  readonly settings: SeldonSettings;
  readonly log: Logger;
  readonly registry: MetricRegistry;
  readonly observation: Observation;
  readonly metrics: ServerMetrics;
  readonly models: ModelRepository;
  readonly model: ServedModel;
  readonly load: () => Promise<void>;
}

function createParts(description: ModelDescription, options: ServeOptions): Parts {
  const {
    log = createLogger(),
    observe = {},
    parameters = [],
    logLevel = "INFO",
    threads = 1,
    env,
    signal,
  } = options;
  const settings = { ...DEFAULT_SELDON_SETTINGS, ...options.seldon };
  const registry = new MetricRegistry();
  const labels = requestLabels(settings, description.name);
  const source = {
    model: labels.model_name,
    deployment: settings.deploymentName,
    endpoint: settings.predictorName,
  };
  const observation = createObservation({ settings: observe, registry, labels, log, source });
  const models = new ModelRepository();
  const metrics = registerServerMetrics(registry, { model_name: labels.model_name }, () => {
    const { spansLost, requestLogLost } = observation;
    return { isReady: model.isReady, stats: model.stats, spansLost, requestLogLost };
  });
  const onRestart = (event: {
    readonly worker: number;
    readonly reason: string;
    readonly delayMs: number;
  }): void => {
    metrics.restarts.value += 1;
    log.warn(event, "a worker ended and is started again");
  };
  const model = models.add({
    name: description.name,
    version: VERSION,
    labels,
    load: () =>
      loadPredictor(description, {
        settings,
        parameters,
        logLevel,
        threads,
        env,
        signal,
        log,
        onRestart,
        onBatch: (rows) => metrics.batchRows.observe(rows),
        tracer: observation.tracer,
      }),
  });
  const load = (): Promise<void> => models.load(model.name, model.version);
  return {
    ...{ description, options, settings, log, registry, observation, metrics },
    ...{ models, model, load },
  };
}

/** The labels of Seldon's executor that say which model it was. */
function requestLabels(
  settings: SeldonSettings,
  model: string,
): Readonly<
  Record<
    | "deployment_name"
    | "predictor_name"
    | "predictor_version"
    | "model_name"
    | "model_image"
    | "model_version",
    string
  >
> {
  const {
    deployment_name = "",
    predictor_name = "",
    predictor_version = "",
    model_image = "",
    model_version = "",
  } = nodeLabels(settings);
  return {
    deployment_name,
    predictor_name,
    predictor_version,
    model_name: settings.unitId ?? model,
    model_image,
    model_version,
  };
}

async function createApi({
  model,
  settings,
  registry,
  log,
  description,
}: Parts): Promise<SeldonApi> {
  const metadataFromEnv = await readMetadata(settings.modelMetadata, log);
  const { signature } = description;
  return new SeldonApi({
    model,
    settings,
    registry,
    metadataFromEnv,
    signature,
    onFailure: (error, failure, requestId) =>
      logFailure(log, { error, isBug: failure.isBug, requestId }),
  });
}

function startWatch({ model, load, metrics, log }: Parts, watch: SourceWatch | undefined): void {
  watch?.run(async (files) => {
    if (model.state !== "stopping") await reload({ load, metrics, log }, files);
  });
}

interface Listening {
  readonly parts: Parts;
  readonly api: SeldonApi;
  readonly servers: Stoppable[];
}

async function listen({ parts, api, servers }: Listening): Promise<Ports> {
  const { options, description, registry, observation } = parts;
  const { host = "0.0.0.0", tls, metricsPath = "/metrics" } = options;
  const wanted = { ...description.ports, ...options.ports };
  const maxBodyBytes = description.server.maxBodyBytes ?? DEFAULT_BODY_BYTES;
  const maxMessageBytes =
    options.grpcMaxMessageBytes ?? (parts.settings.isStrict ? STRICT_MESSAGE_BYTES : maxBodyBytes);
  const refused = (exchange: Exchange, why: Parameters<typeof refuse>[2]): void =>
    refuse(api, exchange, why);
  const page: Route = {
    methods: ["GET"],
    handle: (exchange) =>
      exchange.reply({
        status: 200,
        contentType: METRICS_TYPE,
        body: Buffer.from(registry.text()),
      }),
  };
  const routes = new Map([
    ...seldonRoutes(api),
    ...probeRoutes(parts.model),
    ...ownRoutes(parts, api),
    ["/metrics", page],
    ["/prometheus", page],
  ] as const);
  const shared = { host, maxBodyBytes, bodies: defaultBodyBudget(maxBodyBytes) };
  const main = await startHttpServer({
    ...shared,
    port: wanted.http,
    maxConnections: connectionCap(0.5),
    routes,
    tls,
    refuse: refused,
    ...watched(observation.observer),
  });
  servers.push(main);
  const grpc =
    wanted.grpc === undefined
      ? undefined
      : await listenGrpc({
          host,
          port: wanted.grpc,
          maxMessageBytes,
          bodies: shared.bodies,
          maxConnections: connectionCap(0.3),
          tls,
          api,
          observer: observation.observer,
        });
  if (grpc !== undefined) servers.push(grpc);
  const ports = { http: main.port, ...(grpc !== undefined && { grpc: grpc.port }) };
  if (wanted.metrics === undefined) return ports;
  const pages = new Map([
    ...probeRoutes(parts.model),
    ["/metrics", page],
    ["/prometheus", page],
    [metricsPath, page],
  ]);
  const notFound = (exchange: Exchange): void =>
    exchange.reply({ status: 404, contentType: TEXT, body: "not found\n" });
  const metrics = await startHttpServer({
    ...shared,
    port: wanted.metrics,
    maxConnections: connectionCap(0.1),
    routes: pages,
    refuse: notFound,
  });
  servers.push(metrics);
  return { ...ports, metrics: metrics.port };
}

/** What the description's contract has beside the routes of all servers. */
function ownRoutes(
  { description, model }: Parts,
  api: SeldonApi,
): readonly (readonly [string, Route])[] {
  if (description.contract !== "uai") return [];
  return uaiRoutes({
    infer: (request) => model.predictor.infer(request),
    failure: (error, requestId) => api.failure(error, requestId),
  });
}

/** `/live`: the process answers. `/ready`: a request made now would reach a model. Neither asks user code. */
function probeRoutes(model: ServedModel): readonly (readonly [string, Route])[] {
  const live: Route = {
    methods: ["GET"],
    handle: (exchange) => exchange.reply({ status: 200, contentType: TEXT, body: "live\n" }),
  };
  const ready: Route = {
    methods: ["GET"],
    handle: (exchange) =>
      exchange.reply({
        status: model.isReady ? 200 : 503,
        contentType: TEXT,
        body: `${model.reason}\n`,
      }),
  };
  return [
    ["/live", live],
    ["/ready", ready],
  ];
}

/** Shows every request to a named route to the observer. */
function watched(observer: Observer): Pick<HttpServerOptions, "onRequest" | "onAnswer"> {
  return {
    onRequest: (exchange) => {
      exchange.requestId =
        exchange.header("seldon-puid")?.slice(0, MAX_ID_CHARACTERS) ?? observer.nextRequestId();
      exchange.span = observer.begin(exchange.header("traceparent"));
    },
    onAnswer: (exchange, reply) => {
      if (exchange.endpoint !== undefined)
        observer.end(answeredOf(exchange, exchange.endpoint, reply));
    },
  };
}

/** What labels of metrics call a method; the rest is reading. */
const METHOD_LABELS: ReadonlyMap<string, string> = new Map([
  ["POST", "post"],
  ["PUT", "put"],
]);

function answeredOf(
  exchange: Exchange,
  endpoint: string,
  { status, body, contentType }: Reply,
): Parameters<Observer["end"]>[0] {
  const { path, startedAt, requestId, span } = exchange;
  return {
    endpoint,
    path,
    startedAt,
    requestId,
    span,
    method: METHOD_LABELS.get(exchange.request.method ?? "") ?? "get",
    code: String(status),
    isError: status >= 500,
    request: () => ({ contentType: exchange.header("content-type") ?? "", bytes: exchange.body }),
    response: () => ({
      contentType,
      bytes: typeof body === "string" ? Buffer.from(body, "latin1") : body,
    }),
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

function logFailure(
  log: Logger,
  { error, isBug, requestId }: { error: unknown; isBug: boolean; requestId: string | undefined },
): void {
  const traceback = error instanceof ComponentError ? error.failure.traceback : undefined;
  const fields = {
    puid: requestId,
    err: isBug && error instanceof Error ? error : undefined,
    traceback,
  };
  log.error(fields, error instanceof Error ? error.message : String(error));
}
