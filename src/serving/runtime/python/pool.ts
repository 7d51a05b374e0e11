import { setTimeout as delay } from "node:timers/promises";
import { InferenceError, isToolError, ToolError } from "../../../ground/errors/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import {
  takeLate,
  takePlace,
  type CallerOptions,
  type ComponentFacts,
  type ComponentRequest,
  type ComponentResponse,
  type GraphComponent,
  type PredictorStats,
} from "../../plane/index.ts";
import type { ProcessFacts } from "./facts.ts";
import { inputBytes, payloadBytes, UnsendableError } from "./frame-writer.ts";
import { watchMemory, type MemoryWatch } from "./memory-watch.ts";
import type { Worker } from "./worker.ts";
import type { Flight, WorkerCall } from "./worker-call.ts";

export interface PoolOptions {
  readonly model: string;
  readonly workers: number;
  /** Calls that may wait; more are refused with OVERLOADED. */
  readonly maxQueue: number;
  /** Time that a stopping worker has between SIGTERM and SIGKILL, in ms. */
  readonly graceMs: number;
  /** Private memory of a worker beyond which it is ended, in bytes. */
  readonly memoryBytes: number | undefined;
  readonly onRestart:
    | ((event: {
        readonly worker: number;
        readonly reason: string;
        readonly delayMs: number;
      }) => void)
    | undefined;
  /** Starts worker number `index`; the pool is told through the callbacks. */
  readonly start: (index: number, callbacks: Pick<WorkerCallbacks, "onRoom" | "onEnd">) => Worker;
}

interface WorkerCallbacks {
  readonly onRoom: (worker: Worker) => void;
  readonly onEnd: (worker: Worker, unbegun: readonly Flight[]) => void;
}

const FIRST_PAUSE_MS = 100;
/**
 * Longest pause before a new worker: after one that had been ready, and after one that never was.
 */
const LONGEST_PAUSE_MS = 1000;
const LONGEST_START_PAUSE_MS = 10_000;
/** A worker that lived this long is not part of a crash loop. */
const STEADY_MS = 3000;
const MAX_LOST = 3;
/** Tries to start a first worker while the system has no room: about six seconds in all. */
const MAX_ATTEMPTS = 6;
const NO_FACTS: ComponentFacts = { methods: [] };

/** Sending a call and taking it back. */
export type PoolCalls = Pick<WorkerPool, "enter" | "cancel">;

/** N worker processes behind one queue: least-loaded first, restarted when they die. */
export class WorkerPool implements GraphComponent, AsyncDisposable {
  readonly #options: PoolOptions;
  readonly #workers: (Worker | undefined)[];
  readonly #queue: Flight[] = [];
  readonly #timers = new Map<number, NodeJS.Timeout>();
  readonly #failures: number[];
  readonly #startedAt: number[];
  #memory: MemoryWatch | undefined;
  #restarts = 0;
  #ready: ProcessFacts | undefined;
  #isStarted = false;
  #isClosed = false;
  #isAbandoned = false;
  #closing: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#workers = Array.from({ length: options.workers }, () => undefined);
    this.#failures = this.#workers.map(() => 0);
    this.#startedAt = this.#workers.map(() => 0);
  }

  get facts(): ComponentFacts {
    return this.#ready?.graph ?? NO_FACTS;
  }

  /** What the first worker said when it was ready; undefined before `start`. */
  get ready(): ProcessFacts | undefined {
    return this.#ready;
  }

  get stats(): PredictorStats {
    const workers = this.#workers.filter((worker) => worker !== undefined);
    return {
      queued: this.#queue.length,
      running: workers.reduce((sum, worker) => sum + worker.load, 0),
      workers: this.#options.workers,
      ready: workers.filter((worker) => worker.isReady).length,
      restarts: this.#restarts,
      ...callMsOf(workers),
    };
  }

  /** Process ids of the workers that run, for tests and `/proc`. */
  get pids(): readonly number[] {
    return this.#workers.flatMap((worker) => worker?.process.pid ?? []);
  }

  /** Starts all workers and waits until they are ready. @throws what the first failing one throws; all are ended then. */
  async start(options: CallOptions): Promise<void> {
    options.signal?.throwIfAborted();
    const starts = this.#workers.map(async (_, index) => this.#startPatiently(index));
    const abort = (): void =>
      this.#workers.forEach((worker) =>
        worker?.kill(
          new InferenceError("INTERRUPTED", `load the model "${this.#options.model}": interrupted`),
        ),
      );
    options.signal?.addEventListener("abort", abort, { once: true });
    try {
      [this.#ready] = await Promise.all(starts);
      this.#isStarted = true;
      if (this.#options.memoryBytes !== undefined)
        this.#memory = watchMemory(
          this.#options.memoryBytes,
          () => this.#workers,
          this.#options.model,
        );
    } catch (error) {
      this.#isClosed = true;
      const left = this.#workers.filter((worker) => worker !== undefined);
      left.forEach((worker) => worker.process.signal("SIGKILL"));
      await Promise.all(left.map((worker) => worker.process.ended));
      options.signal?.throwIfAborted();
      throw error;
    } finally {
      options.signal?.removeEventListener("abort", abort);
    }
  }

  /** @param component - which of the components in each process is asked */
  call(
    request: ComponentRequest,
    caller: CallerOptions = {},
    component = 0,
  ): Promise<ComponentResponse> {
    return this.enter({ kind: "graph", request, component }, caller)
      .done as Promise<ComponentResponse>; // a graph's method answers with one
  }

  /** Sends or queues a call; `done` settles when its last answer has come. */
  enter(
    call: WorkerCall,
    caller: CallerOptions,
  ): { readonly flight: Flight; readonly done: Promise<ComponentResponse | undefined> } {
    const { signal } = caller;
    const answer = Promise.withResolvers<ComponentResponse | undefined>();
    const flight: Flight = {
      call,
      bytes: call.kind === "graph" ? payloadBytes(call.request) : inputBytes(call.request),
      resolve: answer.resolve,
      reject: answer.reject,
      caller,
      isGone: false,
      lost: 0,
      sentAt: 0,
      id: 0,
    };
    if (signal?.aborted === true) answer.reject(signal.reason);
    else if (this.#isClosed)
      answer.reject(this.#refusal("MODEL_NOT_READY", "the server is stopping"));
    else {
      const refusal = this.#admit(flight);
      if (refusal !== undefined) answer.reject(refusal);
      else if (signal !== undefined)
        return { flight, done: this.#follow(flight, signal, answer.promise) };
    }
    return { flight, done: answer.promise };
  }

  /** Nobody waits for the answers of this call any more: it leaves the queue, or its code is told to stop. */
  cancel(flight: Flight): void {
    const reason = new InferenceError("INTERRUPTED", "call the model: the client has given up");
    this.#drop(flight, reason);
    for (const worker of this.#workers) worker?.cancel(flight);
  }

  /** Waits for the calls inside and in the queue, then ends the workers: SIGTERM, and SIGKILL after the grace time. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  abandon(): void {
    this.#isClosed = this.#isAbandoned = true;
    for (const flight of this.#queue.splice(0))
      flight.reject(this.#refusal("MODEL_NOT_READY", "the server has stopped"));
    for (const worker of this.#workers)
      worker?.kill(this.#refusal("MODEL_NOT_READY", "the server has stopped"));
  }

  /** Sends the call or queues it; the reason when neither can be done. */
  #admit(flight: Flight): ToolError | undefined {
    if (this.#queue.length === 0) {
      const worker = this.#freest(flight.bytes);
      if (worker !== undefined) return this.#send(worker, flight);
    }
    if (this.#isDown())
      return this.#refusal("MODEL_NOT_READY", "no worker runs, and the last one did not start");
    if (this.#queue.length >= this.#options.maxQueue)
      return this.#refusal("OVERLOADED", `${this.#queue.length} calls wait already`);
    takePlace(this.#queue, flight, ({ caller }) => caller);
    this.#watchCaller(flight);
    return undefined;
  }

  #send(worker: Worker, flight: Flight): ToolError | undefined {
    try {
      worker.send(flight);
      return undefined;
    } catch (error) {
      if (error instanceof UnsendableError) return this.#refusal("REQUEST_INVALID", error.message);
      throw error;
    }
  }

  /** Ends the wait when the caller goes; a call that is inside a worker already is answered to nobody. */
  async #follow(
    flight: Flight,
    signal: AbortSignal,
    answer: Promise<ComponentResponse | undefined>,
  ): Promise<ComponentResponse | undefined> {
    const abort = (): void => this.#drop(flight, signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await answer;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Takes a call that waits out of the queue when its caller goes. */
  #watchCaller(flight: Flight): void {
    const signal = flight.caller.whileWaiting?.();
    if (signal?.aborted === true) this.#drop(flight, signal.reason);
    else signal?.addEventListener("abort", () => this.#drop(flight, signal.reason), { once: true });
  }

  #drop(flight: Flight, reason: unknown): void {
    flight.isGone = true;
    const at = this.#queue.indexOf(flight);
    if (at >= 0) this.#queue.splice(at, 1);
    flight.reject(reason);
    if (this.#isClosed) this.#pump(); // it may have been the last one
  }

  #freest(bytes: number): Worker | undefined {
    let best: Worker | undefined;
    for (const worker of this.#workers) {
      if (worker?.hasRoom(bytes) === true && (best === undefined || worker.load < best.load))
        best = worker;
    }
    return best;
  }

  readonly #pump = (): void => {
    for (const flight of takeLate(this.#queue, ({ caller }) => caller))
      this.#drop(flight, this.#refusal("MODEL_TIMEOUT", "its turn came too late"));
    while (this.#queue.length > 0) {
      const flight = this.#queue[0];
      const worker = flight === undefined ? undefined : this.#freest(flight.bytes);
      if (flight === undefined || worker === undefined) break;
      this.#queue.shift();
      const refusal = this.#send(worker, flight);
      if (refusal !== undefined) flight.reject(refusal);
    }
    if (this.#isClosed && this.#queue.length === 0 && this.stats.running === 0) this.#drained?.();
  };

  /** Starts a worker anew while the system has no room for a process. */
  async #startPatiently(index: number): Promise<ProcessFacts> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#start(index).ready;
      } catch (error) {
        const isPassing = isToolError(error) && error.code === "MODEL_NOT_READY";
        if (!isPassing || attempt >= MAX_ATTEMPTS || this.#isClosed) throw error;
        await delay(FIRST_PAUSE_MS * 2 ** attempt);
      }
    }
  }

  #start(index: number): Worker {
    const worker = this.#options.start(index, {
      onRoom: this.#pump,
      onEnd: (ended, unbegun) => this.#onEnd(ended, unbegun),
    });
    this.#workers[index] = worker;
    this.#startedAt[index] = performance.now();
    return worker;
  }

  #onEnd(worker: Worker, unbegun: readonly Flight[]): void {
    const { index } = worker;
    this.#workers[index] = undefined;
    for (const flight of unbegun.toReversed()) {
      flight.lost += 1;
      if (flight.isGone) continue;
      if (this.#isAbandoned)
        flight.reject(this.#refusal("MODEL_NOT_READY", "the server has stopped"));
      else if (flight.lost < MAX_LOST) {
        this.#queue.unshift(flight);
        this.#watchCaller(flight);
      } else
        flight.reject(
          this.#refusal("WORKER_CRASHED", `${MAX_LOST} workers died before they began this call`),
        );
    }
    if (this.#isStarted && (!this.#isClosed || this.#queue.length > 0))
      this.#scheduleRestart(worker);
    if (this.#isDown())
      for (const flight of this.#queue.splice(0))
        flight.reject(this.#refusal("MODEL_NOT_READY", "the workers do not start"));
    this.#pump();
  }

  #scheduleRestart({ index, wasReady }: Worker): void {
    const isSteady = performance.now() - (this.#startedAt[index] ?? 0) > STEADY_MS;
    const failures = isSteady ? 0 : (this.#failures[index] ?? 0);
    this.#failures[index] = failures + 1;
    const longestMs = wasReady ? LONGEST_PAUSE_MS : LONGEST_START_PAUSE_MS;
    const delayMs = failures === 0 ? 0 : Math.min(longestMs, FIRST_PAUSE_MS * 2 ** (failures - 1));
    this.#options.onRestart?.({ worker: index, reason: "the process ended", delayMs });
    const restart = (): void => {
      this.#timers.delete(index);
      this.#restarts += 1;
      const worker = this.#start(index);
      worker.ready.then(this.#pump, () => undefined); // a failed start comes back through onEnd
    };
    this.#timers.set(index, setTimeout(restart, delayMs));
  }

  /** True when no worker runs or starts at once: every one of them has failed more than once in a row. */
  #isDown(): boolean {
    return this.#workers.every(
      (worker, index) => worker === undefined && (this.#failures[index] ?? 0) > 1,
    );
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#memory?.stop();
    if (this.#queue.length > 0 || this.stats.running > 0)
      await new Promise<void>((resolve) => (this.#drained = resolve));
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(
      this.#workers.filter((worker) => worker !== undefined).map((worker) => this.#stop(worker)),
    );
  }

  async #stop(worker: Worker): Promise<void> {
    worker.process.signal("SIGTERM");
    const timer = setTimeout(() => worker.process.signal("SIGKILL"), this.#options.graceMs);
    await worker.process.ended;
    clearTimeout(timer);
  }

  #refusal(
    code: "MODEL_NOT_READY" | "MODEL_TIMEOUT" | "OVERLOADED" | "REQUEST_INVALID" | "WORKER_CRASHED",
    why: string,
  ): InferenceError {
    return new InferenceError(code, `call the model "${this.#options.model}": ${why}`, {
      model: this.#options.model,
    });
  }
}

/** The time of one call over all workers that know theirs. */
function callMsOf(workers: readonly Worker[]): Pick<PredictorStats, "callMs"> {
  const known = workers.map(({ callMs }) => callMs).filter((callMs) => callMs !== undefined);
  return known.length === 0
    ? {}
    : { callMs: known.reduce((sum, callMs) => sum + callMs, 0) / known.length };
}
