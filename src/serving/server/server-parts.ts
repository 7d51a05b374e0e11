import type { CallOptions } from "../../ground/bytes/index.ts";
import { isLoopbackHost } from "../../ground/http/index.ts";
import { parseYaml, type ModelDescription, type Ports } from "../../models/description/index.ts";
import { MetricRegistry } from "../metrics/index.ts";
import { ComponentError, ModelRepository, type ServedModel } from "../plane/index.ts";
import {
  DEFAULT_SELDON_SETTINGS,
  nodeLabels,
  nodeOf,
  type FailureNote,
  type JsonNode,
  type Plane,
  type SeldonSettings,
} from "../protocols/index.ts";
import { createImageReader, type ClassParameter, type WorkerAhead } from "../runtime/index.ts";
import type { TlsFiles } from "../transport/index.ts";
import { CodecPool } from "./codecs/index.ts";
import { createApiKeys, type ApiKey, type ApiKeys } from "./keys/index.ts";
import { ModelSet, type ModelSource, type ModelSources } from "./model-set.ts";
import { serverVersion } from "./server-version.ts";
import { createLogger, switchesOf, type Logger } from "./log/index.ts";
import {
  createObservation,
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
  /** A worker that was started before the server was loaded; the first model that would start the same one takes it. */
  readonly ahead?: WorkerAhead | undefined;
  /** Loads the code anew when its files change. Default false. */
  readonly watch?: boolean;
  /** The first model's version, and how it is described anew for a load. Default: version 1, as it was described. */
  readonly source?: Pick<ModelSource, "version" | "describe"> & Partial<ModelSource>;
  /** Models that are served beside the first, by name and version. One that does not load does not stop the others. */
  readonly others?: ModelSources;
  /** Memory that loaded models may take together, in bytes. Default: no bound. */
  readonly memoryBudgetBytes?: number | undefined;
  /** Reference with a digest, or the digest, of the image that runs. Default: that of the node's environment. */
  readonly image?: string | undefined;
  /** Names by which a server on the loopback may be asked, beside those of the loopback. Default none. */
  readonly allowedHosts?: readonly string[];
  /** Keys of which requests have to show one, probes aside. Default: none is asked for. */
  readonly keys?: readonly ApiKey[] | undefined;
  /**
   * True when clients may load and unload models. Default: on addresses of this machine's loopback only; on a server with keys, where a key
   * has the scope for it.
   */
  readonly allowsControl?: boolean;
  /** Whether `/` has the page for people. Default true; false in strict mode, where unknown paths have the wrapper's answer. */
  readonly page?: boolean;
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
  readonly set: ModelSet;
  /** Absent for a server that asks for none. */
  readonly keys: ApiKeys | undefined;
  /** Ended with the server. */
  readonly codecs: CodecPool;
  /** Loads the first model anew. */
  readonly load: () => Promise<void>;
}

/** Puts together what a server is made of. Nothing is loaded, and nothing listens. */
export function createParts(description: ModelDescription, options: ServeOptions): ServerParts {
  const { log = createLogger(), observe = {}, others = { models: [] } } = options;
  const settings = { ...DEFAULT_SELDON_SETTINGS, ...options.seldon };
  const registry = new MetricRegistry();
  const labels = requestLabels(settings, description.name);
  const source = {
    model: labels.model_name,
    deployment: settings.deploymentName,
    endpoint: settings.predictorName,
  };
  const observation = createObservation({ settings: observe, registry, labels, log, source });
  const models = new ModelRepository({ memoryBytes: options.memoryBudgetBytes });
  const set = new ModelSet({ options, settings, log, registry, observation, models });
  const first: ModelSource = {
    ...{ version: VERSION, describe: async () => description },
    ...options.source,
    name: description.name,
  };
  const { model, metrics } = set.add(first, labels);
  for (const other of others.models) set.add(other);
  for (const [name, rules] of others.rules ?? []) models.setRules(name, rules);
  return {
    ...{ description, options, settings, log, registry, observation, metrics },
    ...{ models, model, set, keys: createApiKeys(options.keys, registry) },
    codecs: new CodecPool({ keepsBodies: observe.requestLog !== undefined }),
    load: () => models.load(model.name, model.version),
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

/** What the protocols get. @param parts - of a server whose model is known, be it loaded or not */
export async function createPlane(parts: ServerParts): Promise<Plane> {
  const { description, models, registry, settings, log, options, codecs } = parts;
  const { host = DEFAULT_HOST } = options;
  const { allowsControl = parts.keys?.hasManager ?? isLoopbackHost(host) } = options;
  return {
    ...{ models, description, registry, allowsControl, codecs, images: createImageReader() },
    version: serverVersion(),
    log: switchesOf(log),
    traces: parts.observation.traces,
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
