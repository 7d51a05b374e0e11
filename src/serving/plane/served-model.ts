import { InferenceError } from "../../ground/errors/index.ts";
import type { Predictor, PredictorStats } from "./contracts.ts";
import { ModelStatistics } from "./statistics.ts";

/** Where a model is in its life. `standby`: it loads with its first call. */
export type ModelState = "standby" | "loading" | "ready" | "failed" | "unloaded" | "stopping";

export interface ServedModelOptions {
  /** What every series of metrics about this model carries. */
  readonly labels: Readonly<Record<string, string>>;
  /** Loads a model that loads with its first call; absent for any other. */
  readonly wake?: () => Promise<void>;
}

/** A model that did not load with a call is tried again with the first one after this time. */
const RETRY_MS = 10_000;

/** What a model is called. */
export interface ModelName {
  readonly name: string;
  /** Text of the protocols' version; numbers sort by value. */
  readonly version: string;
}

/**
 * A model under its name and version: holds the predictor that is in use, says whether it may be asked, and swaps it for a newer one
 * without losing a call.
 */
export class ServedModel implements ModelName, AsyncDisposable {
  readonly name: string;
  readonly version: string;
  /** What every series of metrics about this model carries. */
  readonly labels: Readonly<Record<string, string>>;
  /** What it has done since the server started. */
  readonly statistics: ModelStatistics = new ModelStatistics();
  #predictor: Predictor | undefined;
  #state: ModelState;
  #why: string | undefined;
  /** When it failed, in ms of `performance.now()`. */
  #failedAt = 0;
  /** When it was taken into use, in ms since 1970. */
  #loadedAt = 0;
  readonly #wake: (() => Promise<void>) | undefined;
  #waking = 0;
  /** Called when the predictor in use has ended. */
  #ended: (() => void) | undefined;
  readonly #old = new Map<Predictor, Promise<void>>();

  constructor({ name, version }: ModelName, { labels, wake }: ServedModelOptions) {
    this.name = name;
    this.version = version;
    this.labels = labels;
    this.#wake = wake;
    this.#state = wake === undefined ? "unloaded" : "standby";
  }

  get state(): ModelState {
    return this.#state;
  }

  /** True when a call made now would reach a model, be it after loading it; what readiness probes ask. */
  get isReady(): boolean {
    return (
      this.#state === "standby" || (this.#state === "ready" && this.#predictor?.stats?.ready !== 0)
    );
  }

  /** True when there is a predictor in use. */
  get isLoaded(): boolean {
    return this.#predictor !== undefined;
  }

  /** True when calls wait for the model or are inside it. */
  get isBusy(): boolean {
    const { queued = 0, running = 0 } = this.stats ?? {};
    return queued + running > 0;
  }

  /** Time of the last call, or of the load if there was none after it, in ms since 1970. */
  get usedAt(): number {
    return Math.max(this.statistics.lastCallAt, this.#loadedAt);
  }

  /** True for a model that a call has to `wake` before it asks for the predictor. */
  get isAsleep(): boolean {
    if (this.#wake === undefined || this.#predictor !== undefined) return false;
    return (
      this.#state === "standby" ||
      (this.#state === "failed" && performance.now() - this.#failedAt > RETRY_MS)
    );
  }

  /** Loads a model that `isAsleep`; calls that come while it loads wait for the same load. @throws what the load throws */
  async wake(): Promise<void> {
    if (!this.isAsleep) return;
    this.#waking += 1;
    try {
      await this.#wake?.();
    } finally {
      setImmediate(() => (this.#waking -= 1)); // whoever waited has made its call by then
    }
  }

  /** True while calls that waited for the load have not been made yet: it may not be put to rest. */
  get isWaking(): boolean {
    return this.#waking > 0;
  }

  /** Why it is not ready, in a few words; `ready` when it is. */
  get reason(): string {
    if (this.#state !== "ready" && this.#state !== "standby") return this.#why ?? this.#state;
    return this.isReady ? "ready" : "no worker runs";
  }

  /** How busy the predictor in use is. */
  get stats(): PredictorStats | undefined {
    return this.#predictor?.stats;
  }

  /** The predictor in use. Ask anew for each request, since a reload changes it. @throws InferenceError `MODEL_NOT_READY` before the first `use` */
  get predictor(): Predictor {
    if (this.#predictor === undefined)
      throw new InferenceError(
        "MODEL_NOT_READY",
        `call the model "${this.name}": ${this.#told()}`,
        {
          model: this.name,
        },
      );
    return this.#predictor;
  }

  /** Seconds after which a refused call may be tried again: the time that what waits now will take, 1 to 60. */
  get retryAfterSeconds(): number {
    const { queued = 0, running = 0, workers = 1, callMs = 0 } = this.stats ?? {};
    const waitMs = ((queued + running) * callMs) / Math.max(1, workers);
    return Math.min(60, Math.max(1, Math.ceil(waitMs / 1000)));
  }

  /** Says that a predictor is being loaded; one that is in use goes on, and a model that loads with its first call stays ready for calls. */
  begin(): void {
    if (this.#predictor !== undefined) return;
    this.#state = this.#wake === undefined ? "loading" : "standby";
  }

  /** Says that loading came to nothing; a predictor that is in use goes on. */
  fail(why: string): void {
    if (this.#predictor !== undefined || this.#state === "stopping") return;
    this.#state = "failed";
    this.#why = why;
    this.#failedAt = performance.now();
  }

  /**
   * Takes a loaded predictor into use and ends the one before when its calls are done.
   * @param ended - called when this predictor has ended
   */
  use(predictor: Predictor, ended?: () => void): void {
    const before = this.#predictor;
    const beforeEnded = this.#ended;
    this.#predictor = predictor;
    this.#ended = ended;
    this.#loadedAt = Date.now();
    if (this.#state !== "stopping") this.#state = "ready";
    if (before !== undefined) void this.#end(before, beforeEnded); // never rejects; `dispose` waits for it
  }

  /** Takes the predictor out of use; resolves when its calls are done. */
  async unload(): Promise<void> {
    await this.#leave("unloaded");
  }

  /** The same for a model that loads with its first call: the next one loads it again. */
  async rest(): Promise<void> {
    await this.#leave(this.#state === "stopping" ? "stopping" : "standby");
  }

  async #leave(state: ModelState): Promise<void> {
    const before = this.#predictor;
    const ended = this.#ended;
    this.#predictor = undefined;
    this.#ended = undefined;
    this.#state = state;
    this.#why = undefined;
    if (before !== undefined) await this.#end(before, ended);
  }

  /** Calls go on being answered; readiness is over. */
  drain(): void {
    this.#state = "stopping";
  }

  /** Ends all calls that are under way, with `MODEL_NOT_READY`. */
  abandon(): void {
    this.drain();
    for (const predictor of [...this.#old.keys(), this.#predictor]) predictor?.abandon?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drain();
    await Promise.all([...this.#old.values(), this.#predictor?.[Symbol.asyncDispose]()]);
  }

  async #end(predictor: Predictor, ended: (() => void) | undefined): Promise<void> {
    const end = Promise.resolve(predictor[Symbol.asyncDispose]()).finally(() => {
      this.#old.delete(predictor);
      ended?.();
    });
    this.#old.set(predictor, end);
    await end;
  }

  #told(): string {
    if (this.#state === "failed") return `it did not load: ${this.#why ?? ""}`;
    if (this.#state === "stopping") return "the server is stopping";
    return this.#state === "unloaded" ? "it is not loaded" : "it is still loading";
  }
}
