import { mapLimited } from "../../ground/process/index.ts";
import { connectionCap, defaultBodyBudget } from "../../ground/http/index.ts";
import type { GraphFile, ModelDescription, Ports } from "../../models/description/index.ts";
import {
  countCalls,
  GraphExecutor,
  graphGrpcMethods,
  graphRoutes,
  refuseGraphRequest,
} from "../graph/index.ts";
import { MetricRegistry, type Labels } from "../metrics/index.ts";
import { ModelRepository, type PredictorStats } from "../plane/index.ts";
import { startHttpServer } from "../transport/index.ts";
import { createGraphPeers, type GraphPeers } from "./graph-nodes.ts";
import { admitCalls, admitExchanges, createApiKeys, type ApiKeys } from "./keys/index.ts";
import { createLogger, type Logger } from "./log/index.ts";
import { createObservation, registerServerMetrics, type Observation } from "./observe/index.ts";
import { listenGrpc } from "./listen-grpc.ts";
import { SELDON_PROTO } from "../protocols/index.ts";
import { observedExchanges } from "./observed-exchange.ts";
import { metricsRoutes } from "./own-routes.ts";
import { runningServer, type RunningServer, type Stoppable } from "./running-server.ts";
import { seldonAnnotations } from "./seldon/annotations.ts";
import { truth } from "./seldon/launch.ts";
import { logFailure, type ServeOptions } from "./server-parts.ts";

const DEFAULT_BODY_BYTES = 104_857_600;
/** Of the executor beside a graph in a cluster. */
const DEFAULT_PORT = 8000;
const METRICS_PATHS = ["/metrics", "/prometheus"];
/** Components that are loaded at the same time: most of it is waiting for interpreters to start. */
const LOADS_AT_ONCE = 4;
const SHARES = { http: 0.5, grpc: 0.3, metrics: 0.1 };

export interface ServeGraphOptions extends Pick<
  ServeOptions,
  "host" | "log" | "env" | "observe" | "signal" | "tls" | "keys" | "threads" | "logLevel"
> {
  /** Gives each node's Python code a process of its own. Default: nodes that follow each other share one. */
  readonly isolatesNodes?: boolean | undefined;
  /** Default 8000 for REST, no gRPC, and no port of its own for the page of metrics. */
  readonly ports?: Partial<Ports>;
}

/** What the pieces of a graph's server share. */
interface GraphServer {
  readonly graph: GraphFile;
  readonly options: ServeGraphOptions;
  readonly log: Logger;
  readonly registry: MetricRegistry;
  readonly observation: Observation;
  readonly models: ModelRepository;
  readonly executor: GraphExecutor;
  readonly nodes: GraphPeers;
  readonly keys: ApiKeys | undefined;
  readonly env: NonNullable<ServeOptions["env"]>;
}

/**
 * Runs a graph with all its components on this machine, with the semantics of Seldon's executor. Resolves when it answers; nothing listens
 * before every component is loaded.
 * @param components - by the names of nodes; a node without one is asked at its endpoint
 * @throws InferenceError `MODEL_LOAD_FAILED`, `RUNTIME_MISSING`; ToolError `PORT_TAKEN`, `USAGE`
 */
export async function serveGraph(
  graph: GraphFile,
  components: ReadonlyMap<string, ModelDescription>,
  options: ServeGraphOptions = {},
): Promise<RunningServer> {
  const server = await createGraphServer(graph, components, options);
  const { models, log, nodes, observation, keys } = server;
  const servers: Stoppable[] = [];
  try {
    await mapLimited(models.models, LOADS_AT_ONCE, ({ name, version }) =>
      models.load(name, version),
    );
    const ports = await listen(server, servers);
    log.info({ graph: graph.deployment, nodes: models.models.length, ports }, "ready");
    return runningServer({
      ...{ ports, models, servers, log, keys },
      reload: async () => log.warn({}, "a graph is not loaded anew: start it again"),
      closers: [() => nodes[Symbol.dispose](), async () => observation[Symbol.asyncDispose]()],
    });
  } catch (error) {
    servers.forEach((one) => one.cut());
    nodes[Symbol.dispose]();
    await models[Symbol.asyncDispose]();
    throw error;
  }
}

async function createGraphServer(
  graph: GraphFile,
  components: ReadonlyMap<string, ModelDescription>,
  options: ServeGraphOptions,
): Promise<GraphServer> {
  const { log = createLogger(), observe = {}, isolatesNodes } = options;
  const { signal, threads, logLevel } = options;
  const env = { ...options.env, ...graph.env };
  const registry = new MetricRegistry();
  const labels = deploymentLabels(graph);
  const { deployment, predictor } = graph;
  const source = { model: deployment, deployment, endpoint: predictor };
  const observation = createObservation({ settings: observe, registry, labels, log, source });
  const models = new ModelRepository();
  const metrics = registerServerMetrics(registry, { model_name: deployment }, () => {
    const { spansLost, requestLogLost } = observation;
    return { isReady: models.isReady, stats: statsOf(models), spansLost, requestLogLost };
  });
  const nodes = await createGraphPeers({
    ...{ graph, components, models, registry, log, env, threads, logLevel, signal },
    ...{ isolatesNodes, maxBodyBytes: DEFAULT_BODY_BYTES },
    tracer: observation.tracer,
    onFailure: (error, note) => logFailure(log, error, note),
    onRestart: () => (metrics.restarts.value += 1),
  });
  const executor = new GraphExecutor({
    root: graph.root,
    peers: nodes.peers,
    runs: nodes.runs,
    timeoutMs: seldonAnnotations((key) => graph.annotations[key]).restTimeoutMs,
    injectsRouting: env["SELDON_ENABLE_ROUTING_INJECTION"] !== undefined,
    checksHealth: truth(env["FULL_HEALTH_CHECKS"]),
    onCall: countCalls(registry, labels),
    onFailure: (error, { requestId }) => logFailure(log, error, { isBug: false, requestId }),
  });
  const keys = createApiKeys(options.keys, registry);
  return { graph, options, log, registry, observation, models, executor, nodes, keys, env };
}

function deploymentLabels({ deployment, predictor, version = "" }: GraphFile): Labels {
  return {
    deployment_name: deployment,
    predictor_name: predictor,
    predictor_version: version,
  };
}

/** Of all models together. */
function statsOf({ models }: ModelRepository): PredictorStats {
  const all = models.flatMap(({ stats }) => (stats === undefined ? [] : [stats]));
  const sum = (key: "queued" | "running" | "workers" | "ready" | "restarts"): number =>
    all.reduce((total, stats) => total + stats[key], 0);
  return {
    queued: sum("queued"),
    running: sum("running"),
    workers: sum("workers"),
    ready: sum("ready"),
    restarts: sum("restarts"),
  };
}

async function listen(server: GraphServer, servers: Stoppable[]): Promise<Ports> {
  const { graph, options, registry, observation, models, executor, env, log } = server;
  const { host = "0.0.0.0", tls, ports = {} } = options;
  const shared = {
    host,
    maxBodyBytes: DEFAULT_BODY_BYTES,
    bodies: defaultBodyBudget(DEFAULT_BODY_BYTES),
    refuse: refuseGraphRequest,
  };
  const main = await startHttpServer({
    ...shared,
    tls,
    port: ports.http ?? DEFAULT_PORT,
    maxConnections: connectionCap(SHARES.http),
    routes: new Map([
      ...graphRoutes({
        ...{ graph, executor },
        isOpen: () => models.isReady,
        onBug: (error, requestId) => logFailure(log, error, { isBug: true, requestId }),
      }),
      ...metricsRoutes(registry, METRICS_PATHS),
    ]),
    cors: {
      origin: env["CORS_ALLOWED_ORIGINS"] ?? "*",
      methods: "OPTIONS,POST",
      headers: env["CORS_ALLOWED_HEADERS"],
    },
    ...admitExchanges(server.keys),
    ...observedExchanges(observation.observer),
  });
  servers.push(main);
  const grpc = await listenGraphGrpc(server, servers);
  const found = { http: main.port, ...(grpc === undefined ? {} : { grpc }) };
  if (ports.metrics === undefined) return found;
  const page = await startHttpServer({
    ...shared,
    port: ports.metrics,
    maxConnections: connectionCap(SHARES.metrics),
    routes: metricsRoutes(registry, METRICS_PATHS),
  });
  servers.push(page);
  return { ...found, metrics: page.port };
}

/** The executor's gRPC interface, where a port is named for it. */
async function listenGraphGrpc(
  { graph, options, observation, models, executor, keys, log }: GraphServer,
  servers: Stoppable[],
): Promise<number | undefined> {
  const { host = "0.0.0.0", tls, ports = {} } = options;
  if (ports.grpc === undefined) return undefined;
  const methods = graphGrpcMethods({
    ...{ graph, executor },
    onBug: (error, requestId) => logFailure(log, error, { isBug: true, requestId }),
  });
  const grpc = await listenGrpc({
    ...{ host, tls, port: ports.grpc },
    ...admitCalls(keys),
    maxMessageBytes: DEFAULT_BODY_BYTES,
    bodies: defaultBodyBudget(DEFAULT_BODY_BYTES),
    maxConnections: connectionCap(SHARES.grpc),
    services: [{ files: [SELDON_PROTO], methods }],
    isReady: () => models.isReady,
    observer: observation.observer,
  });
  servers.push(grpc);
  return grpc.port;
}
