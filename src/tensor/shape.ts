import { InferenceError } from "../errors/index.ts";
import { itemBytes } from "./datatypes.ts";
import type { Tensor } from "./types.ts";

/**
 * Product of the axes; 1 for a scalar.
 * @throws InferenceError `TENSOR_INVALID` for a negative or fractional axis, and for a product beyond 2^53 - 1.
 */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const axis of shape) {
    if (!Number.isInteger(axis) || axis < 0) throw new InferenceError("TENSOR_INVALID", `read a shape: [${shape.join(",")}] has an axis of ${axis}`);
    count *= axis;
  }
  if (!Number.isSafeInteger(count)) throw new InferenceError("TENSOR_INVALID", `read a shape: [${shape.join(",")}] has too many elements`);
  return count;
}

/** @throws InferenceError `TENSOR_INVALID` when the bytes do not fill the shape exactly. `BYTES` is checked item by item. */
export function checkTensor(tensor: Tensor): void {
  const count = elementCount(tensor.shape);
  const size = tensor.datatype === "BYTES" ? countedBytes(tensor.data, count) : count * itemBytes(tensor.datatype);
  if (size !== tensor.data.byteLength) {
    throw new InferenceError("TENSOR_INVALID", `read the tensor "${tensor.name}": ${tensor.data.byteLength} bytes for shape [${tensor.shape.join(",")}] of ${tensor.datatype}`, {
      tensor: tensor.name,
      expected: `${size} bytes`,
      actual: `${tensor.data.byteLength} bytes`,
    });
  }
}

/** Bytes that `count` length-prefixed items take, or -1 when the data ends inside one. */
function countedBytes(data: Uint8Array, count: number): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    if (at + 4 > data.byteLength) return -1;
    at += 4 + view.getUint32(at, true);
  }
  return at;
}

/** A shape as Python prints a tuple: `()`, `(3,)`, `(2,3)`. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(",")})`;
}
