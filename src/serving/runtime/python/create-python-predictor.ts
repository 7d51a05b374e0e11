import type { ModelDescription } from "../../../models/description/index.ts";
import type { Signature } from "../../../models/tensor/index.ts";
import {
  ComponentError,
  predictorOfGraph,
  SERVER_DEFAULTS,
  type GraphComponent,
  type Predictor,
  type PredictorStats,
} from "../../plane/index.ts";
import type { ReadyFacts } from "./facts.ts";
import { tensorPredictor } from "./infer-tensors.ts";
import { WorkerPool } from "./pool.ts";
import { PYTHON_DEFAULTS, type PythonOptions } from "./python-options.ts";
import { Worker } from "./worker.ts";
import type { WorkerOptions } from "./worker-call.ts";
import { openWorker, planWorker } from "./worker-plan.ts";
import type { SpawnOptions } from "./worker-process.ts";

/** User code in worker processes. */
export interface PythonPredictor extends Predictor, GraphComponent {
  readonly stats: PredictorStats;
  /** Process ids of the workers that run now. */
  readonly pids: readonly number[];
}

/**
 * Loads a Python class (or a scikit-learn model file) in `description.server.workers` processes and resolves when all are ready.
 * @throws InferenceError `MODEL_LOAD_FAILED` (a ComponentError with the traceback when user code raised), `RUNTIME_MISSING`.
 */
export async function createPythonPredictor(
  description: ModelDescription,
  options: PythonOptions = {},
): Promise<PythonPredictor> {
  const workers = description.server.workers ?? SERVER_DEFAULTS.workers;
  const onLog = options.onLog ?? ((): void => undefined);
  const pool = new WorkerPool({
    model: description.name,
    workers,
    maxQueue: options.maxQueue ?? SERVER_DEFAULTS.maxQueue,
    graceMs: options.graceMs ?? 5000,
    memoryBytes: options.memoryBytes,
    onRestart: options.onRestart,
    start: (index, callbacks) =>
      startWorker({ description, options, index, onLog, onBatch: options.onBatch, ...callbacks }),
  });
  try {
    await pool.start(options);
  } catch (error) {
    if (error instanceof ComponentError)
      for (const text of error.failure.traceback.trimEnd().split("\n"))
        onLog({ level: "error", text, worker: 0 });
    throw error;
  }
  return predictorOf(pool, description);
}

function predictorOf(pool: WorkerPool, description: ModelDescription): PythonPredictor {
  const { name: model, kind, contract, signature } = description;
  const platform = kind === "class" ? "python_class" : `python_${kind}`;
  const { ready } = pool;
  const members =
    ready?.speaksTensors === true
      ? tensorPredictor(pool, { model, platform, ready: withSignature(ready, signature) })
      : {
          ...predictorOfGraph(pool, {
            model,
            platform,
            signature,
            takesRawBody: contract === "uai",
          }),
          graph: pool,
        };
  return {
    ...members,
    facts: pool.facts,
    call: async (request, caller) => pool.call(request, caller),
    get stats() {
      return pool.stats;
    },
    get pids() {
      return pool.pids;
    },
    abandon: () => pool.abandon(),
    [Symbol.asyncDispose]: async () => pool[Symbol.asyncDispose](),
  };
}

/** A loader that cannot say what its model takes leaves that to what the files say. */
function withSignature(ready: ReadyFacts, described: Signature | undefined): ReadyFacts {
  const isSaid = (ready.signature?.inputs.length ?? 0) > 0;
  return isSaid || described === undefined ? ready : { ...ready, signature: described };
}

interface Start extends Pick<WorkerOptions, "index" | "onLog" | "onBatch" | "onRoom" | "onEnd"> {
  readonly description: ModelDescription;
  readonly options: PythonOptions;
}

function startWorker({ description, options, ...rest }: Start): Worker {
  const { sharedFrom, maxWindow, threads } = { ...PYTHON_DEFAULTS, ...options };
  const { maxBatch, timeoutMs } = { ...SERVER_DEFAULTS, ...description.server };
  const minWindow = Math.max(2, 2 * maxBatch, 2 * threads);
  const plan = planWorker(description, options, rest.index);
  const onOutput: SpawnOptions["onOutput"] = (level, text) =>
    rest.onLog({ level, text, worker: rest.index });
  const opened = options.ahead?.take(plan, onOutput) ?? openWorker(plan, onOutput);
  return new Worker({
    ...rest,
    ...opened,
    ...{ threads, minWindow, maxWindow: Math.max(maxWindow, minWindow) },
    ...{ model: description.name, sharedFrom, timeoutMs },
  });
}
