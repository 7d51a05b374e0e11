import { Worker, type TransferListItem } from "node:worker_threads";
import { InferenceError, type ErrorCode } from "../../../ground/errors/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import type { CallerOptions, PredictorStats } from "../../plane/index.ts";
import type { SpareThreads } from "./spare-threads.ts";
import { threadFile } from "./thread-file.ts";

/** What a thread sends: once `ready` or `failed`, then one `done` or `error` for each call, and log lines at any time. */
export type FromThread =
  | { readonly kind: "ready"; readonly facts: unknown }
  | {
      readonly kind: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint?: string;
    }
  | { readonly kind: "done"; readonly id: number; readonly value: unknown }
  | {
      readonly kind: "error";
      readonly id: number;
      readonly error: unknown;
      /** True when the thread ends now, and another one is to take its place. */
      readonly isLast?: boolean;
    }
  | {
      readonly kind: "log";
      readonly level: string;
      readonly text: string;
      readonly requestId?: string;
    };

/** What a thread is sent. */
export interface ToThread {
  readonly id: number;
  readonly value: unknown;
}

export interface ThreadPoolOptions {
  readonly model: string;
  /** File of the thread without its ending; it lies beside the module that asks, or beside the bundle. */
  readonly file: string;
  /** Folder of the module that asks. */
  readonly folder: string;
  /** `workerData` of every thread. */
  readonly data: unknown;
  readonly threads: number;
  /** Whole environment of the threads. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Longest time for one call from when a thread could begin it, in ms. */
  readonly timeoutMs: number;
  /** Calls that may wait. */
  readonly maxQueue: number;
  /** Threads of that file that wait for their `data` already. Default: each thread is started when it is needed. */
  readonly spares?: SpareThreads | undefined;
  /** Turns what a thread sent as an error into one to reject with. */
  readonly toError: (error: unknown) => Error;
  readonly onLog: (line: Extract<FromThread, { kind: "log" }>, thread: number) => void;
}

interface Call {
  readonly value: unknown;
  readonly transfer: readonly TransferListItem[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

interface Thread {
  readonly index: number;
  readonly worker: Worker;
  isReady: boolean;
  /** True for one that was ready, and says that it ends. */
  isLeaving: boolean;
  call: Call | undefined;
  timer: NodeJS.Timeout | undefined;
  /** When its call was sent, in ms of `performance.now()`. */
  sentAt: number;
}

/** Worker threads that answer one call at a time each, behind one bounded queue. A thread that hangs or dies is replaced. */
export class ThreadPool implements AsyncDisposable {
  readonly #options: ThreadPoolOptions;
  readonly #threads: (Thread | undefined)[];
  readonly #queue: Call[] = [];
  #isClosed = false;
  #drained: (() => void) | undefined;
  #id = 0;
  #restarts = 0;
  #callMs: number | undefined;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    this.#threads = Array.from({ length: options.threads }, () => undefined);
  }

  /** Starts all threads; resolves to what the first one says of itself. @throws InferenceError */
  async start(options: CallOptions = {}): Promise<unknown> {
    options.signal?.throwIfAborted();
    try {
      const [facts] = await Promise.all(this.#threads.map((_, index) => this.#start(index)));
      options.signal?.throwIfAborted();
      return facts;
    } catch (error) {
      this.#isClosed = true;
      await this.#terminate();
      throw error;
    }
  }

  /** @throws what `toError` makes; InferenceError `OVERLOADED`, `MODEL_TIMEOUT`, `WORKER_CRASHED`, `MODEL_NOT_READY` */
  call(
    value: unknown,
    transfer: readonly TransferListItem[] = [],
    caller: CallerOptions = {},
  ): Promise<unknown> {
    const { signal } = caller;
    if (this.#isClosed)
      return Promise.reject(this.#error("MODEL_NOT_READY", "the server is stopping"));
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error); // whatever the caller gave
    if (this.#queue.length >= this.#options.maxQueue)
      return Promise.reject(this.#error("OVERLOADED", `${this.#queue.length} calls wait already`));
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const call = { value, transfer, resolve, reject };
    this.#queue.push(call);
    signal?.addEventListener("abort", () => this.#abandon(call, signal.reason), { once: true });
    this.#pump();
    if (this.#queue.at(-1) === call) this.#watchCaller(call, caller);
    return promise;
  }

  get stats(): PredictorStats {
    const threads = this.#threads.filter((thread) => thread !== undefined);
    return {
      queued: this.#queue.length,
      running: threads.filter(({ call }) => call !== undefined).length,
      workers: this.#options.threads,
      ready: threads.filter(({ isReady }) => isReady).length,
      restarts: this.#restarts,
      ...(this.#callMs !== undefined && { callMs: this.#callMs }),
    };
  }

  /** Ends the threads at once; calls that are under way fail. */
  abandon(): void {
    this.#isClosed = true;
    const why = this.#error("MODEL_NOT_READY", "the server has stopped");
    for (const call of this.#queue.splice(0)) call.reject(why);
    for (const thread of this.#threads) {
      thread?.call?.reject(why);
      if (thread !== undefined) thread.call = undefined;
    }
    void this.#terminate(); // ends of threads are seen by their events
    this.#drained?.();
  }

  /** Waits for the calls that are under way, then ends the threads. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    if (!this.#isIdle()) await new Promise<void>((resolve) => (this.#drained = resolve));
    await this.#terminate();
  }

  #abandon(call: Call, reason: unknown): void {
    const at = this.#queue.indexOf(call);
    if (at >= 0) this.#queue.splice(at, 1);
    call.reject(reason);
  }

  #watchCaller(call: Call, caller: CallerOptions): void {
    const signal = caller.whileWaiting?.();
    if (signal?.aborted === true) this.#drop(call, signal.reason);
    else signal?.addEventListener("abort", () => this.#drop(call, signal.reason), { once: true });
  }

  /** Takes a call out of the queue; one that has begun goes on. */
  #drop(call: Call, reason: unknown): void {
    const at = this.#queue.indexOf(call);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    call.reject(reason);
    this.#pump();
  }

  #isIdle(): boolean {
    return this.#queue.length === 0 && this.#threads.every((thread) => thread?.call === undefined);
  }

  #pump(): void {
    for (const thread of this.#threads) {
      if (this.#queue.length === 0) break;
      if (thread?.isReady !== true || thread.call !== undefined) continue;
      const call = this.#queue.shift();
      if (call !== undefined) this.#send(thread, call);
    }
    if (this.#isClosed && this.#isIdle()) this.#drained?.();
  }

  #send(thread: Thread, call: Call): void {
    thread.call = call;
    thread.sentAt = performance.now();
    thread.timer = setTimeout(() => this.#hang(thread), this.#options.timeoutMs);
    thread.timer.unref();
    this.#id += 1;
    thread.worker.postMessage(
      { id: this.#id, value: call.value } satisfies ToThread,
      call.transfer,
    );
  }

  #hang(thread: Thread): void {
    thread.call?.reject(
      this.#error("MODEL_TIMEOUT", `no answer after ${this.#options.timeoutMs} ms`),
    );
    thread.call = undefined;
    void thread.worker.terminate(); // the exit event goes on from here
  }

  #start(index: number): Promise<unknown> {
    const worker = this.#newWorker();
    const thread: Thread = {
      index,
      worker,
      isReady: false,
      isLeaving: false,
      call: undefined,
      timer: undefined,
      sentAt: 0,
    };
    this.#threads[index] = thread;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    worker.on("message", (message: FromThread) => {
      if (message.kind === "ready") {
        thread.isReady = true;
        resolve(message.facts);
        this.#pump();
      } else if (message.kind === "failed") {
        reject(
          new InferenceError(
            message.code,
            `load the model "${this.#options.model}": ${message.message}`,
            { model: this.#options.model, hint: message.hint },
          ),
        );
      } else this.#take(thread, message);
    });
    worker.on("error", (error) =>
      this.#lose(thread, error instanceof Error ? error.message : String(error)),
    );
    worker.on("exit", (code) => {
      reject(this.#error("MODEL_LOAD_FAILED", `the thread ended with ${code} before it was ready`));
      this.#exit(thread, code);
    });
    return promise;
  }

  #newWorker(): Worker {
    const { file, folder, data, env, spares } = this.#options;
    if (spares !== undefined) return spares.take(data);
    return new Worker(threadFile(folder, file), {
      workerData: data,
      stdout: false,
      stderr: false,
      ...(env !== undefined && { env: { ...env } }),
    });
  }

  #take(thread: Thread, message: Exclude<FromThread, { kind: "ready" | "failed" }>): void {
    if (message.kind === "log") {
      this.#options.onLog(message, thread.index);
      return;
    }
    const { call } = thread;
    clearTimeout(thread.timer);
    thread.call = undefined;
    const callMs = performance.now() - thread.sentAt;
    this.#callMs = this.#callMs === undefined ? callMs : this.#callMs + (callMs - this.#callMs) / 8;
    if (message.kind === "done") call?.resolve(message.value);
    else {
      if (message.isLast === true) [thread.isReady, thread.isLeaving] = [false, true];
      call?.reject(this.#options.toError(message.error));
    }
    this.#pump();
  }

  #lose(thread: Thread, why: string): void {
    thread.call?.reject(this.#error("WORKER_CRASHED", `the thread failed: ${why}`));
    thread.call = undefined;
  }

  #exit(thread: Thread, code: number): void {
    clearTimeout(thread.timer);
    this.#lose(thread, `it ended with ${code}`);
    const wasReady = thread.isReady || thread.isLeaving;
    thread.isReady = false;
    this.#threads[thread.index] = undefined;
    const isNeeded = !this.#isClosed || this.#queue.length > 0;
    if (wasReady && isNeeded) {
      this.#restarts += 1;
      this.#start(thread.index).catch((error: unknown) => this.#failAll(error));
    }
    this.#pump();
  }

  /** A replacement that does not load: with no thread left nobody will ever answer. */
  #failAll(error: unknown): void {
    if (this.#threads.some((thread) => thread !== undefined)) return;
    for (const call of this.#queue.splice(0)) call.reject(error);
    this.#pump();
  }

  async #terminate(): Promise<void> {
    await Promise.all(this.#threads.map(async (thread) => thread?.worker.terminate()));
  }

  #error(code: ErrorCode, why: string): InferenceError {
    return new InferenceError(code, `call the model "${this.#options.model}": ${why}`, {
      model: this.#options.model,
    });
  }
}
