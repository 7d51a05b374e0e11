import { InferenceError } from "../../ground/errors/index.ts";
import { itemBytes } from "../../models/tensor/index.ts";
import type { NamedTensor } from "./contracts.ts";

/**
 * Joins tensors along axis 0.
 * @param parts - equal names, datatypes and trailing axes, at least one axis; `shape[0]` may differ. At least one part.
 * @returns one tensor of shape `[sum of rows, ...rest]`, row-major, freshly allocated
 */
export function joinRows(parts: readonly NamedTensor[]): NamedTensor {
  const [first] = parts;
  if (first === undefined) throw new Error("no tensors to join");
  const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const data = new Uint8Array(parts.reduce((sum, part) => sum + part.data.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.byteLength;
  }
  return { ...first, shape: [rows, ...first.shape.slice(1)], data };
}

/**
 * Cuts a tensor along axis 0 into parts of `counts` rows each, as views of the same memory.
 * @throws InferenceError `MODEL_FAILED` when axis 0 is not the sum of `counts`
 */
export function splitRows(tensor: NamedTensor, counts: readonly number[]): readonly NamedTensor[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const [rows, ...rest] = tensor.shape;
  if (rows !== total)
    throw new InferenceError(
      "MODEL_FAILED",
      `split the output "${tensor.name}": it has ${rows ?? "no"} rows for ${total} that went in`,
      { tensor: tensor.name },
    );
  const cut = tensor.datatype === "BYTES" ? textCutter(tensor) : numberCutter(tensor);
  const perRow = rest.reduce((product, axis) => product * axis, 1);
  return counts.map((count) => ({ ...tensor, shape: [count, ...rest], data: cut(count * perRow) }));
}

/** Gives the next so many elements. */
type Cutter = (elements: number) => Uint8Array;

function numberCutter({ data, datatype }: NamedTensor): Cutter {
  let at = 0;
  return (elements) => data.subarray(at, (at += elements * itemBytes(datatype)));
}

/** In `BYTES` a u32 with the length stands before each element. */
function textCutter({ data, name }: NamedTensor): Cutter {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = 0;
  return (elements) => {
    const start = at;
    for (let left = elements; left > 0; left -= 1) {
      if (at + 4 > data.byteLength || at + 4 + view.getUint32(at, true) > data.byteLength)
        throw new InferenceError("MODEL_FAILED", `split the output "${name}": it ends too early`, {
          tensor: name,
        });
      at += 4 + view.getUint32(at, true);
    }
    return data.subarray(start, at);
  };
}
