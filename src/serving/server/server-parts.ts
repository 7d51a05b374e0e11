import type { CallOptions } from "../../ground/bytes/index.ts";
import { isLoopbackHost } from "../../ground/http/index.ts";
import { mapLimited } from "../../ground/process/index.ts";
import { parseYaml, type ModelDescription, type Ports } from "../../models/description/index.ts";
import { MetricRegistry } from "../metrics/index.ts";
import {
  ComponentError,
  ModelRepository,
  USER_CODE_DEFAULTS,
  type ServedModel,
} from "../plane/index.ts";
import {
  DEFAULT_SELDON_SETTINGS,
  nodeLabels,
  nodeOf,
  type FailureNote,
  type JsonNode,
  type Plane,
  type SeldonSettings,
} from "../protocols/index.ts";
import { createImageReader, type ClassParameter } from "../runtime/index.ts";
import type { TlsFiles } from "../transport/index.ts";
import { CodecPool } from "./codecs/index.ts";
import { loadPredictor } from "./load-predictor.ts";
import { serverVersion } from "./server-version.ts";
import { createLogger, type Logger } from "./log/index.ts";
import {
  createObservation,
  registerServerMetrics,
  type Observation,
  type ObserveSettings,
  type ServerMetrics,
} from "./observe/index.ts";

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
  /** Models that are served beside the first, each under its own name. One that does not load does not stop the others. */
  readonly others?: readonly ModelDescription[];
  /** True when clients may load and unload models. Default: on addresses of this machine's loopback only. */
  readonly allowsControl?: boolean;
}

/** A description speaks of one version of its model. */
const VERSION = "1";

/** Address that is listened on where none is named. */
export const DEFAULT_HOST = "0.0.0.0";

/** What the pieces of one server share. */
export interface ServerParts {
  readonly description: ModelDescription;
  readonly options: ServeOptions;
  readonly settings: SeldonSettings;
  readonly log: Logger;
  readonly registry: MetricRegistry;
  readonly observation: Observation;
  readonly metrics: ServerMetrics;
  readonly models: ModelRepository;
  readonly model: ServedModel;
  /** Ended with the server. */
  readonly codecs: CodecPool;
  /** Loads all models; rejects when none of them loads. */
  readonly loadAll: () => Promise<void>;
  /** Loads the first model anew. */
  readonly load: () => Promise<void>;
}

/** Puts together what a server is made of. Nothing is loaded, and nothing listens. */
export function createParts(description: ModelDescription, options: ServeOptions): ServerParts {
  const { log = createLogger(), observe = {}, others = [] } = options;
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
  const shared: Shared = { options, settings, log, registry, observation, models };
  const { model, metrics } = addModel(shared, description, labels);
  for (const other of others)
    addModel(shared, other, { model_name: other.name, model_version: VERSION });
  return {
    ...{ description, options, settings, log, registry, observation, metrics },
    ...{ models, model },
    codecs: new CodecPool({ keepsBodies: observe.requestLog !== undefined }),
    load: () => models.load(model.name, model.version),
    loadAll: () => loadAll(models, log),
  };
}

type Shared = Pick<
  ServerParts,
  "options" | "settings" | "log" | "registry" | "observation" | "models"
>;

/** Makes a model known to the server's repository and to its page of metrics. */
function addModel(
  { options, settings, log, registry, observation, models }: Shared,
  description: ModelDescription,
  labels: Readonly<Record<string, string>>,
): { readonly model: ServedModel; readonly metrics: ServerMetrics } {
  const { parameters = [], env, signal, watch = false } = options;
  const { logLevel, threads } = { ...USER_CODE_DEFAULTS, ...options };
  const metrics = registerServerMetrics(
    registry,
    { model_name: labels["model_name"] ?? description.name },
    () => {
      const { spansLost, requestLogLost } = observation;
      return { isReady: model.isReady, stats: model.stats, spansLost, requestLogLost };
    },
  );
  const onRestart = (event: {
    readonly worker: number;
    readonly reason: string;
    readonly delayMs: number;
  }): void => {
    metrics.restarts.value += 1;
    log.warn({ ...event, model: description.name }, "a worker ended and is started again");
  };
  const model = models.add({
    name: description.name,
    version: VERSION,
    labels,
    load: (_, statistics) =>
      loadPredictor(description, {
        ...{ settings, parameters, logLevel, threads, env, signal, log, onRestart, statistics },
        isWatched: watch,
        onBatch: (rows) => metrics.batchRows.observe(rows),
        tracer: observation.tracer,
      }),
  });
  return { model, metrics };
}

/** Models that are loaded at the same time: most of it is waiting for interpreters to start. */
const LOADS_AT_ONCE = 4;

async function loadAll(models: ModelRepository, log: Logger): Promise<void> {
  const failures = await mapLimited(models.models, LOADS_AT_ONCE, ({ name, version }) =>
    models.load(name, version).then(
      () => undefined,
      (error: unknown) => ({ name, error }),
    ),
  );
  const failed = failures.filter((failure) => failure !== undefined);
  if (failed.length === failures.length) throw failed[0]?.error;
  for (const { name, error } of failed)
    log.error({ model: name }, error instanceof Error ? error.message : String(error));
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

/** What the protocols get. @param parts - of a server whose model is known, be it loaded or not */
export async function createPlane(parts: ServerParts): Promise<Plane> {
  const { description, models, registry, settings, log, options, codecs } = parts;
  const { host = DEFAULT_HOST, allowsControl = isLoopbackHost(host) } = options;
  return {
    ...{ models, description, registry, allowsControl, codecs, images: createImageReader() },
    version: serverVersion(),
    seldon: settings,
    seldonMetadata: await readMetadata(settings.modelMetadata, log),
    onFailure: (error, note) => logFailure(log, error, note),
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

/** Writes a failed request into the log; one that is our own fault with its stack. */
export function logFailure(log: Logger, error: unknown, { isBug, requestId }: FailureNote): void {
  const traceback = error instanceof ComponentError ? error.failure.traceback : undefined;
  const fields = {
    puid: requestId,
    err: isBug && error instanceof Error ? error : undefined,
    traceback,
  };
  log.error(fields, error instanceof Error ? error.message : String(error));
}
