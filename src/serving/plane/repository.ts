import { InferenceError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";
import type { Predictor } from "./contracts.ts";
import { ServedModel, type ModelName } from "./served-model.ts";
import type { ModelStatistics } from "./statistics.ts";

/** A model that there is, whether it is loaded or not. */
export interface ModelEntry extends ModelName {
  /** Loads it as it lies there now. @throws InferenceError `MODEL_LOAD_FAILED`, `RUNTIME_MISSING` */
  load(options: CallOptions, statistics: ModelStatistics): Promise<Predictor>;
  /** On every series of metrics about this model. Default `model_name` and `model_version`. */
  readonly labels?: Readonly<Record<string, string>>;
}

interface Held {
  readonly entry: ModelEntry;
  readonly model: ServedModel;
  loading: Promise<void> | undefined;
}

/** The models of a server, by name and version. The first one added is the one that requests without a name mean. */
export class ModelRepository implements AsyncDisposable {
  readonly #held: Held[] = [];

  /** Makes a model known; nothing is loaded. @throws Error when name and version are there already */
  add(entry: ModelEntry): ServedModel {
    const { name, version } = entry;
    if (this.#held.some(({ model }) => model.name === name && model.version === version))
      throw new Error(`the model "${name}" has a version ${version} already`);
    const model = new ServedModel(
      entry,
      entry.labels ?? { model_name: name, model_version: version },
    );
    this.#held.push({ entry, model, loading: undefined });
    return model;
  }

  /** All models, in the order in which they were added. */
  get models(): readonly ServedModel[] {
    return this.#held.map(({ model }) => model);
  }

  /** True when every model that was asked to load is ready. */
  get isReady(): boolean {
    return this.#held.every(({ model }) => model.isReady || model.state === "unloaded");
  }

  /** Why not, by the first model that is not ready; `ready` when all are. */
  get reason(): string {
    const blocking = this.#held.find(({ model }) => !model.isReady && model.state !== "unloaded");
    if (blocking === undefined) return "ready";
    const { name, reason } = blocking.model;
    return this.#held.length === 1 ? reason : `"${name}": ${reason}`;
  }

  /**
   * The model of a name and version. Without a version: the highest that is ready, else the highest. Without a name: the first added.
   * @throws InferenceError `MODEL_NOT_FOUND`
   */
  model(name?: string, version?: string): ServedModel {
    return this.#find(name, version).model;
  }

  /** Versions of a name, lowest first. @throws InferenceError `MODEL_NOT_FOUND` */
  versions(name: string): readonly ServedModel[] {
    this.#find(name, undefined);
    return this.#named(name).map(({ model }) => model);
  }

  /**
   * Loads a model, or loads it anew: the new one is taken into use when it is ready, and the old one ends when its calls are done. A load
   * that is under way already is joined.
   * @throws InferenceError `MODEL_NOT_FOUND`, and what the entry's `load` throws; the old one goes on then
   */
  async load(name?: string, version?: string, options: CallOptions = {}): Promise<void> {
    const held = this.#find(name, version);
    held.loading ??= this.#load(held, options).finally(() => (held.loading = undefined));
    await held.loading;
  }

  /** Takes a model out of use; resolves when its calls are done. @throws InferenceError `MODEL_NOT_FOUND` */
  async unload(name: string, version?: string): Promise<void> {
    await this.#find(name, version).model.unload();
  }

  /** Readiness of all is over; calls go on being answered. */
  drain(): void {
    for (const { model } of this.#held) model.drain();
  }

  /** Ends the calls of all models. */
  abandon(): void {
    for (const { model } of this.#held) model.abandon();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#held.map(async ({ model }) => model[Symbol.asyncDispose]()));
  }

  async #load({ entry, model }: Held, options: CallOptions): Promise<void> {
    model.begin();
    try {
      model.use(await entry.load(options, model.statistics));
    } catch (error) {
      model.fail(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  #find(name: string | undefined, version: string | undefined): Held {
    const versions = this.#named(name ?? this.#held[0]?.model.name ?? "");
    const found =
      version === undefined
        ? (versions.findLast(({ model }) => model.isReady) ?? versions.at(-1))
        : versions.find(({ model }) => model.version === version);
    if (found !== undefined) return found;
    throw new InferenceError("MODEL_NOT_FOUND", `find a model: ${this.#missing(name, version)}`, {
      ...(name !== undefined && { model: name }),
      hint: `ask for one of ${this.#names()}`,
    });
  }

  #named(name: string): readonly Held[] {
    return this.#held
      .filter(({ model }) => model.name === name)
      .sort((a, b) => byVersion(a.model.version, b.model.version));
  }

  #missing(name: string | undefined, version: string | undefined): string {
    if (name === undefined) return "this server has none";
    return this.#named(name).length === 0
      ? `there is none of the name "${name}"`
      : `"${name}" has no version "${version ?? ""}"`;
  }

  #names(): string {
    const names = [...new Set(this.#held.map(({ model }) => model.name))].slice(0, 10);
    return names.map((name) => `"${name}"`).join(", ");
  }
}

/** Numbers by value, and before any other text. */
function byVersion(a: string, b: string): number {
  const [first, second] = [Number(a), Number(b)];
  if (Number.isNaN(first) || Number.isNaN(second))
    return Number(Number.isNaN(first)) - Number(Number.isNaN(second)) || (a < b ? -1 : 1);
  return first - second;
}
