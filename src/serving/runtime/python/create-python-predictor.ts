import type { ModelDescription } from "../../../models/description/index.ts";
import type { GraphComponent, Predictor, PredictorStats } from "../../plane/index.ts";
import { pooledPredictor } from "./pooled-predictor.ts";
import type { PythonOptions } from "./python-options.ts";
import { startPool } from "./start-pool.ts";

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
  const pool = await startPool([{ description, options }]);
  return {
    ...pooledPredictor(pool, description, 0),
    get stats() {
      return pool.stats;
    },
    get pids() {
      return pool.pids;
    },
    [Symbol.asyncDispose]: async () => pool[Symbol.asyncDispose](),
  };
}
