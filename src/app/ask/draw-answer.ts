import { ToolError } from "../../ground/errors/index.ts";
import { writeFileAtomic } from "../../ground/process/index.ts";
import { drawDetections, type Detection } from "../../models/answers/index.ts";
import { createImageDecoder, encodePng } from "../../models/inputs/index.ts";
import { member } from "./server-client.ts";

/** A picture that was sent, and what came back for it. */
export interface DrawRequest {
  /** As it was sent: JPEG, PNG, WebP or GIF. */
  readonly picture: Blob;
  /** The answer of `/predict/NAME`, as it came. */
  readonly text: string;
  /** Absolute path of the PNG that is written; one that is there is replaced. */
  readonly path: string;
}

/**
 * Writes the picture with a box, a name and a score for each object that the answer tells of; as it is where the answer tells of none.
 * @throws ToolError `UNSUPPORTED` for an answer without detections, `REQUEST_INVALID` for a picture that cannot be decoded; nothing is
 * written then
 */
export async function drawAnswer({ picture, text, path }: DrawRequest): Promise<void> {
  const detections = readDetections(text);
  if (detections === undefined)
    throw new ToolError("UNSUPPORTED", `draw "${path}": the answer has no detections`, {
      hint: "leave --draw out, or ask a model that finds objects",
    });
  const pixels = await createImageDecoder().decode(await picture.bytes());
  await writeFileAtomic(path, encodePng(drawDetections(pixels, detections)));
}

/** The objects in the first picture of an answer; undefined where it does not tell of objects, or in another form. */
function readDetections(text: string): readonly Detection[] | undefined {
  const detections = member(parseAnswer(text), "detections");
  const first: unknown = Array.isArray(detections) ? detections[0] : undefined;
  if (!Array.isArray(first)) return undefined;
  const found = first.map(readDetection);
  return found.every((one) => one !== undefined) ? found : undefined;
}

function parseAnswer(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined; // whatever user code gives
  }
}

function readDetection(value: unknown): Detection | undefined {
  const [number, score, label, box] = ["class", "score", "label", "box"].map((key) =>
    member(value, key),
  );
  if (typeof number !== "number" || typeof score !== "number" || !Array.isArray(box))
    return undefined;
  const [top, left, bottom, right]: readonly unknown[] = box;
  if (typeof top !== "number" || typeof left !== "number") return undefined;
  if (typeof bottom !== "number" || typeof right !== "number") return undefined;
  return {
    ...{ class: number, score, box: [top, left, bottom, right] },
    ...(typeof label === "string" && { label }),
  };
}
