import type { OutputTensor, Value } from "./read-answer.ts";

/** A class with its share, 0 to 1. */
export interface ClassShare {
  readonly label: string;
  readonly share: number;
}

const MAX_CLASSES = 2000;
const SUM_TOLERANCE = 0.02;

/** The rows of an output whose last axis are shares of classes, best first; undefined for an output that is something else. */
export function classShares(
  { shape, values }: OutputTensor,
  labels: readonly string[] = [],
): readonly (readonly ClassShare[])[] | undefined {
  const classes = shape.at(-1) ?? 0;
  if (shape.length === 0 || shape.length > 2 || classes < 2 || classes > MAX_CLASSES)
    return undefined;
  const numbers = values.map(Number);
  const rows = Array.from({ length: numbers.length / classes }, (_, row) =>
    numbers.slice(row * classes, (row + 1) * classes),
  );
  if (rows.length === 0 || !rows.every(areShares)) return undefined;
  return rows.map((row) =>
    row
      .map((share, at) => ({ label: labels[at] ?? String(at), share }))
      .sort((one, other) => other.share - one.share),
  );
}

function areShares(row: readonly number[]): boolean {
  const sum = row.reduce((total, share) => total + share, 0);
  return row.every((share) => share >= 0 && share <= 1 + 1e-6) && Math.abs(sum - 1) < SUM_TOLERANCE;
}

/** A found object; edges are shares of the picture's width and height. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly label: string;
  /** 0 to 1. */
  readonly score: number;
}

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Objects in a detection model's outputs, as TensorFlow's (`detection_boxes`: top, left, bottom, right as shares) and torchvision's
 * (`boxes`: left, top, right, bottom in pixels) name them; undefined where there are none.
 * @param size - of the tensor that the model saw, in pixels
 */
export function boxesIn(
  outputs: readonly OutputTensor[],
  size: PictureSize,
  labels: readonly string[] = [],
): readonly Box[] | undefined {
  const named = (pattern: RegExp): OutputTensor | undefined =>
    outputs.find(({ name }) => pattern.test(name));
  const boxes = outputs.find(({ name, shape }) => /box/i.test(name) && shape.at(-1) === 4);
  const scores = named(/score/i);
  if (boxes === undefined || scores === undefined) return undefined;
  const classes = named(/class|label/i);
  const numbers = boxes.values.map(Number);
  const isTopFirst = /detection/i.test(boxes.name);
  const isShare = numbers.every((value) => value <= 1.5);
  const [across, down] = isShare ? [1, 1] : [size.width, size.height];
  return scores.values.slice(0, numbers.length / 4).map((score, at) => {
    const [a = 0, b = 0, c = 0, d = 0] = numbers.slice(4 * at, 4 * at + 4);
    const [left, top, right, bottom] = isTopFirst ? [b, a, d, c] : [a, b, c, d];
    return {
      ...{ left: left / across, top: top / down, right: right / across, bottom: bottom / down },
      ...{ label: labelOf(classes?.values[at], labels), score: Number(score) },
    };
  });
}

function labelOf(value: Value | undefined, labels: readonly string[]): string {
  if (value === undefined || value === null) return "";
  return labels[Number(value)] ?? String(value);
}
