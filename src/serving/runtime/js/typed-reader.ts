import type { FromThread } from "../threads/index.ts";
import type { TypedAdapter, TypedCall } from "./typed-adapter.ts";
import { failureOf } from "./user-error.ts";

type Step = "next" | "stop";

/** Takes the answers of one call after the other out of a class: all at once, or one for each step. */
export class TypedReader {
  readonly #adapter: TypedAdapter;
  readonly #send: (message: FromThread) => void;
  #take: ((step: Step) => void) | undefined;
  #isStopped = false;

  constructor(adapter: TypedAdapter, send: (message: FromThread) => void) {
    this.#adapter = adapter;
    this.#send = send;
  }

  /** Answers a call: sends each part and waits for the step behind it, or gives them all. */
  async answer(id: number, call: TypedCall): Promise<unknown> {
    this.#isStopped = false;
    this.#take = undefined;
    const all: unknown[] = [];
    for await (const outputs of this.#adapter.infer(call)) {
      if (this.#isStopped) break;
      if (!call.isStreamed) all.push(outputs);
      else if ((await this.#part(id, outputs)) === "stop") break;
    }
    return all;
  }

  #part(id: number, value: unknown): Promise<Step> {
    const { promise, resolve } = Promise.withResolvers<Step>();
    this.#take = resolve;
    this.#send({ kind: "part", id, value });
    return promise;
  }

  /** The next part is wanted, or no more of them are. */
  step(step: Step): void {
    this.#isStopped = step === "stop";
    this.#take?.(step);
  }

  /** Lets the class put away what it holds. Never rejects. */
  async end(): Promise<void> {
    try {
      await this.#adapter.unload();
    } catch (error) {
      this.#send({ kind: "log", level: "error", text: failureOf(error).traceback });
    }
    this.#send({ kind: "over" });
  }
}
