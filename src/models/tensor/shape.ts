import { InferenceError } from "../../ground/errors/index.ts";

/**
 * Product of the axes; 1 for a scalar.
 * @throws InferenceError `TENSOR_INVALID` for a negative or fractional axis, and for a product beyond 2^53 - 1.
 */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const axis of shape) {
    if (!Number.isInteger(axis) || axis < 0)
      throw new InferenceError(
        "TENSOR_INVALID",
        `read a shape: [${shape.join(",")}] has an axis of ${axis}`,
      );
    count *= axis;
  }
  if (!Number.isSafeInteger(count))
    throw new InferenceError(
      "TENSOR_INVALID",
      `read a shape: [${shape.join(",")}] has too many elements`,
    );
  return count;
}

/** A shape as Python prints a tuple: `()`, `(3,)`, `(2,3)`. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(",")})`;
}
