import { setImmediate } from "node:timers/promises";
import { InferenceError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";
import type { Predictor } from "./contracts.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { ServedModel, type ModelName } from "./served-model.ts";
import type { ModelStatistics } from "./statistics.ts";
import { chooseVersion, type VersionRules } from "./version-rules.ts";

/** A model that there is, whether it is loaded or not. */
export interface ModelEntry extends ModelName {
  /** Loads it as it lies there now. @throws InferenceError `MODEL_LOAD_FAILED`, `RUNTIME_MISSING` */
  load(options: CallOptions, statistics: ModelStatistics): Promise<Predictor>;
  /** On every series of metrics about this model. Default `model_name` and `model_version`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** True for a model that loads with its first call, and that makes room for others when memory is short. Default false. */
  readonly isLazy?: boolean;
  /** Memory that it is thought to take when it is loaded, in bytes; asked for where there is a bound. Default 0. */
  readonly memoryBytes?: () => Promise<number>;
}

export interface RepositoryOptions {
  /** Memory that loaded models may take together, in bytes. Default: no bound. */
  readonly memoryBytes?: number | undefined;
  /** At least 0, below 1; decides between versions that share calls. Default `Math.random`. */
  readonly random?: () => number;
}

interface Held {
  readonly entry: ModelEntry;
  readonly model: ServedModel;
  loading: Promise<void> | undefined;
  /** True while it loads within its share of the memory, and does not wait for one. */
  hasClaim: boolean;
}

/** The models of a server, by name and version. The first one added is the one that requests without a name mean. */
export class ModelRepository implements AsyncDisposable {
  /** By name, lowest version first. */
  readonly #byName = new Map<string, Held[]>();
  readonly #rules = new Map<string, VersionRules>();
  readonly #budget: MemoryBudget;
  readonly #random: () => number;

  constructor({ memoryBytes = Infinity, random = Math.random }: RepositoryOptions = {}) {
    this.#budget = new MemoryBudget(memoryBytes);
    this.#random = random;
  }

  /** Makes a model known; nothing is loaded. @throws Error when name and version are there already */
  add(entry: ModelEntry): ServedModel {
    const { name, version, labels, isLazy = false } = entry;
    const versions = this.#byName.get(name) ?? [];
    if (versions.some(({ model }) => model.version === version))
      throw new Error(`the model "${name}" has a version ${version} already`);
    const model = new ServedModel(entry, {
      labels: labels ?? { model_name: name, model_version: version },
      ...(isLazy && { wake: () => this.load(name, version) }),
    });
    const held: Held = { entry, model, loading: undefined, hasClaim: false };
    this.#byName.set(
      name,
      [...versions, held].sort((a, b) => byVersion(a.model.version, b.model.version)),
    );
    return model;
  }

  /** Takes a model out of the repository; resolves when its calls are done. One that is not there is none. */
  async remove(name: string, version: string): Promise<void> {
    const versions = this.#byName.get(name) ?? [];
    const held = versions.find(({ model }) => model.version === version);
    const others = versions.filter((one) => one !== held);
    if (others.length > 0) this.#byName.set(name, others);
    else this.#byName.delete(name);
    await held?.model.unload();
  }

  /** Says which versions of a name have labels, and how calls are shared among them. What was said before of the name does not hold. */
  setRules(name: string, rules: VersionRules): void {
    this.#rules.set(name, rules);
  }

  /** All models, by name in the order in which they were added, lowest version first. */
  get models(): readonly ServedModel[] {
    return [...this.#byName.values()].flat().map(({ model }) => model);
  }

  /** Memory that loaded models are thought to take, and the most that they may, in bytes. */
  get memory(): { readonly taken: number; readonly limit: number } {
    return { taken: this.#budget.taken, limit: this.#budget.bytes };
  }

  /** True when none is loading, and one that was asked to load is ready; a model that did not load does not stop the others. */
  get isReady(): boolean {
    return this.#blocking === undefined;
  }

  /** Why not, by the first model that is not ready; `ready` when the server is. */
  get reason(): string {
    const blocking = this.#blocking;
    if (blocking === undefined) return "ready";
    return this.#byName.size === 1 ? blocking.reason : `"${blocking.name}": ${blocking.reason}`;
  }

  get #blocking(): ServedModel | undefined {
    const wanted = this.models.filter((model) => model.state !== "unloaded");
    const unready = wanted.filter((model) => !model.isReady);
    const allFailed = unready.length === wanted.length ? unready[0] : undefined;
    return unready.find(({ state }) => state !== "failed") ?? allFailed;
  }

  /**
   * The model of a name and version, or of a label in place of a version. Without a version: the one with the greatest share of calls where
   * shares are set, else the highest that is ready, else the highest. Without a name: the first added.
   * @throws InferenceError `MODEL_NOT_FOUND`
   */
  model(name?: string, version?: string): ServedModel {
    return this.#find(name, version, () => 0).model;
  }

  /** The same for a call: without a version, calls are shared among versions as `setRules` says. @throws InferenceError `MODEL_NOT_FOUND` */
  modelForCall(name?: string, version?: string): ServedModel {
    return this.#find(name, version, this.#random).model;
  }

  /** The version that a label of a name stands for. @throws InferenceError `MODEL_NOT_FOUND` */
  labelled(name: string, label: string): ServedModel {
    this.#find(name, undefined, () => 0);
    const { labels = {} } = this.#rules.get(name) ?? {};
    const version = Object.hasOwn(labels, label) ? labels[label] : undefined;
    if (version !== undefined) return this.model(name, version);
    const known = Object.keys(labels)
      .slice(0, 10)
      .map((one) => `"${one}"`);
    throw new InferenceError(
      "MODEL_NOT_FOUND",
      `find a model: no version of "${name}" has the label "${label.slice(0, 100)}"`,
      {
        model: name,
        hint: known.length === 0 ? "ask for a version" : `ask for one of ${known.join(", ")}`,
      },
    );
  }

  /** Versions of a name, lowest first. @throws InferenceError `MODEL_NOT_FOUND` */
  versions(name: string): readonly ServedModel[] {
    this.#find(name, undefined, () => 0);
    return this.#named(name).map(({ model }) => model);
  }

  /**
   * Loads a model, or loads it anew: the new one is taken into use when it is ready, and the old one ends when its calls are done. A load
   * that is under way already is joined. Where memory is short, models that load with their first call make room, the one that was not
   * called for longest first.
   * @throws InferenceError `MODEL_NOT_FOUND`, `OVERLOADED`, and what the entry's `load` throws; the old one goes on then
   */
  async load(name?: string, version?: string, options: CallOptions = {}): Promise<void> {
    const held = this.#find(name, version, () => 0);
    held.loading ??= this.#load(held, options).finally(() => (held.loading = undefined));
    await held.loading;
  }

  /** Takes a model out of use; resolves when its calls are done. @throws InferenceError `MODEL_NOT_FOUND` */
  async unload(name: string, version?: string): Promise<void> {
    await this.#find(name, version, () => 0).model.unload();
  }

  /** Readiness of all is over; calls go on being answered. */
  drain(): void {
    for (const model of this.models) model.drain();
  }

  /** Ends the calls of all models. */
  abandon(): void {
    for (const model of this.models) model.abandon();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.models.map(async (model) => model[Symbol.asyncDispose]()));
  }

  async #load(held: Held, options: CallOptions): Promise<void> {
    const { entry, model } = held;
    const { name } = entry;
    model.begin();
    try {
      const bytes = this.#budget.bytes === Infinity ? 0 : ((await entry.memoryBytes?.()) ?? 0);
      await this.#budget.take({ model: name, bytes, free: () => this.#free(held) });
      const giveBack = (): void => this.#budget.giveBack(bytes);
      held.hasClaim = true;
      try {
        model.use(await entry.load(options, model.statistics), giveBack);
      } catch (error) {
        giveBack();
        throw error;
      } finally {
        held.hasClaim = false;
      }
    } catch (error) {
      model.fail(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  /** Puts the lazy model to rest that was not called for longest, one without calls before any other. */
  async #free(wanted: Held): Promise<boolean> {
    const others = [...this.#byName.values()].flat().filter((held) => held !== wanted);
    const loaded = others.filter(({ entry, model }) => entry.isLazy === true && model.isLoaded);
    const [oldest] = loaded
      .map(({ model }) => model)
      .filter((model) => !model.isWaking)
      .sort((a, b) => Number(a.isBusy) - Number(b.isBusy) || a.usedAt - b.usedAt);
    const loading = others.flatMap(({ hasClaim, loading: one }) => (hasClaim && one) || []);
    if (oldest !== undefined && (loading.length === 0 || !oldest.isBusy)) await oldest.rest();
    else if (loading.length > 0) await Promise.race(loading).catch(() => undefined); // who asked for it is told
    else if (loaded.length > 0) await setImmediate();
    else return false;
    return true;
  }

  #find(name: string | undefined, version: string | undefined, random: () => number): Held {
    const asked = name ?? this.#byName.keys().next().value ?? "";
    const versions = this.#named(asked);
    const found =
      version === undefined
        ? this.#chosen(asked, versions, random)
        : (versions.find(({ model }) => model.version === version) ??
          this.#byLabel(asked, versions, version));
    if (found !== undefined) return found;
    throw new InferenceError("MODEL_NOT_FOUND", `find a model: ${this.#missing(name, version)}`, {
      ...(name !== undefined && { model: name }),
      hint: `ask for one of ${this.#names()}`,
    });
  }

  #chosen(name: string, versions: readonly Held[], random: () => number): Held | undefined {
    const weights = this.#rules.get(name)?.weights;
    if (weights !== undefined) {
      const find = (version: string | undefined): Held | undefined =>
        versions.find(({ model }) => model.version === version);
      const isReady = (version: string): boolean => find(version)?.model.isReady === true;
      const inOrder = Object.fromEntries(Object.entries(weights).sort(([, a], [, b]) => b - a));
      const found = find(chooseVersion(inOrder, isReady, random()));
      if (found !== undefined) return found;
    }
    return versions.findLast(({ model }) => model.isReady) ?? versions.at(-1);
  }

  #byLabel(name: string, versions: readonly Held[], label: string): Held | undefined {
    const labels = this.#rules.get(name)?.labels ?? {};
    const version = Object.hasOwn(labels, label) ? labels[label] : undefined;
    return versions.find(({ model }) => model.version === version);
  }

  #named(name: string): readonly Held[] {
    return this.#byName.get(name) ?? [];
  }

  #missing(name: string | undefined, version: string | undefined): string {
    if (name === undefined) return "this server has none";
    return this.#named(name).length === 0
      ? `there is none of the name "${name}"`
      : `"${name}" has no version "${version ?? ""}"`;
  }

  #names(): string {
    const names = [...this.#byName.keys()].slice(0, 10);
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
