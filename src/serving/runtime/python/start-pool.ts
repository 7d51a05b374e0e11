import type { ModelDescription } from "../../../models/description/index.ts";
import { ComponentError, SERVER_DEFAULTS } from "../../plane/index.ts";
import { WorkerPool } from "./pool.ts";
import { PYTHON_DEFAULTS, type PythonOptions } from "./python-options.ts";
import { Worker } from "./worker.ts";
import type { WorkerOptions } from "./worker-call.ts";
import { openWorker, planWorker, type WorkerPlan } from "./worker-plan.ts";
import type { SpawnOptions } from "./worker-process.ts";

/** A model, and how it is loaded. */
export interface PooledModel {
  readonly description: ModelDescription;
  readonly options: PythonOptions;
}

/**
 * Starts worker processes that have all the models in them, and waits until they are ready. Everything but what belongs to a model's own code is
 * the first one's.
 * @param models - at least one
 * @throws InferenceError `MODEL_LOAD_FAILED` (a ComponentError with the traceback when user code raised), `RUNTIME_MISSING`
 */
export async function startPool(models: readonly PooledModel[]): Promise<WorkerPool> {
  const [first, ...others] = models;
  if (first === undefined) throw new Error("a pool without a model");
  const { description, options } = first;
  const onLog = options.onLog ?? ((): void => undefined);
  const pool = new WorkerPool({
    model: nameOfPool(models),
    workers: description.server.workers ?? SERVER_DEFAULTS.workers,
    maxQueue: options.maxQueue ?? SERVER_DEFAULTS.maxQueue,
    graceMs: options.graceMs ?? 5000,
    memoryBytes: options.memoryBytes,
    onRestart: options.onRestart,
    start: (index, callbacks) =>
      startWorker({ first, others, index, onLog, onBatch: options.onBatch, ...callbacks }),
  });
  try {
    await pool.start(options);
  } catch (error) {
    if (error instanceof ComponentError)
      for (const text of error.failure.traceback.trimEnd().split("\n"))
        onLog({ level: "error", text, worker: 0 });
    throw error;
  }
  return pool;
}

interface Start extends Pick<WorkerOptions, "index" | "onLog" | "onBatch" | "onRoom" | "onEnd"> {
  readonly first: PooledModel;
  readonly others: readonly PooledModel[];
}

function startWorker({ first, others, ...rest }: Start): Worker {
  const { description, options } = first;
  const { sharedFrom, maxWindow, threads } = { ...PYTHON_DEFAULTS, ...options };
  const { maxBatch, timeoutMs } = { ...SERVER_DEFAULTS, ...description.server };
  const minWindow = Math.max(2, 2 * maxBatch, 2 * threads);
  const plan = planProcess(first, others, rest.index);
  const onOutput: SpawnOptions["onOutput"] = (level, text) =>
    rest.onLog({ level, text, worker: rest.index });
  const opened = options.ahead?.take(plan, onOutput) ?? openWorker(plan, onOutput);
  const models = [first, ...others];
  return new Worker({
    ...rest,
    ...opened,
    ...{ threads, minWindow, maxWindow: Math.max(maxWindow, minWindow) },
    ...{ model: nameOfPool(models), sharedFrom, timeoutMs },
    components: models.map((one) => one.description.name),
  });
}

/** The first model's plan, with what is loaded beside it. */
function planProcess(
  { description, options }: PooledModel,
  others: readonly PooledModel[],
  index: number,
): WorkerPlan {
  const plan = planWorker(description, options, index);
  if (others.length === 0) return plan;
  const components = others.map((other) => ({
    ...planWorker(other.description, other.options, index).settings,
    env: environmentChanges(options.env ?? {}, other.options.env ?? {}),
  }));
  return { ...plan, settings: { ...plan.settings, others: components } };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What has to be set (to null: taken away) for one environment to become the other. */
function environmentChanges(from: Environment, to: Environment): Record<string, string | null> {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  return Object.fromEntries(
    names.filter((name) => from[name] !== to[name]).map((name) => [name, to[name] ?? null]),
  );
}

function nameOfPool(models: readonly PooledModel[]): string {
  return models.map(({ description }) => description.name).join(", ");
}
