import { InferenceError, isToolError, type ErrorCode } from "../../ground/errors/index.ts";
import {
  isRaw,
  type InferRequest,
  type InferResponse,
  type NamedTensor,
  type Predictor,
} from "./contracts.ts";
import { BatchWait } from "./batch-wait.ts";
import { openAxes, raggedLength, withLength } from "./pad-rows.ts";
import { joinRows, splitRows } from "./tensor-rows.ts";
import { takeLate, takePlace, type Urgency } from "./waiting-line.ts";
import { wrapped } from "./wrapped.ts";

export interface BatchOptions {
  /** Name of the model, for messages. */
  readonly model: string;
  /** Rows joined into one call at the most. 1 joins nothing. */
  readonly maxRows: number;
  /** Longest time that a worker that has just come free waits for company, in ms; 0 for none. Default: learned, at most 5. */
  readonly maxWaitMs?: number | undefined;
  /**
   * Pads requests of different lengths with this number, so that they are joined: see `raggedLength`. Open axes of outputs that have come out
   * as long are cut to the request's own length. Default: such requests are not joined.
   */
  readonly padValue?: number | undefined;
  /** Told how long requests waited before a call began with them, in ms each. */
  readonly onWait?: ((ms: number) => void) | undefined;
  /** Told how many rows a call had that several requests were joined into. */
  readonly onBatch?: ((rows: number, requests: number) => void) | undefined;
}

/**
 * Joins requests along axis 0, so that the model runs once for many. Requests are joined when the names, datatypes and trailing axes of
 * their inputs, the outputs that they want and their parameters are equal; size is counted in rows. A request that finds a worker idle does
 * not wait, and more urgent ones leave the queue first; a batch forms of those that came while all workers were busy, and of those that come back right behind a call (`BatchWait`). When a joined call fails for a reason that may lie in one request,
 * each is tried alone. A model whose outputs do not have the rows that went in is not asked with joined requests again.
 */
export function batched(predictor: Predictor, options: BatchOptions): Predictor {
  if (options.maxRows < 2 || !predictor.describe().joinsRows) return predictor;
  const batcher = new Batcher(predictor, options);
  return wrapped(predictor, {
    infer: async (request) => batcher.infer(request),
    [Symbol.asyncDispose]: async () => {
      await batcher.drained();
      await predictor[Symbol.asyncDispose]();
    },
    abandon: () => {
      batcher.abandon();
      predictor.abandon?.();
    },
    statsOf: () => {
      const inner = predictor.stats ?? NO_STATS;
      return { ...inner, queued: inner.queued + batcher.waiting };
    },
  });
}

const NO_STATS = { queued: 0, running: 0, workers: 1, ready: 1, restarts: 0 };

interface Waiting {
  readonly request: InferRequest;
  /** What has to be equal for joining; undefined for a request that stays alone. */
  readonly key: string | undefined;
  readonly rows: number;
  /** The length of its open axes, where it may be padded. */
  readonly length: number | undefined;
  readonly since: number;
  /** False once it has left the queue. */
  isWaiting: boolean;
  readonly resolve: (response: InferResponse) => void;
  readonly reject: (reason: unknown) => void;
}

/** After these each request of a joined call is tried alone: another one may be at fault. */
const TRIED_ALONE: ReadonlySet<ErrorCode> = new Set([
  "MODEL_FAILED",
  "REQUEST_INVALID",
  "TENSOR_INVALID",
]);

class Batcher {
  readonly #predictor: Predictor;
  readonly #options: BatchOptions;
  #queue: Waiting[] = [];
  #running = 0;
  /** Requests inside of calls. */
  #inside = 0;
  #keepsRows = true;
  readonly #wait: BatchWait;
  /** True while a timer is set for a batch that waits for more. */
  #isTimed = false;
  #drained: (() => void) | undefined;

  constructor(predictor: Predictor, options: BatchOptions) {
    this.#predictor = predictor;
    this.#options = options;
    this.#wait = new BatchWait(() => predictor.stats?.workers ?? 1, options.maxWaitMs);
  }

  get waiting(): number {
    return this.#queue.length;
  }

  infer(request: InferRequest): Promise<InferResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<InferResponse>();
    const rows = rowsIn(request);
    const length = rows === undefined ? undefined : this.#lengthOf(request);
    const waiting: Waiting = {
      request,
      key: rows === undefined || !this.#keepsRows ? undefined : this.#keyOf(request, length),
      rows: rows ?? 1,
      length,
      since: performance.now(),
      isWaiting: true,
      resolve,
      reject,
    };
    takePlace(this.#queue, waiting, urgencyOf);
    this.#pump();
    if (waiting.isWaiting) this.#watchCaller(waiting);
    return promise;
  }

  #lengthOf({ inputs }: InferRequest): number | undefined {
    const { signature } = this.#predictor.describe();
    return this.#options.padValue === undefined || signature === undefined || isRaw(inputs)
      ? undefined
      : raggedLength(inputs, signature);
  }

  /** Open axes of tensors that may be padded are alike whatever their length. */
  #keyOf(request: InferRequest, length: number | undefined): string | undefined {
    const specs = this.#predictor.describe().signature?.inputs ?? [];
    return keyOf(request, (tensor) => {
      const open = length === undefined ? [] : openAxes(specs, tensor);
      return tensor.shape.map((axis, at) => (open.includes(at) ? -1 : axis)).slice(1);
    });
  }

  /** The requests of a batch, each as long as the longest. */
  #padded(batch: readonly Waiting[]): readonly InferRequest[] {
    const length = longestOf(batch);
    const specs = this.#predictor.describe().signature?.inputs ?? [];
    const { padValue: value = 0 } = this.#options;
    return batch.map(({ request }) =>
      length === undefined || isRaw(request.inputs)
        ? request
        : {
            ...request,
            inputs: request.inputs.map((tensor) =>
              withLength(tensor, { axes: openAxes(specs, tensor), length, value }),
            ),
          },
    );
  }

  /** An answer of a padded batch, as long as its request was. */
  #cut(response: InferResponse, { length }: Waiting, longest: number | undefined): InferResponse {
    const { outputs } = response;
    if (length === undefined || longest === undefined || isRaw(outputs)) return response;
    const specs = this.#predictor.describe().signature?.outputs ?? [];
    const cut = (tensor: NamedTensor): NamedTensor => {
      const axes = openAxes(specs, tensor).filter((axis) => tensor.shape[axis] === longest);
      return tensor.datatype === "BYTES" ? tensor : withLength(tensor, { axes, length, value: 0 });
    };
    return { ...response, outputs: outputs.map(cut) };
  }

  /** Resolves when no call waits or runs. */
  async drained(): Promise<void> {
    if (this.#queue.length > 0 || this.#running > 0)
      await new Promise<void>((resolve) => (this.#drained = resolve));
  }

  abandon(): void {
    const why = new InferenceError(
      "MODEL_NOT_READY",
      `call the model "${this.#options.model}": the server has stopped`,
      { model: this.#options.model },
    );
    for (const { reject } of this.#queue.splice(0)) reject(why);
  }

  #watchCaller(waiting: Waiting): void {
    const { caller } = waiting.request;
    for (const signal of [caller?.signal, caller?.whileWaiting?.()]) {
      const leave = (): void => this.#drop(waiting, signal?.reason);
      if (signal?.aborted === true) leave();
      else signal?.addEventListener("abort", leave, { once: true });
    }
  }

  #drop(waiting: Waiting, reason: unknown): void {
    if (!waiting.isWaiting) return;
    waiting.isWaiting = false;
    this.#queue.splice(this.#queue.indexOf(waiting), 1);
    waiting.reject(reason);
    this.#pump();
  }

  #pump(): void {
    const workers = Math.max(1, this.#predictor.stats?.workers ?? 1);
    while (this.#running < workers && this.#queue.length > 0) {
      const batch = this.#nextBatch();
      if (batch.length === 0 || this.#waitsForMore(batch)) break;
      for (const waiting of batch) waiting.isWaiting = false;
      this.#queue = this.#queue.filter(({ isWaiting }) => isWaiting);
      this.#start(batch);
    }
    if (this.#queue.length === 0 && this.#running === 0) this.#drained?.();
  }

  /** The oldest request with those that can be joined to it; what is too late is refused. */
  #nextBatch(): readonly Waiting[] {
    for (const waiting of takeLate(this.#queue, urgencyOf)) this.#refuseLate(waiting);
    const [first, ...others] = this.#queue;
    if (first === undefined) return [];
    const batch = [first];
    let rows = first.rows;
    if (first.key === undefined) return batch;
    for (const other of others) {
      if (other.key !== first.key || rows + other.rows > this.#options.maxRows) continue;
      batch.push(other);
      rows += other.rows;
    }
    return batch;
  }

  #refuseLate(waiting: Waiting): void {
    waiting.isWaiting = false;
    const { model } = this.#options;
    waiting.reject(
      new InferenceError("MODEL_TIMEOUT", `call the model "${model}": its turn came too late`, {
        model,
      }),
    );
  }

  /** True while the batch is not full and more that can be joined are expected at once. */
  #waitsForMore(batch: readonly Waiting[]): boolean {
    const rows = batch.reduce((sum, waiting) => sum + waiting.rows, 0);
    if (batch[0]?.key === undefined || rows >= this.#options.maxRows) return false;
    const leftMs = this.#wait.leftMs(performance.now(), batch.length);
    if (leftMs <= 0) return false;
    if (!this.#isTimed) setTimeout(() => this.#pumpLate(), leftMs);
    this.#isTimed = true;
    return true;
  }

  #pumpLate(): void {
    this.#isTimed = false;
    this.#pump();
  }

  #start(batch: readonly Waiting[]): void {
    const startedAt = performance.now();
    const { onWait } = this.#options;
    if (onWait !== undefined) for (const { since } of batch) onWait(startedAt - since);
    this.#running += 1;
    this.#inside += batch.length;
    /** Before anybody is answered: who asks again at once is not to be counted twice. */
    const returned = (): void => {
      const now = performance.now();
      this.#wait.returned(now, now - startedAt, this.#inside + this.#queue.length);
    };
    const over = (): void => {
      this.#running -= 1;
      this.#inside -= batch.length;
      this.#pump();
    };
    void (batch.length === 1 ? this.#alone(batch, returned) : this.#joined(batch, returned)).then(
      over,
    ); // neither rejects
  }

  async #alone(batch: readonly Waiting[], returned: () => void = nothing): Promise<void> {
    for (const { request, resolve, reject } of batch)
      await this.#predictor.infer(request).finally(returned).then(resolve, reject);
  }

  async #joined(batch: readonly Waiting[], returned: () => void): Promise<void> {
    let response: InferResponse;
    try {
      response = await this.#predictor.infer(joinedRequest(this.#padded(batch))).finally(returned);
    } catch (error) {
      if (isToolError(error) && TRIED_ALONE.has(error.code)) return this.#alone(batch);
      for (const { reject } of batch) reject(error);
      return;
    }
    let parts: readonly InferResponse[];
    try {
      parts = splitResponse(
        response,
        batch.map(({ rows }) => rows),
      );
    } catch {
      this.#keepsRows = false; // its outputs say that axis 0 is no batch
      return this.#alone(batch);
    }
    const rows = batch.reduce((sum, waiting) => sum + waiting.rows, 0);
    this.#options.onBatch?.(rows, batch.length);
    const longest = longestOf(batch);
    batch.forEach((waiting, index) =>
      waiting.resolve(this.#cut(parts[index] ?? response, waiting, longest)),
    );
  }
}

function nothing(): void {}

function urgencyOf({ request }: Waiting): Urgency {
  return request.caller ?? NOT_URGENT;
}

const NOT_URGENT: Urgency = {};

/** Rows of a request whose inputs all have the same number of them; undefined where there are none to join. */
function rowsIn({ inputs }: InferRequest): number | undefined {
  if (isRaw(inputs)) return undefined;
  const rows = inputs[0]?.shape[0];
  return rows !== undefined && rows > 0 && inputs.every(({ shape }) => shape[0] === rows)
    ? rows
    : undefined;
}

/** The length to which a batch is padded; undefined where nothing has to be. */
function longestOf(batch: readonly Waiting[]): number | undefined {
  const lengths = new Set(batch.map(({ length }) => length));
  return lengths.size < 2 ? undefined : Math.max(...[...lengths].map((one) => one ?? 0));
}

function keyOf(
  { inputs, outputs, parameters, headers, isUntyped }: InferRequest,
  axesOf: (tensor: NamedTensor) => readonly number[],
): string | undefined {
  if (isRaw(inputs) || headers !== undefined) return undefined;
  const specs = inputs
    .toSorted(byName)
    .map((tensor) => [tensor.name, tensor.datatype, axesOf(tensor), tensor.parameters ?? null]);
  return JSON.stringify([specs, outputs ?? null, parameters ?? null, isUntyped ?? false]);
}

function byName(a: NamedTensor, b: NamedTensor): number {
  return a.name < b.name ? -1 : 1;
}

function joinedRequest(requests: readonly InferRequest[]): InferRequest {
  const [first] = requests;
  if (first === undefined || isRaw(first.inputs)) throw new Error("nothing to join");
  const tables = requests.map(({ inputs }) => (isRaw(inputs) ? [] : inputs.toSorted(byName)));
  const { outputs, parameters, trace, id, isUntyped } = first;
  const columns = tables[0]?.map((_, at) => tables.flatMap((table) => table[at] ?? [])) ?? [];
  return {
    inputs: columns.map(joinRows),
    ...(outputs !== undefined && { outputs }),
    ...(parameters !== undefined && { parameters }),
    ...(isUntyped !== undefined && { isUntyped }),
    ...(trace !== undefined && { trace }),
    ...(id !== undefined && { id }),
  };
}

/** @throws InferenceError `MODEL_FAILED` when an output does not have the rows that went in */
function splitResponse(
  { outputs, parameters }: InferResponse,
  counts: readonly number[],
): readonly InferResponse[] {
  if (isRaw(outputs))
    throw new InferenceError("MODEL_FAILED", "split the answer: it is a raw body");
  const columns = outputs.map((output) => splitRows(output, counts));
  return counts.map((_, at) => ({
    outputs: columns.flatMap((column) => column[at] ?? []),
    ...(parameters !== undefined && { parameters }),
  }));
}
