import { factsOf } from "../../ground/errors/index.ts";
import type { InferRequest, InferResponse, Predictor } from "./contracts.ts";
import { wrapped } from "./wrapped.ts";

/** How often something was done, and how long that took in all, in ms. */
export interface Duration {
  readonly count: number;
  readonly ms: number;
}

class Sum implements Duration {
  count = 0;
  ms = 0;

  add(ms: number): void {
    this.count += 1;
    this.ms += ms;
  }
}

/** What a model has done since the server started; reloads go on counting. A client's mistakes are not counted. */
export class ModelStatistics {
  /** Time of the last call that came to the model, in ms since 1970; 0 before the first. */
  lastCallAt = 0;
  /** Rows of the calls that were answered; a call of a model without a batch axis is one row. */
  rows = 0;
  readonly success: Duration = new Sum();
  readonly fail: Duration = new Sum();
  /** Times that the model ran, for one call or for several that were joined, its wait for a free worker included. */
  readonly executions: Duration = new Sum();
  /** Waits of requests that could be joined, until a call began with them. */
  readonly queue: Duration = new Sum();
  readonly #byRows = new Map<number, Sum>();

  /** `executions` by the number of rows, in the order of their first time. */
  get executionsByRows(): ReadonlyMap<number, Duration> {
    return this.#byRows;
  }

  /** A call has been answered. */
  answered(rows: number, ms: number): void {
    this.rows += rows;
    (this.success as Sum).add(ms); // our own
  }

  /** A call came to nothing, by the model's fault or the server's. */
  failed(ms: number): void {
    (this.fail as Sum).add(ms); // our own
  }

  /** A request has waited for its call. */
  waited(ms: number): void {
    (this.queue as Sum).add(ms); // our own
  }

  /** The model has run. */
  ran(rows: number, ms: number): void {
    (this.executions as Sum).add(ms); // our own
    const sum = this.#byRows.get(rows) ?? new Sum();
    sum.add(ms);
    if (this.#byRows.size < MAX_SIZES || this.#byRows.has(rows)) this.#byRows.set(rows, sum);
  }
}

const MAX_SIZES = 1024;

type Rows = (request: InferRequest) => number;

/** Counts the calls of clients. The outermost of a model's wrappers. */
export function countCalls(predictor: Predictor, statistics: ModelStatistics): Predictor {
  const rowsOf = rowsIn(predictor);
  const { graph, inferStream } = predictor;
  const fail = (error: unknown, startedAt: number): void => {
    if (factsOf(error).http >= 500) statistics.failed(performance.now() - startedAt);
  };
  const count = async <T>(rows: number, call: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    statistics.lastCallAt = Date.now();
    try {
      const answer = await call();
      statistics.answered(rows, performance.now() - startedAt);
      return answer;
    } catch (error) {
      fail(error, startedAt);
      throw error;
    }
  };
  return wrapped(predictor, {
    infer: (request) => count(rowsOf(request), () => predictor.infer(request)),
    ...(graph !== undefined && {
      graph: {
        get facts() {
          return graph.facts;
        },
        call: (request, caller) => count(1, () => graph.call(request, caller)),
      },
    }),
    ...(inferStream !== undefined && {
      inferStream: async function* (request: InferRequest): AsyncGenerator<InferResponse, void> {
        const startedAt = performance.now();
        statistics.lastCallAt = Date.now();
        try {
          yield* inferStream(request);
          statistics.answered(rowsOf(request), performance.now() - startedAt);
        } catch (error) {
          fail(error, startedAt);
          throw error;
        }
      },
    }),
  });
}

/** Counts how often a model runs. Inside of batching, around the runtime itself. */
export function countRuns(predictor: Predictor, statistics: ModelStatistics): Predictor {
  const rowsOf = rowsIn(predictor);
  return wrapped(predictor, {
    infer: async (request) => {
      const startedAt = performance.now();
      const answer = await predictor.infer(request);
      statistics.ran(rowsOf(request), performance.now() - startedAt);
      return answer;
    },
  });
}

/** Rows of a request to a model whose inputs all have a batch axis before others; 1 for any other model. */
function rowsIn(predictor: Predictor): Rows {
  const { signature } = predictor.describe();
  const hasRows =
    signature !== undefined &&
    signature.inputs.length > 0 &&
    signature.inputs.every(({ shape }) => shape.length > 1 && shape[0] === -1);
  if (!hasRows) return () => 1;
  return ({ inputs }) => ("bytes" in inputs ? 1 : (inputs[0]?.shape[0] ?? 1));
}
