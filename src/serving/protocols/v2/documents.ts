import { InferenceError } from "../../../ground/errors/index.ts";
import type { Datatype, TensorSpec } from "../../../models/tensor/index.ts";
import {
  identityHeaders,
  type Duration,
  type ModelRepository,
  type ModelState,
  type ServedModel,
} from "../../plane/index.ts";
import type { Json } from "../protocol.ts";
import { awake, unlessUnloaded } from "../called-model.ts";

/** Names of the extensions that are served whole, as server metadata lists them. @see Triton's docs/protocol/README.md */
export const EXTENSIONS: readonly string[] = [
  "classification",
  "generate",
  "model_configuration",
  "model_repository",
  "parameters",
  "statistics",
  "binary_tensor_data",
  "schedule_policy",
  "trace",
  "logging",
];

/** How the server calls itself. */
export const SERVER_NAME = "slipway";

/**
 * The model of a name, and of a version where one is asked for.
 * @throws InferenceError `MODEL_NOT_FOUND`, also for one that is not loaded
 */
export function loadedModel(models: ModelRepository, name: string, version?: string): ServedModel {
  const model = models.model(name, version);
  return unlessUnloaded(model, loadHint(model));
}

/**
 * The same for a call: versions share the calls that name none, and a model that loads with its first call is loaded.
 * @throws InferenceError `MODEL_NOT_FOUND`, and what the load throws
 */
export async function modelForCall(
  models: ModelRepository,
  name: string,
  version?: string,
): Promise<ServedModel> {
  const model = models.modelForCall(name, version);
  return awake(unlessUnloaded(model, loadHint(model)));
}

function loadHint({ name }: ServedModel): string {
  return `load it: POST /v2/repository/models/${encodeURIComponent(name)}/load`;
}

/** What a model takes and gives. */
export interface ModelMetadata {
  readonly name: string;
  /** Those that are loaded. */
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Digests of what it was loaded from; MLServer has parameters there too. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** A model that loads with its first call is loaded. @throws InferenceError `MODEL_NOT_READY` while it loads, and what the load throws */
export async function modelMetadata(
  models: ModelRepository,
  model: ServedModel,
): Promise<ModelMetadata> {
  await model.wake();
  const { platform, signature, identity } = model.predictor.describe();
  const loaded = models.versions(model.name).filter(({ state }) => state !== "unloaded");
  return {
    name: model.name,
    versions: loaded.map(({ version }) => version),
    platform,
    inputs: (signature?.inputs ?? []).map(specOnly),
    outputs: (signature?.outputs ?? []).map(specOnly),
    ...(identity !== undefined && {
      parameters: Object.fromEntries(
        identityHeaders(identity).map(([name, value]) => [name.replaceAll("-", "_"), value]),
      ),
    }),
  };
}

function specOnly({ name, datatype, shape }: TensorSpec): TensorSpec {
  return { name, datatype, shape };
}

/** As Triton's ModelConfig has it: axes are all in `dims`, so `max_batch_size` is 0. @see model_config.proto */
export async function modelConfig(models: ModelRepository, model: ServedModel): Promise<Json> {
  const { name, platform, inputs, outputs } = await modelMetadata(models, model);
  const tensors = (specs: readonly TensorSpec[]): Json =>
    specs.map((spec) => ({
      name: spec.name,
      data_type: configType(spec.datatype),
      dims: spec.shape,
    }));
  return {
    name,
    platform,
    backend: "",
    version_policy: { latest: { num_versions: 1 } },
    max_batch_size: 0,
    input: tensors(inputs),
    output: tensors(outputs),
  };
}

function configType(datatype: Datatype): string {
  return `TYPE_${datatype === "BYTES" ? "STRING" : datatype}`;
}

/** A line of the repository's index. */
export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  /** Why it is not ready; empty when it is. */
  readonly reason: string;
}

const STATES: Readonly<Record<ModelState, string>> = {
  standby: "READY",
  ready: "READY",
  loading: "LOADING",
  failed: "UNAVAILABLE",
  unloaded: "UNAVAILABLE",
  stopping: "UNLOADING",
};

/** Every model that there is, be it loaded or not. @param isReadyOnly - leaves out what cannot be called */
export function repositoryIndex(
  models: ModelRepository,
  isReadyOnly: boolean,
): readonly IndexEntry[] {
  return models.models
    .filter(({ isReady }) => isReady || !isReadyOnly)
    .map(({ name, version, state, isReady, reason }) => ({
      name,
      version,
      state: state === "ready" && !isReady ? "UNAVAILABLE" : STATES[state],
      reason: isReady ? "" : reason,
    }));
}

/**
 * Refuses what a browser sends for a page of another host: such a page reaches servers on loopback too, and needs no answer to do harm.
 * @param origin - the header; absent for clients that are no browsers
 * @throws InferenceError `CONTROL_REFUSED`
 */
export function refuseForeignPages(
  origin: string | undefined,
  host: string | undefined,
  what: string,
): void {
  if (origin === undefined) return;
  const asked = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).host : undefined;
  if (URL.canParse(origin) && new URL(origin).host === asked) return;
  throw new InferenceError(
    "CONTROL_REFUSED",
    `${what}: clients may not do that from a page of "${origin.slice(0, 100)}"`,
    { hint: "send it from the command line, or from a page of the server's own host" },
  );
}

/** Loads or unloads a model, all of its versions. @throws InferenceError `MODEL_NOT_FOUND`, `MODEL_LOAD_FAILED`, `CONTROL_REFUSED` */
export async function controlModel(
  { models, allowsControl }: { readonly models: ModelRepository; readonly allowsControl: boolean },
  name: string,
  action: "load" | "unload",
): Promise<void> {
  if (!allowsControl)
    throw new InferenceError(
      "CONTROL_REFUSED",
      `${action} the model "${name}": clients may not do that on this server`,
      {
        model: name,
        hint: "start it with SLIPWAY_MODEL_CONTROL=1, and keep strangers away from its port",
      },
    );
  for (const { version } of models.versions(name)) await models[action](name, version);
}

/** A count with its time in whole nanoseconds. */
export interface StatisticDuration {
  readonly count: number;
  readonly ns: number;
}

/** What a model has done, in the protocol's terms. @see Triton's extension_statistics.md */
export interface ModelStatisticsEntry {
  readonly name: string;
  readonly version: string;
  readonly last_inference: number;
  readonly inference_count: number;
  readonly execution_count: number;
  readonly inference_stats: Readonly<Record<(typeof STATISTICS)[number], StatisticDuration>>;
  readonly batch_stats: readonly {
    readonly batch_size: number;
    readonly compute_input: StatisticDuration;
    readonly compute_infer: StatisticDuration;
    readonly compute_output: StatisticDuration;
  }[];
}

/** Fields of `inference_stats`, in the order of their numbers in gRPC. */
export const STATISTICS = [
  "success",
  "fail",
  "queue",
  "compute_input",
  "compute_infer",
  "compute_output",
  "cache_hit",
  "cache_miss",
] as const;

const NONE: StatisticDuration = { count: 0, ns: 0 };

/** `compute_infer` counts runs of the model, which several requests may share, their wait for a free worker included. */
export function modelStatistics({ name, version, statistics }: ServedModel): ModelStatisticsEntry {
  const { success, fail, queue, executions, executionsByRows, lastCallAt, rows } = statistics;
  return {
    name,
    version,
    last_inference: lastCallAt,
    inference_count: rows,
    execution_count: executions.count,
    inference_stats: {
      success: nanoseconds(success),
      fail: nanoseconds(fail),
      queue: nanoseconds(queue),
      compute_input: NONE,
      compute_infer: nanoseconds(executions),
      compute_output: NONE,
      cache_hit: NONE,
      cache_miss: NONE,
    },
    batch_stats: [...executionsByRows].map(([size, duration]) => ({
      batch_size: size,
      compute_input: NONE,
      compute_infer: nanoseconds(duration),
      compute_output: NONE,
    })),
  };
}

function nanoseconds({ count, ms }: Duration): StatisticDuration {
  return { count, ns: Math.round(ms * 1e6) };
}

/** Status of a readiness probe of a model that is not ready. */
export function unreadyError(model: ServedModel): InferenceError {
  return new InferenceError("MODEL_NOT_READY", `call the model "${model.name}": ${model.reason}`, {
    model: model.name,
  });
}
