import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { InferenceError, ToolError } from "../../../ground/errors/index.ts";
import {
  receiveError,
  type CodecInput,
  type CodecName,
  type CodecOutput,
  type Codecs,
} from "../../protocols/index.ts";
import { packed, type FromCodecThread } from "./codec-messages.ts";

export interface CodecPoolOptions {
  /** True where somebody looks at the body of a request after it was read, so that it is copied. Default false. */
  readonly keepsBodies?: boolean;
  /** Default: one for each processor, 4 at most. */
  readonly maxThreads?: number;
  /** A thread that had nothing to do for so long is ended, in ms. Default 30 000. */
  readonly idleMs?: number;
}

interface Job {
  readonly name: CodecName;
  readonly input: unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  job: Job | undefined;
  idle: NodeJS.Timeout | undefined;
}

const MAX_THREADS = 4;
const IDLE_MS = 30_000;
/** Memory of one thread for objects; numbers of tensors lie outside of it. */
const HEAP_MIB = 1024;

/**
 * Threads that read and write large messages, one at a time each. They are started as they are needed and ended when they are not. What waits
 * is bounded by the budget of bodies. Disposing ends them at once.
 */
export class CodecPool implements Codecs, Disposable {
  readonly #keepsBodies: boolean;
  readonly #maxThreads: number;
  readonly #idleMs: number;
  readonly #threads = new Set<Thread>();
  readonly #queue: Job[] = [];
  #isClosed = false;

  constructor({ keepsBodies = false, maxThreads, idleMs = IDLE_MS }: CodecPoolOptions = {}) {
    this.#keepsBodies = keepsBodies;
    this.#maxThreads = maxThreads ?? Math.min(MAX_THREADS, availableParallelism());
    this.#idleMs = idleMs;
  }

  /** Threads that there are now. */
  get size(): number {
    return this.#threads.size;
  }

  run<Name extends CodecName>(name: Name, input: CodecInput<Name>): Promise<CodecOutput<Name>> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#queue.push({ name, input, resolve, reject });
    this.#pump();
    return promise as Promise<CodecOutput<Name>>; // the thread runs the function of this name
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    const why = new InferenceError("MODEL_NOT_READY", "answer a request: the server has stopped");
    for (const job of this.#queue.splice(0)) job.reject(why);
    for (const thread of this.#threads) {
      thread.job?.reject(why);
      this.#end(thread);
    }
  }

  #pump(): void {
    while (this.#queue.length > 0) {
      const thread = this.#idleThread();
      const job = thread === undefined ? undefined : this.#queue.shift();
      if (thread === undefined || job === undefined) return;
      this.#give(thread, job);
    }
  }

  #idleThread(): Thread | undefined {
    for (const thread of this.#threads) if (thread.job === undefined) return thread;
    return this.#threads.size < this.#maxThreads && !this.#isClosed ? this.#start() : undefined;
  }

  #give(thread: Thread, job: Job): void {
    const { name, input } = job;
    thread.job = job;
    clearTimeout(thread.idle);
    const { message, transfer } = packed({ name, input }, this.#keepsBodies ? "kept" : "given");
    thread.worker.postMessage(message, transfer);
  }

  #start(): Thread {
    const worker = new Worker(threadFile(), {
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    });
    const thread: Thread = { worker, job: undefined, idle: undefined };
    worker.unref();
    worker.on("message", (answer: FromCodecThread) => this.#take(thread, answer));
    worker.on("error", (error: Error & { readonly code?: string }) =>
      this.#lose(
        thread,
        error.code === "ERR_WORKER_OUT_OF_MEMORY"
          ? new ToolError(
              "LIMIT_EXCEEDED",
              `read or write a message: it takes more than ${HEAP_MIB} MiB of memory`,
              { hint: "send fewer values at once, or tensors as raw bytes" },
            )
          : error,
      ),
    );
    worker.on("exit", (code) =>
      this.#lose(thread, new Error(`a thread for large messages ended with ${code}`)),
    );
    this.#threads.add(thread);
    return thread;
  }

  #take(thread: Thread, answer: FromCodecThread): void {
    const { job } = thread;
    thread.job = undefined;
    if ("error" in answer) job?.reject(receiveError(answer.error));
    else job?.resolve(answer.value);
    this.#pump();
    if (thread.job !== undefined) return;
    thread.idle = setTimeout(() => this.#end(thread), this.#idleMs);
    thread.idle.unref();
  }

  #lose(thread: Thread, why: Error): void {
    const { job } = thread;
    thread.job = undefined;
    clearTimeout(thread.idle);
    this.#threads.delete(thread);
    job?.reject(why);
    if (job !== undefined) this.#pump();
  }

  #end(thread: Thread): void {
    clearTimeout(thread.idle);
    thread.job = undefined;
    this.#threads.delete(thread);
    void thread.worker.terminate(); // nobody waits for it
  }
}

/** Sources, compiled files and the bundle of images name the file differently. */
function threadFile(): string {
  const found = [".ts", ".js", ".mjs"]
    .map((ending) => join(import.meta.dirname, `codec-thread${ending}`))
    .find((path) => existsSync(path));
  if (found === undefined)
    throw new InferenceError(
      "RUNTIME_MISSING",
      `start a thread: "codec-thread" is not in "${import.meta.dirname}"`,
    );
  return found;
}
