import { isToolError } from "../../ground/errors/index.ts";
import { type ModelDescription, runtimeOf } from "../../models/description/index.ts";
import { planWorker, WorkerAhead } from "../runtime/index.ts";
import { userCodeEnv } from "./keys/index.ts";
import { pythonSettings } from "./python-settings.ts";
import { truth, type Environment, type SeldonLaunch } from "./seldon/launch.ts";

/**
 * Starts the first Python worker of a server that is not loaded yet, so that both come up at the same time. Undefined for a model that
 * needs none, and where the worker's files are missing, which is told when the model is loaded.
 */
export function startAhead(
  description: ModelDescription,
  launch: SeldonLaunch,
  env: Environment,
): WorkerAhead | undefined {
  if (runtimeOf(description) !== "python") return undefined;
  const isWatched = truth(env["SLIPWAY_WATCH"]);
  const workerEnv = userCodeEnv(env);
  const settings = {
    ...pythonSettings(description, { ...launch, isWatched }),
    ...(workerEnv !== undefined && { env: workerEnv }),
  };
  try {
    return new WorkerAhead(planWorker(description, settings, 0));
  } catch (error) {
    if (isToolError(error)) return undefined;
    throw error;
  }
}
