import { Worker } from "node:worker_threads";
import { threadFile } from "./thread-file.ts";

/** What a spare thread is sent once: the `data` that another one gets as its `workerData`. */
export interface ThreadStart {
  readonly start: unknown;
}

/**
 * Keeps one thread of a file started ahead, so that a model that loads with its first call does not wait for the thread and its runtime. The
 * next one is started when the one that was taken has said its first word, since both would want the same processor.
 */
export class SpareThreads implements AsyncDisposable {
  readonly #path: string;
  #spare: Worker | undefined;
  #isClosed = false;

  /** @param folder - has the thread's file @param file - its name without ending @throws InferenceError `RUNTIME_MISSING` */
  constructor(folder: string, file: string) {
    this.#path = threadFile(folder, file);
    this.#prepare();
  }

  /** A thread that has been sent its data, to be listened to at once. */
  take(data: unknown): Worker {
    const worker = this.#spare ?? this.#begin();
    this.#spare = undefined;
    worker.removeAllListeners();
    worker.ref();
    worker.postMessage({ start: data } satisfies ThreadStart);
    worker.once("message", () => this.#prepare());
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#spare?.terminate();
  }

  #prepare(): void {
    if (this.#isClosed || this.#spare !== undefined) return;
    const spare = this.#begin();
    spare.unref();
    const forget = (): void => {
      if (this.#spare === spare) this.#spare = undefined;
    };
    spare.once("error", forget); // it says why when the next one is started for a model
    spare.once("exit", forget);
    this.#spare = spare;
  }

  #begin(): Worker {
    return new Worker(this.#path, { stdout: false, stderr: false });
  }
}
