import { InferenceError } from "../../ground/errors/index.ts";
import type {
  CallerOptions,
  Component,
  ComponentFacts,
  ComponentRequest,
  ComponentResponse,
  ComponentStats,
} from "../runtime/index.ts";
import { formatTraceparent, parseTraceparent, type Tracer } from "./observe/index.ts";

/**
 * The one place that REST and gRPC call: holds the component that is in use, whether it may be asked, and swaps it for a
 * newer one without losing a call.
 */
export class InferenceService implements AsyncDisposable {
  readonly name: string;
  readonly #tracer: Tracer | undefined;
  #component: Component | undefined;
  #isDraining = false;
  readonly #old = new Map<Component, Promise<void>>();

  /** `tracer`: makes a span of each call whose request carries a `traceparent`. */
  constructor(name: string, tracer?: Tracer) {
    this.name = name;
    this.#tracer = tracer;
  }

  /** True when a call made now would reach a model; what readiness probes ask. */
  get isReady(): boolean {
    return this.#component !== undefined && !this.#isDraining && this.#component.stats?.ready !== 0;
  }

  /** Why it is not ready, in a few words. */
  get reason(): string {
    if (this.#isDraining) return "stopping";
    if (this.#component === undefined) return "loading";
    return this.isReady ? "ready" : "no worker runs";
  }

  /** How busy the component in use is. */
  get stats(): ComponentStats | undefined {
    return this.#component?.stats;
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
    const ended = Promise.resolve(before[Symbol.asyncDispose]()).finally(() =>
      this.#old.delete(before),
    );
    this.#old.set(before, ended);
  }

  /** Calls go on being answered; readiness is over. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Ends all calls that are under way, with `MODEL_NOT_READY`. */
  abandon(): void {
    this.#isDraining = true;
    for (const component of [...this.#old.keys(), this.#component]) component?.abandon?.();
  }

  /** @throws what the component throws; InferenceError `MODEL_NOT_READY` before the first `use` */
  call(request: ComponentRequest, options?: CallerOptions): Promise<ComponentResponse> {
    const tracer = this.#tracer;
    if (tracer === undefined || request.traceparent === undefined)
      return this.#loaded().call(request, options);
    return this.#traced(tracer, request, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDraining = true;
    await Promise.all([...this.#old.values(), this.#component?.[Symbol.asyncDispose]()]);
  }

  async #traced(
    tracer: Tracer,
    request: ComponentRequest,
    options: CallerOptions | undefined,
  ): Promise<ComponentResponse> {
    const parent = parseTraceparent(request.traceparent ?? "");
    if (parent === undefined) return this.#loaded().call(request, options);
    const span = tracer.child(parent);
    const about = {
      name: `model ${request.method}`,
      kind: "internal",
      startedAt: performance.now(),
      attributes: { "slipway.model": this.name },
    } as const;
    try {
      const response = await this.#loaded().call(
        { ...request, traceparent: formatTraceparent(span) },
        options,
      );
      tracer.end(span, about);
      return response;
    } catch (error) {
      tracer.end(span, { ...about, error: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  #loaded(): Component {
    if (this.#component === undefined)
      throw new InferenceError(
        "MODEL_NOT_READY",
        `call the model "${this.name}": it is still loading`,
        { model: this.name },
      );
    return this.#component;
  }
}
