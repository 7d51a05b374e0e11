import { InferenceError, isToolError } from "../../ground/errors/index.ts";
import { mapLimited } from "../../ground/process/index.ts";
import { type ModelDescription, runtimeOf } from "../../models/description/index.ts";
import {
  SERVER_DEFAULTS,
  USER_CODE_DEFAULTS,
  type ModelName,
  type ModelRepository,
  type ServedModel,
  type VersionRules,
} from "../plane/index.ts";
import { spareOnnxThreads, type SpareThreads } from "../runtime/index.ts";
import { weightBytes } from "./weight-bytes.ts";
import { registerIdentity } from "./identity/index.ts";
import { loadPredictor } from "./load-predictor.ts";
import type { Logger } from "./log/index.ts";
import { registerServerMetrics, type ServerMetrics } from "./observe/index.ts";
import type { ServerParts } from "./server-parts.ts";

/** A model that a server is told of: what it is called, and where its description comes from. */
export interface ModelSource extends ModelName {
  /** Describes it as it lies there now; asked anew for each load. */
  readonly describe: () => Promise<ModelDescription>;
  /** True for a model that loads with its first call, and makes room for others when memory is short. Default false. */
  readonly isLazy?: boolean;
  /** Differs when its files have changed. */
  readonly mark?: string;
}

/** The models of a server beside its first one. */
export interface ModelSources {
  readonly models: readonly ModelSource[];
  /** Labels and shares of versions, by the name of the model. */
  readonly rules?: ReadonlyMap<string, VersionRules>;
}

type Shared = Pick<
  ServerParts,
  "options" | "settings" | "log" | "registry" | "observation" | "models"
>;

/** A model that was added, with the numbers that its life moves. */
export interface AddedModel {
  readonly model: ServedModel;
  readonly metrics: ServerMetrics;
}

/** Models that are loaded at the same time: most of it is waiting for interpreters to start. */
const LOADS_AT_ONCE = 4;
/** What a runtime takes before its weights, in bytes: a thread with onnxruntime, an interpreter with NumPy. */
const RUNTIME_BYTES = { onnx: 24 * 2 ** 20, other: 48 * 2 ** 20 } as const;
/** What weights take in memory, for each byte of their files. */
const WEIGHT_FACTOR = 1.5;

/** Puts the models that a server is told of into its repository, and follows when what it is told changes. */
export class ModelSet implements AsyncDisposable {
  readonly #shared: Shared;
  /** As they were told last, by name and version. */
  readonly #sources = new Map<string, ModelSource>();
  readonly #described = new Map<string, ModelDescription>();
  /** For ONNX models that load with their first call; made when the server has started. */
  #spares: SpareThreads | undefined;

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  /** Makes a model known to the repository and to the page of metrics. @param labels - of its metrics; default its name and version */
  add(source: ModelSource, labels?: Readonly<Record<string, string>>): AddedModel {
    const { options, settings, log, registry, observation, models } = this.#shared;
    const { parameters = [], env, signal, watch: isWatched = false, ahead } = options;
    const { logLevel, threads } = { ...USER_CODE_DEFAULTS, ...options };
    const { name, version, isLazy = false } = source;
    this.#sources.set(keyOf(source), source);
    const metrics = registerServerMetrics(
      registry,
      {
        model_name: labels?.["model_name"] ?? name,
        ...(version !== "1" && { model_version: version }),
      },
      () => {
        const { spansLost, requestLogLost } = observation;
        return { isReady: model.isReady, stats: model.stats, spansLost, requestLogLost };
      },
    );
    const onRestart = (event: Restart): void => {
      metrics.restarts.value += 1;
      log.warn({ ...event, model: name }, "a worker ended and is started again");
    };
    const describeSource = (): Promise<ModelDescription> =>
      described(this.#sources.get(keyOf(source)) ?? source);
    const model = models.add({
      ...{ name, version, isLazy },
      ...(labels !== undefined && { labels }),
      memoryBytes: async () => memoryBytes(await describeSource()),
      load: async (_, statistics) => {
        const description = await describeSource();
        this.#described.set(keyOf(source), description);
        return loadPredictor(description, {
          ...{ settings, parameters, logLevel, threads, env, signal, log, onRestart, statistics },
          ...(isLazy && { spares: this.#spares }),
          ...{ isWatched, ahead },
          image: options.image ?? settings.unitImage,
          onBatch: (rows) => metrics.batchRows.observe(rows),
          tracer: observation.tracer,
        });
      },
    });
    registerIdentity(registry, model);
    return { model, metrics };
  }

  /** What a model was loaded by last; undefined before its first load. */
  descriptionOf(name: ModelName): ModelDescription | undefined {
    return this.#described.get(keyOf(name));
  }

  /**
   * Makes the models those that are told: new ones are added and loaded, those that are gone end when their calls are done, and those whose
   * mark differs are loaded anew. Whatever does not load is written into the log, and stops no other. The models of `kept` are left alone.
   */
  async follow(
    { models: told, rules }: ModelSources,
    kept: readonly ModelName[] = [],
  ): Promise<void> {
    const { models, log } = this.#shared;
    for (const [name, rule] of rules ?? []) models.setRules(name, rule);
    const keys = new Set([...told, ...kept].map(keyOf));
    const gone = [...this.#sources.values()].filter((source) => !keys.has(keyOf(source)));
    const fresh = told.filter((source) => !this.#sources.has(keyOf(source)));
    const changed = told.filter((source) => {
      const before = this.#sources.get(keyOf(source));
      return before !== undefined && before.mark !== source.mark;
    });
    for (const source of fresh) this.add(source);
    for (const source of changed) {
      const isLazy = this.#sources.get(keyOf(source))?.isLazy === true; // what it was when it was added
      this.#sources.set(keyOf(source), { ...source, isLazy });
      await this.#restIfFailed(source);
    }
    await loadEach(
      models,
      [...fresh, ...changed].filter((one) => this.#isToLoad(one)),
      log,
    );
    for (const source of gone) {
      this.#sources.delete(keyOf(source));
      this.#described.delete(keyOf(source));
      await models.remove(source.name, source.version);
      log.info({ model: source.name, version: source.version }, "is gone");
    }
  }

  /** Loads every model that does not wait for its first call. @throws what the first load throws, where no model is left to be served */
  async loadAll(): Promise<void> {
    const { models, log } = this.#shared;
    const failures = await loadEach(
      models,
      models.models.filter((model) => !model.isAsleep),
      log,
    );
    if (failures.length === models.models.length) throw failures[0];
    if (models.models.some((model) => model.isAsleep)) this.#spares = spareOnnxThreads();
  }

  /** Lets go of what was kept ready for loads to come. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spares?.[Symbol.asyncDispose]();
  }

  /** A model that loads with its first call is loaded anew only where it is loaded. */
  #isToLoad({ name, version }: ModelSource): boolean {
    return !this.#isLazy({ name, version }) || this.#shared.models.model(name, version).isLoaded;
  }

  /** What did not load as it was may load as it is now. */
  async #restIfFailed({ name, version }: ModelSource): Promise<void> {
    const model = this.#shared.models.model(name, version);
    if (this.#isLazy({ name, version }) && model.state === "failed") await model.rest();
  }

  #isLazy(name: ModelName): boolean {
    return this.#sources.get(keyOf(name))?.isLazy === true;
  }
}

/** @throws InferenceError `MODEL_LOAD_FAILED` where its files are wrong: that is no fault of who calls the model */
async function described({ name, describe }: ModelSource): Promise<ModelDescription> {
  try {
    return await describe();
  } catch (error) {
    if (!isToolError(error)) throw error;
    throw new InferenceError("MODEL_LOAD_FAILED", `load the model "${name}": ${error.message}`, {
      ...{ model: name, cause: error },
      ...(error.hint !== undefined && { hint: error.hint }),
    });
  }
}

interface Restart {
  readonly worker: number;
  readonly reason: string;
  readonly delayMs: number;
}

/** Loads models, several at a time; errors are logged where some loaded, and given back. */
async function loadEach(
  models: ModelRepository,
  wanted: readonly ModelName[],
  log: Logger,
): Promise<readonly unknown[]> {
  const outcomes = await mapLimited(wanted, LOADS_AT_ONCE, ({ name, version }) =>
    models.load(name, version).then(
      () => undefined,
      (error: unknown) => ({ name, version, error }),
    ),
  );
  const failed = outcomes.filter((outcome) => outcome !== undefined);
  if (failed.length < models.models.length)
    for (const { name, version, error } of failed)
      log.error({ model: name, version }, error instanceof Error ? error.message : String(error));
  return failed.map(({ error }) => error);
}

function keyOf({ name, version }: ModelName): string {
  return JSON.stringify([name, version]);
}

/** What a model is thought to take in memory, by what runs it and by the bytes of its weights. */
async function memoryBytes(description: ModelDescription): Promise<number> {
  const isOnnx = runtimeOf(description) === "onnx";
  const workers = description.server.workers ?? SERVER_DEFAULTS.workers;
  const weights = await weightBytes(description.modelPath ?? description.codePath);
  return workers * (RUNTIME_BYTES[isOnnx ? "onnx" : "other"] + Math.ceil(weights * WEIGHT_FACTOR));
}
