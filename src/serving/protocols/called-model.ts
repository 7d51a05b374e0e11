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

/**
 * Holds what a protocol carries against what the model takes.
 * @param protocol - its name, as people know it @throws InferenceError `UNSUPPORTED` naming the kind and the protocol
 */
export function checkTakes(
  { name, predictor }: ServedModel,
  carried: "tensors" | "bodies",
  protocol: string,
): void {
  const { kind, takesTensors, takesRawBody } = predictor.describe();
  if (carried === "tensors" ? takesTensors : takesRawBody) return;
  const model = kind === undefined ? "it" : `a model of kind ${kind}`;
  const [taken, asked] = takesTensors ? ["tensors", "tensors"] : ["bodies", "a body"];
  throw new InferenceError(
    "UNSUPPORTED",
    `call the model "${name}" by ${protocol}: ${model} takes ${taken}, not ${carried}`,
    { model: name, hint: `ask by a protocol of ${asked}` },
  );
}
