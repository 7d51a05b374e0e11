import { InferenceError } from "../errors/index.ts";
import type { CallOptions } from "../internal/index.ts";
import type { Component, ComponentFacts, ComponentRequest, ComponentResponse } from "../runtime/index.ts";

/**
 * The one place that REST and gRPC call: holds the component that is in use, whether it may be asked, and swaps it for a
 * newer one without losing a call.
 */
export class InferenceService implements AsyncDisposable {
  readonly name: string;
  #component: Component | undefined;
  #isDraining = false;
  readonly #old = new Set<Promise<void>>();

  constructor(name: string) {
    this.name = name;
  }

  /** True when a call made now would reach a model; what readiness probes ask. */
  get isReady(): boolean {
    return this.#component !== undefined && !this.#isDraining;
  }

  /** @throws InferenceError `MODEL_NOT_READY` before the first `use` */
  get facts(): ComponentFacts {
    return this.#loaded().facts;
  }

  get component(): Component | undefined {
    return this.#component;
  }

  /** Takes a loaded component into use and ends the one before when its calls are done. */
  use(component: Component): void {
    const before = this.#component;
    this.#component = component;
    if (before === undefined) return;
    const ended = Promise.resolve(before[Symbol.asyncDispose]()).finally(() => this.#old.delete(ended));
    this.#old.add(ended);
  }

  /** Calls go on being answered; readiness is over. */
  drain(): void {
    this.#isDraining = true;
  }

  /** @throws what the component throws; InferenceError `MODEL_NOT_READY` before the first `use` */
  call(request: ComponentRequest, options?: CallOptions): Promise<ComponentResponse> {
    return this.#loaded().call(request, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDraining = true;
    await Promise.all([...this.#old, this.#component?.[Symbol.asyncDispose]()]);
  }

  #loaded(): Component {
    if (this.#component === undefined) throw new InferenceError("MODEL_NOT_READY", `call the model "${this.name}": it is still loading`, { model: this.name });
    return this.#component;
  }
}
