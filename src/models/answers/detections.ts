import { toDoubles, type Tensor, type TensorSpec } from "../tensor/index.ts";

/** Top, left, bottom, right; shares of height and width, 0 to 1. */
type Box = readonly [top: number, left: number, bottom: number, right: number];

/** An object that a detection model found in a picture. */
export interface Detection {
  /** Number of the class, as the label map counts. */
  readonly class: number;
  /** Absent where the class has no name. */
  readonly label?: string;
  readonly score: number;
  readonly box: Box;
}

/** Outputs of a detection model. @see TensorFlow's object detection API, g3doc/exporting_models.md */
export const DETECTION_OUTPUTS = [
  "detection_boxes",
  "detection_scores",
  "detection_classes",
  "num_detections",
] as const;

/** True for a model whose outputs are found objects. */
export function isDetector(outputs: readonly Pick<TensorSpec, "name">[]): boolean {
  return DETECTION_OUTPUTS.slice(0, 3).every((name) => outputs.some((one) => one.name === name));
}

/**
 * The objects found in each picture of a batch, best first, from a score on. Undefined for outputs that are none of a detection model.
 * @param labels - by number of the class
 */
export function detectionsOf(
  outputs: readonly Tensor[],
  { labels = [], threshold }: { readonly labels?: readonly string[]; readonly threshold: number },
): readonly (readonly Detection[])[] | undefined {
  const [boxes, scores, classes, counts] = DETECTION_OUTPUTS.map((name) =>
    outputs.find((output) => output.name === name),
  );
  if (boxes === undefined || scores === undefined || classes === undefined) return undefined;
  const values = {
    boxes: toDoubles(boxes),
    scores: toDoubles(scores),
    classes: toDoubles(classes),
  };
  const pictures = boxes.shape.length === 3 ? (boxes.shape[0] ?? 1) : 1;
  const places = pictures === 0 ? 0 : values.scores.length / pictures;
  if (values.boxes.length !== 4 * values.scores.length || !Number.isInteger(places))
    return undefined;
  if (values.classes.length !== values.scores.length) return undefined;
  const found = counts === undefined ? undefined : toDoubles(counts);
  return Array.from({ length: pictures }, (_, picture) => {
    const count = Math.min(places, found?.[picture] ?? places);
    return Array.from({ length: count }, (_unused, at) => picture * places + at)
      .filter((at) => (values.scores[at] ?? 0) >= threshold)
      .map((at) => detectionAt(at, values, labels))
      .sort((a, b) => b.score - a.score);
  });
}

function detectionAt(
  at: number,
  values: Readonly<Record<"boxes" | "scores" | "classes", Float64Array>>,
  labels: readonly string[],
): Detection {
  const { boxes, scores, classes } = values;
  const number = Math.round(classes[at] ?? 0);
  const label = labels[number];
  const [top = 0, left = 0, bottom = 0, right = 0] = boxes.subarray(4 * at, 4 * at + 4);
  return {
    class: number,
    ...(label !== undefined && label !== "" && { label }),
    score: scores[at] ?? 0,
    box: [top, left, bottom, right],
  };
}
