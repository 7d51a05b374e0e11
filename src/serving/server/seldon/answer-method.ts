import type { ModelDescription } from "../../../models/description/index.ts";
import type { Signature, TensorSpec } from "../../../models/tensor/index.ts";
import type { ClassParameter } from "../../runtime/index.ts";

/** Kinds whose loaders take the parameter `method`. */
const KINDS: readonly ModelDescription["kind"][] = ["sklearn", "skops"];

/**
 * What a scikit-learn model gives where the parameter `method` names another one than `predict`, which is what its file is described
 * with: a share for each class, or scores, whose number of axes depends on the number of classes and is not said.
 */
export function signatureByMethod(
  { kind, signature }: Pick<ModelDescription, "kind" | "signature">,
  parameters: readonly ClassParameter[],
): Signature | undefined {
  const method = parameters.find(({ name }) => name === "method")?.value;
  if (signature === undefined || !KINDS.includes(kind)) return signature;
  if (method === "decision_function") return { ...signature, outputs: [] };
  if (method !== "predict_proba") return signature;
  return { ...signature, outputs: signature.outputs.flatMap(sharesOf) };
}

/** A model of several answers gives a list of such tensors, which has no form that could be said here. */
function sharesOf({ shape }: TensorSpec): readonly TensorSpec[] {
  return shape.length === 1 ? [{ name: "predict_proba", datatype: "FP64", shape: [-1, -1] }] : [];
}
