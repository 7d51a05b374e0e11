import { isDatatype, type Signature, type TensorSpec } from "../../models/tensor/index.ts";

/** A signature in the form of the Open Inference Protocol; entries that are none are left out. Undefined for anything else. */
export function readSignature(value: unknown): Signature | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { inputs, outputs } = value as Record<string, unknown>; // checked: an object
  return Array.isArray(inputs) && Array.isArray(outputs)
    ? { inputs: inputs.flatMap(specOf), outputs: outputs.flatMap(specOf) }
    : undefined;
}

function specOf(value: unknown): readonly TensorSpec[] {
  if (typeof value !== "object" || value === null) return [];
  const { name, datatype, shape, isRankUnknown } = value as Record<string, unknown>; // checked: an object
  return typeof name === "string" &&
    typeof datatype === "string" &&
    isDatatype(datatype) &&
    Array.isArray(shape) &&
    shape.every((axis) => typeof axis === "number")
    ? [{ name, datatype, shape, ...(isRankUnknown === true && { isRankUnknown }) }]
    : [];
}
