import type {
  CallerOptions,
  ComponentError,
  ComponentRequest,
  ComponentResponse,
  InferRequest,
  InferResponse,
} from "../../plane/index.ts";
import type { Arena } from "./arena.ts";
import type { TextFrame } from "./frame-reader.ts";
import { levelOf, type LogLine } from "./log-lines.ts";
import type { Worker } from "./worker.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** What a worker is asked: a method of a graph, or a model on named tensors, which may answer several times. */
export type WorkerCall =
  | {
      readonly kind: "graph";
      readonly request: ComponentRequest;
      /** Which of the process's components is asked. Default 0. */
      readonly component?: number;
      /** Calls in one go, each on the answer of the one before: `0:1,1:0` is component 0's method 1 and then component 1's method 0. */
      readonly run?: string;
    }
  | {
      readonly kind: "infer";
      readonly request: InferRequest;
      readonly component?: number;
      /** Told each answer as it comes. Must not throw. */
      readonly onAnswer: (response: InferResponse) => void;
    };

/** A run that failed; `cause` is the failure of the call that ended it. */
export class RunError extends Error {
  /** What the worker told of the run: JSON. */
  readonly told: string;

  constructor(cause: ComponentError, told: string) {
    super(cause.message, { cause });
    this.told = told;
  }
}

/** A call on its way: waiting in the pool's queue, or inside a worker. */
export interface Flight {
  readonly call: WorkerCall;
  /** Bytes of payload, for limits. */
  readonly bytes: number;
  /** With the answer of a graph's method; with nothing when the last answer on named tensors has come. */
  readonly resolve: (response: ComponentResponse | undefined) => void;
  readonly reject: (reason: unknown) => void;
  readonly caller: CallerOptions;
  /** True when the caller has gone; the answer is dropped. */
  isGone: boolean;
  /** How often a worker died before it began this call. */
  lost: number;
  /** When it went into a worker, or its last answer came, in ms of `performance.now()`. */
  sentAt: number;
  /** Its number inside the worker; 0 while it waits. */
  id: number;
}

export interface WorkerOptions {
  readonly index: number;
  readonly model: string;
  /** Names of the components in the process, by number. */
  readonly components: readonly string[];
  readonly process: WorkerProcess;
  readonly arena: Arena | undefined;
  /** Bytes from which a payload goes through shared memory. */
  readonly sharedFrom: number;
  /** Longest time for one call, in ms. */
  readonly timeoutMs: number;
  /** Largest number of calls inside the worker. */
  readonly maxWindow: number;
  readonly minWindow: number;
  /** Calls that run inside the worker at the same time. */
  readonly threads: number;
  readonly onLog: (line: LogLine) => void;
  /** Called for each call that several requests were joined into. */
  readonly onBatch: ((rows: number) => void) | undefined;
  /** Called when answers have come, so that there is room for more. */
  readonly onRoom: (worker: Worker) => void;
  /** Called once, after all calls inside are settled; `unbegun` are those that the process never began. */
  readonly onEnd: (worker: Worker, unbegun: readonly Flight[]) => void;
}

/** A LOG frame as a line. */
export function logLineOf({ method, textA, textB }: TextFrame, worker: number): LogLine {
  return {
    level: levelOf(method),
    text: textB.toString("utf8"),
    worker,
    ...(textA.byteLength > 0 && { requestId: textA.toString("utf8") }),
  };
}
