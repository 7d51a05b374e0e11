import { Worker, type TransferListItem } from "node:worker_threads";
import { InferenceError, type ErrorCode } from "../../../ground/errors/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import { takeLate, takePlace, type CallerOptions, type PredictorStats } from "../../plane/index.ts";
import type { SpareThreads } from "./spare-threads.ts";
import type { FromThread, ToThread } from "./thread-messages.ts";
import { threadFile } from "./thread-file.ts";

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
  /** True for threads that answer `over` to `end`, before they are ended. Default false. */
  readonly saysGoodbye?: boolean;
  /** Turns what a thread sent as an error into one to reject with. */
  readonly toError: (error: unknown) => Error;
  readonly onLog: (line: Extract<FromThread, { kind: "log" }>, thread: number) => void;
}

interface Call {
  readonly value: unknown;
  readonly transfer: readonly TransferListItem[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  readonly caller: CallerOptions;
  /** Takes parts of the answer; absent where there is one answer. */
  readonly onPart?: (value: unknown) => void;
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
  /** Called when the thread has said good-bye. */
  onOver: (() => void) | undefined;
}

/** Longest time for a good-bye, in ms. */
const GOODBYE_MS = 5000;

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
    return this.#enqueue({ value, transfer }, caller).answered;
  }

  /**
   * The parts of an answer, one by one: the next is made when the one before has been taken. To end the iteration early tells the thread.
   * @throws as `call`
   */
  async *stream(value: unknown, caller: CallerOptions = {}): AsyncGenerator<unknown, void> {
    const state: { part?: { value: unknown }; isOver: boolean; wake: () => void } = {
      isOver: false,
      wake: () => undefined,
    };
    const onPart = (given: unknown): void => {
      state.part = { value: given };
      state.wake();
    };
    const { call, answered } = this.#enqueue({ value, transfer: [], onPart }, caller);
    const over = (): void => {
      state.isOver = true;
      state.wake();
    };
    answered.then(over, over);
    try {
      for (;;) {
        if (state.part === undefined && !state.isOver)
          await new Promise<void>((resolve) => (state.wake = resolve));
        const { part } = state;
        if (part === undefined) break;
        delete state.part;
        yield part.value;
        this.#step(call, "next");
      }
      await answered;
    } finally {
      this.#step(call, "stop");
    }
  }

  /** Tells the thread that is in a call; nothing where none is. */
  #step(call: Call, step: "next" | "stop"): void {
    const at = this.#queue.indexOf(call);
    if (at >= 0) this.#queue.splice(at, 1); // only `stop` can come so early
    const thread = this.#threads.find((one) => one?.call === call);
    if (thread === undefined) return;
    this.#time(thread);
    thread.worker.postMessage({ id: this.#id, step } satisfies ToThread);
  }

  #enqueue(
    asked: Pick<Call, "value" | "transfer" | "onPart">,
    caller: CallerOptions,
  ): { readonly call: Call; readonly answered: Promise<unknown> } {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const call = { ...asked, caller, resolve, reject };
    const refused = this.#whyNot(caller);
    if (refused === undefined) this.#wait(call, caller);
    else reject(refused);
    return { call, answered: promise };
  }

  #whyNot({ signal }: CallerOptions): unknown {
    if (this.#isClosed) return this.#error("MODEL_NOT_READY", "the server is stopping");
    if (signal?.aborted === true) return signal.reason;
    return this.#queue.length >= this.#options.maxQueue
      ? this.#error("OVERLOADED", `${this.#queue.length} calls wait already`)
      : undefined;
  }

  #wait(call: Call, caller: CallerOptions): void {
    const { signal } = caller;
    takePlace(this.#queue, call, (one) => one.caller);
    signal?.addEventListener("abort", () => this.#abandon(call, signal.reason), { once: true });
    this.#pump();
    if (this.#queue.includes(call)) this.#watchCaller(call, caller);
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
    if (this.#options.saysGoodbye === true) await Promise.all(this.#threads.map(sayGoodbye));
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
    for (const { reject } of takeLate(this.#queue, (one) => one.caller))
      reject(this.#error("MODEL_TIMEOUT", "its turn came too late"));
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
    this.#time(thread);
    this.#id += 1;
    thread.worker.postMessage(
      { id: this.#id, value: call.value } satisfies ToThread,
      call.transfer,
    );
  }

  /** Begins to count the time that a thread has anew. */
  #time(thread: Thread): void {
    clearTimeout(thread.timer);
    thread.timer = setTimeout(() => this.#hang(thread), this.#options.timeoutMs);
    thread.timer.unref();
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
      onOver: undefined,
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
    if (message.kind === "over") {
      thread.onOver?.();
      return;
    }
    if (message.kind === "part") {
      clearTimeout(thread.timer); // whoever reads has all the time there is
      thread.call?.onPart?.(message.value);
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

/** Resolves when a thread has done what it does before its end, or takes too long over it. */
async function sayGoodbye(thread: Thread | undefined): Promise<void> {
  if (thread?.isReady !== true) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, GOODBYE_MS);
  thread.onOver = resolve;
  thread.worker.once("exit", () => resolve());
  thread.worker.postMessage({ id: 0, step: "end" } satisfies ToThread);
  await promise;
  clearTimeout(timer);
}
