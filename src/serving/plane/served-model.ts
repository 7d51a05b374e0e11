import { InferenceError } from "../../ground/errors/index.ts";
import type { Predictor, PredictorStats } from "./contracts.ts";
import { ModelStatistics } from "./statistics.ts";

/** Where a model is in its life. */
export type ModelState = "loading" | "ready" | "failed" | "unloaded" | "stopping";

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
  #state: ModelState = "unloaded";
  #why: string | undefined;
  readonly #old = new Map<Predictor, Promise<void>>();

  constructor({ name, version }: ModelName, labels: Readonly<Record<string, string>>) {
    this.name = name;
    this.version = version;
    this.labels = labels;
  }

  get state(): ModelState {
    return this.#state;
  }

  /** True when a call made now would reach a model; what readiness probes ask. */
  get isReady(): boolean {
    return this.#state === "ready" && this.#predictor?.stats?.ready !== 0;
  }

  /** Why it is not ready, in a few words; `ready` when it is. */
  get reason(): string {
    if (this.#state !== "ready") return this.#why ?? this.#state;
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

  /** Says that a predictor is being loaded; one that is in use goes on. */
  begin(): void {
    if (this.#predictor === undefined) this.#state = "loading";
  }

  /** Says that loading came to nothing; a predictor that is in use goes on. */
  fail(why: string): void {
    if (this.#predictor !== undefined) return;
    this.#state = "failed";
    this.#why = why;
  }

  /** Takes a loaded predictor into use and ends the one before when its calls are done. */
  use(predictor: Predictor): void {
    const before = this.#predictor;
    this.#predictor = predictor;
    if (this.#state !== "stopping") this.#state = "ready";
    if (before !== undefined) void this.#end(before); // never rejects; `dispose` waits for it
  }

  /** Takes the predictor out of use; resolves when its calls are done. */
  async unload(): Promise<void> {
    const before = this.#predictor;
    this.#predictor = undefined;
    this.#state = "unloaded";
    this.#why = undefined;
    if (before !== undefined) await this.#end(before);
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

  async #end(predictor: Predictor): Promise<void> {
    const ended = Promise.resolve(predictor[Symbol.asyncDispose]()).finally(() =>
      this.#old.delete(predictor),
    );
    this.#old.set(predictor, ended);
    await ended;
  }

  #told(): string {
    if (this.#state === "failed") return `it did not load: ${this.#why ?? ""}`;
    return this.#state === "unloaded" ? "it is not loaded" : "it is still loading";
  }
}
