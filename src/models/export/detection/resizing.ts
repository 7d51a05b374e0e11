import {
  messageOf,
  numberOf,
  truthOf,
  wordOf,
  wordsOf,
  type TextMessage,
} from "../../../ground/wire/index.ts";
import { refuseTrainingGraph } from "./refuse-training.ts";

/** What size images are brought to, in pixels. `op` is the operation that does it. */
export type Resizing =
  | {
      readonly kind: "fixed";
      readonly height: number;
      readonly width: number;
      readonly op: string;
    }
  /** The shorter side becomes `shortest`, unless the longer one would pass `longest`. */
  | {
      readonly kind: "range";
      readonly shortest: number;
      readonly longest: number;
      readonly op: string;
      /** Where images are made square at the bottom and on the right: the value of each channel there. */
      readonly padding: readonly number[] | undefined;
    }
  | { readonly kind: "none" };

const RESIZE_OPS: Readonly<Record<string, string>> = {
  AREA: "ResizeArea",
  BICUBIC: "ResizeBicubic",
  BILINEAR: "ResizeBilinear",
  NEAREST_NEIGHBOR: "ResizeNearestNeighbor",
};

/** Reads `image_resizer`. @throws ToolError `UNSUPPORTED` for one that is not known. */
export function readResizing(model: TextMessage): {
  readonly resize: Resizing;
  readonly isGrey: boolean;
} {
  const resizer = messageOf(model, "image_resizer");
  const fixed = messageOf(resizer, "fixed_shape_resizer");
  const range = messageOf(resizer, "keep_aspect_ratio_resizer");
  const isGrey = truthOf(fixed ?? range, "convert_to_grayscale", false);
  if (fixed !== undefined)
    return {
      isGrey,
      resize: {
        kind: "fixed",
        height: numberOf(fixed, "height", 300),
        width: numberOf(fixed, "width", 300),
        op: resizeOp(fixed),
      },
    };
  if (range !== undefined) return { isGrey, resize: readRange(range) };
  if (messageOf(resizer, "identity_resizer") !== undefined)
    return { isGrey, resize: { kind: "none" } };
  throw refuseTrainingGraph(
    `its image_resizer is not known: ${[...(resizer?.fields.keys() ?? [])].join(", ") || "none"}`,
  );
}

function readRange(range: TextMessage): Resizing {
  const padding = wordsOf(range, "per_channel_pad_value").map(Number);
  return {
    kind: "range",
    shortest: numberOf(range, "min_dimension", 600),
    longest: numberOf(range, "max_dimension", 1024),
    op: resizeOp(range),
    padding: truthOf(range, "pad_to_max_dimension", false)
      ? padding.length === 0
        ? [0, 0, 0]
        : padding
      : undefined,
  };
}

function resizeOp(resizer: TextMessage): string {
  const method = wordOf(resizer, "resize_method") ?? "BILINEAR";
  const op = RESIZE_OPS[method];
  if (op === undefined) throw refuseTrainingGraph(`resize_method ${method} is not known`);
  return op;
}
