import { toDoubles, type Tensor } from "../../../models/tensor/index.ts";
import type { NamedTensor } from "../../plane/index.ts";
import { tensorInvalid } from "../request-errors.ts";

/**
 * The best classes of a tensor of scores: `BYTES` of `value:index` or `value:index:label`, best first; of equal scores the lower index.
 * A tensor of several axes is a batch: its rows are taken apart, each flat. Shape `[rows, classes]`, `[classes]` for one axis.
 * @param classes - how many are wanted; all where there are fewer
 * @param labels - by index; shorter lists leave the rest without one
 * @throws InferenceError `TENSOR_INVALID` for `BYTES` and scalars
 * @see Triton's extension_classification.md
 */
export function classify(
  scores: Tensor,
  classes: number,
  labels: readonly string[] = [],
): NamedTensor {
  const { name, shape } = scores;
  if (scores.datatype === "BYTES" || shape.length === 0)
    throw tensorInvalid({ tensor: name, why: "there are no classes of text or of a scalar" });
  const values = toDoubles(scores);
  const rows = shape.length === 1 ? 1 : (shape[0] ?? 1);
  const width = rows === 0 ? 0 : values.length / rows;
  const kept = Math.min(classes, width);
  const isWhole = !scores.datatype.includes("FP") && scores.datatype !== "BF16";
  const texts = Array.from({ length: rows }, (_, row) => {
    const scoresOfRow = values.subarray(row * width, (row + 1) * width);
    return bestOf(scoresOfRow, kept).map((index) =>
      classText(scoresOfRow[index] ?? 0, { index, isWhole, label: labels[index] }),
    );
  });
  return {
    name,
    datatype: "BYTES",
    shape: shape.length === 1 ? [kept] : [rows, kept],
    data: packTexts(texts.flat()),
  };
}

function classText(
  value: number,
  {
    index,
    isWhole,
    label,
  }: { readonly index: number; readonly isWhole: boolean; readonly label: string | undefined },
): string {
  const text = `${isWhole ? value : value.toFixed(6)}:${index}`;
  return label === undefined ? text : `${text}:${label}`;
}

function bestOf(scores: Float64Array, count: number): readonly number[] {
  const order = Array.from(scores, (_, index) => index);
  return order.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b).slice(0, count);
}

function packTexts(texts: readonly string[]): Uint8Array {
  return Buffer.concat(
    texts.flatMap((text) => {
      const item = Buffer.from(text, "utf8");
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32LE(item.byteLength);
      return [length, item];
    }),
  );
}
