import {
  castTensor,
  itemBytes,
  type Signature,
  type TensorSpec,
} from "../../models/tensor/index.ts";
import type { NamedTensor } from "./contracts.ts";

/**
 * The one length that all open axes behind the first of a request's tensors have, such as that of its text in tokens. Undefined where there is
 * none, where they differ, and for `BYTES`: such requests are joined only with those of equal shapes.
 */
export function raggedLength(
  inputs: readonly NamedTensor[],
  signature: Signature,
): number | undefined {
  const lengths = new Set<number>();
  for (const tensor of inputs) {
    const axes = openAxes(signature.inputs, tensor);
    if (axes.length > 0 && tensor.datatype === "BYTES") return undefined;
    for (const axis of axes) lengths.add(tensor.shape[axis] ?? 0);
  }
  const [length] = lengths;
  return lengths.size === 1 ? length : undefined;
}

/** Axes behind the first that the signature leaves open; none of a tensor that it does not know. */
export function openAxes(
  specs: readonly TensorSpec[],
  { name, shape }: Pick<NamedTensor, "name" | "shape">,
): readonly number[] {
  const spec = specs.find((one) => one.name === name);
  if (spec === undefined || spec.shape.length !== shape.length) return [];
  return shape.flatMap((_, axis) => (axis > 0 && spec.shape[axis] === -1 ? [axis] : []));
}

/** A tensor whose axes have another length: what is missing is `value`, at the end of each axis; what is too much is cut off there. */
export function withLength(
  tensor: NamedTensor,
  {
    axes,
    length,
    value,
  }: { readonly axes: readonly number[]; readonly length: number; readonly value: number },
): NamedTensor {
  const shape = tensor.shape.map((own, axis) => (axes.includes(axis) ? length : own));
  if (shape.every((own, axis) => own === tensor.shape[axis])) return tensor;
  const count = shape.reduce((product, axis) => product * axis, 1);
  const size = itemBytes(tensor.datatype);
  const data = filled(tensor, count, value);
  const copy = (axis: number, from: number, to: number): void => {
    const [had = 0, has = 0] = [tensor.shape[axis], shape[axis]];
    const both = Math.min(had, has);
    if (axis === shape.length - 1)
      data.set(tensor.data.subarray(from * size, (from + both) * size), to * size);
    else
      for (let at = 0; at < both; at += 1)
        copy(
          axis + 1,
          (from + at) * (tensor.shape[axis + 1] ?? 1),
          (to + at) * (shape[axis + 1] ?? 1),
        );
  };
  copy(0, 0, 0);
  return { ...tensor, shape, data };
}

function filled({ name, datatype }: NamedTensor, count: number, value: number): Uint8Array {
  const size = itemBytes(datatype);
  const data = new Uint8Array(count * size);
  if (value === 0) return data;
  const one = {
    name,
    datatype: "FP64",
    shape: [1],
    data: new Uint8Array(Float64Array.of(value).buffer),
  } as const;
  const item = castTensor(one, datatype).data;
  for (let at = 0; at < count; at += 1) data.set(item, at * size);
  return data;
}
