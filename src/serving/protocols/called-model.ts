import { InferenceError } from "../../ground/errors/index.ts";
import type { ServedModel } from "../plane/index.ts";

/** The model, unless it was unloaded. @param hint - how it can be loaded, where the protocol has a way @throws InferenceError `MODEL_NOT_FOUND` */
export function unlessUnloaded(model: ServedModel, hint?: string): ServedModel {
  const { name } = model;
  if (model.state !== "unloaded") return model;
  throw new InferenceError("MODEL_NOT_FOUND", `call the model "${name}": it is not loaded`, {
    model: name,
    hint,
  });
}

/** The model, loaded where it waited for its first call. @throws what the load throws */
export async function awake(model: ServedModel): Promise<ServedModel> {
  if (model.isAsleep) await model.wake();
  return model;
}
