import { detectionsOf, topClasses, type Detection } from "../../../models/answers/index.ts";
import type { PostprocessSettings } from "../../../models/description/index.ts";
import type { ModelName, NamedTensor, PredictorFacts } from "../../plane/index.ts";
import { stringText, tensorText } from "../json/index.ts";
import type { PictureSize } from "./prepare-inputs.ts";

const DEFAULT_TOP = 5;
const DEFAULT_THRESHOLD = 0.5;

/** What an answer is made of. */
export interface Answer {
  readonly model: ModelName;
  readonly facts: PredictorFacts;
  readonly outputs: readonly NamedTensor[];
  /** The model's own settings with those of the request over them. */
  readonly postprocess: PostprocessSettings;
  /** True where the request says how many classes it wants: then any row of numbers is read as scores. */
  readonly wantsClasses: boolean;
  /** Names of the outputs that the answer holds. Default: all. */
  readonly names?: readonly string[] | undefined;
  readonly pictures: readonly PictureSize[];
}

/**
 * An answer in JSON: `model`, `version`, `predictions` of a classifier or `detections` of a detector, `outputs` by name.
 * @throws InferenceError `REQUEST_INVALID` for outputs that JSON cannot carry
 * @see docs/guide/model-server.md
 */
export function writeAnswer(answer: Answer): Buffer {
  const { model, outputs, names, facts, postprocess, wantsClasses } = answer;
  const { top = DEFAULT_TOP, threshold = DEFAULT_THRESHOLD } = postprocess;
  const labels = facts.labels ?? {};
  const detections = detectionsOf(outputs, {
    threshold,
    ...detectorLabels(labels),
  });
  const classes =
    detections === undefined
      ? topClasses(outputs, { labels, top, isAsked: wantsClasses })
      : undefined;
  const parts: (string | Buffer)[] = [
    `{"model":${stringText(model.name, true)},"version":${stringText(model.version, true)}`,
  ];
  if (detections !== undefined)
    parts.push(`,"detections":${JSON.stringify(withPixels(detections, answer.pictures))}`);
  if (detections !== undefined && answer.pictures.length > 0)
    parts.push(`,"images":${JSON.stringify(answer.pictures)}`);
  if (classes !== undefined)
    parts.push(
      `,"predictions":${JSON.stringify(classes.map((best) => ({ ...best[0], top: best })))}`,
    );
  const wanted = outputs.filter(({ name }) => names === undefined || names.includes(name));
  parts.push(',"outputs":{');
  wanted.forEach((tensor, at) =>
    parts.push(`${at === 0 ? "" : ","}${stringText(tensor.name, true)}:`, tensorText(tensor)),
  );
  parts.push("}}\n");
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}

/** A detector has one list of names, whichever output it is filed under. */
function detectorLabels(labels: Readonly<Record<string, readonly string[]>>): {
  readonly labels?: readonly string[];
} {
  const found = labels["detection_classes"] ?? Object.values(labels)[0];
  return found === undefined ? {} : { labels: found };
}

/** Boxes in pixels too, where the size of the picture is known. */
function withPixels(
  detections: readonly (readonly Detection[])[],
  pictures: readonly PictureSize[],
): readonly unknown[] {
  return detections.map((found, at) => {
    const size = pictures[at];
    if (size === undefined) return found;
    return found.map((one) => {
      const [top, left, bottom, right] = one.box;
      const across = (share: number): number => Math.round(share * size.width);
      const down = (share: number): number => Math.round(share * size.height);
      return {
        ...one,
        pixels: { left: across(left), top: down(top), right: across(right), bottom: down(bottom) },
      };
    });
  });
}
