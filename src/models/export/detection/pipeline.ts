import {
  messageOf,
  numberOf,
  parseTextMessage,
  truthOf,
  wordOf,
  type TextMessage,
} from "../../../ground/wire/index.ts";
import { parsing } from "../../tensorflow/index.ts";
import { refuseGraph } from "../refusal.ts";

/** What an SSD's inference graph needs of `pipeline.config`; defaults as the Object Detection API's protos have them. */
export interface SsdPipeline {
  /** Boxes and scores are of this many classes; the background is one more where the model has it. */
  readonly classCount: number;
  readonly hasBackground: boolean;
  /** Pixels. */
  readonly resize: { readonly height: number; readonly width: number; readonly op: string };
  /** What pixels of 0 to 255 become: multiplied, then less this, one number for each channel or for all. */
  readonly scale: number;
  readonly offset: readonly number[];
  /** What box encodings are divided by. */
  readonly boxScales: {
    readonly y: number;
    readonly x: number;
    readonly height: number;
    readonly width: number;
  };
  readonly scoreConverter: "IDENTITY" | "SIGMOID" | "SOFTMAX";
  readonly logitScale: number;
  readonly suppression: {
    readonly scoreThreshold: number;
    readonly iouThreshold: number;
    readonly perClass: number;
    readonly total: number;
  };
  readonly usesMovingAverages: boolean;
}

/** Words for what is not done: a job with the exporter itself. */
const EXPORTER_HINT =
  "run the Object Detection API's own export_inference_graph.py as a training job with `slipway train pack` and `slipway train run`, as docs/guide/export.md shows; or choose outputs with --outputs and an input with --input";

/** The error of a training graph that is not rebuilt. */
export function refuseTrainingGraph(why: string): Error {
  return refuseGraph(
    `it is a training graph of the Object Detection API without detection_boxes, and ${why}`,
    EXPORTER_HINT,
  );
}

/**
 * Reads `pipeline.config`.
 * @throws ProjectError `MODEL_FILE_INVALID` when it is no text-format message, ToolError `UNSUPPORTED` for what is not an SSD that we know.
 */
export function parseSsdPipeline(text: string, name: string): SsdPipeline {
  return parsing(name, () => readPipeline(parseTextMessage(text)));
}

function readPipeline(config: TextMessage): SsdPipeline {
  const model = messageOf(config, "model");
  const ssd = messageOf(model, "ssd");
  if (ssd === undefined) {
    const family = [...(model?.fields.keys() ?? [])].join(", ") || "no model";
    throw refuseTrainingGraph(`only SSD models are rebuilt; its pipeline.config has ${family}`);
  }
  const post = messageOf(ssd, "post_processing");
  const suppression = messageOf(post, "batch_non_max_suppression");
  return {
    classCount: numberOf(ssd, "num_classes", 0),
    hasBackground: truthOf(ssd, "add_background_class", true),
    resize: readResize(ssd),
    ...readNormalisation(ssd),
    boxScales: readBoxScales(ssd),
    scoreConverter: readConverter(post),
    logitScale: numberOf(post, "logit_scale", 1),
    suppression: {
      scoreThreshold: numberOf(suppression, "score_threshold", 0),
      iouThreshold: numberOf(suppression, "iou_threshold", 0.6),
      perClass: numberOf(suppression, "max_detections_per_class", 100),
      total: numberOf(suppression, "max_total_detections", 100),
    },
    usesMovingAverages: truthOf(messageOf(config, "eval_config"), "use_moving_averages", false),
  };
}

const RESIZE_OPS: Readonly<Record<string, string>> = {
  AREA: "ResizeArea",
  BICUBIC: "ResizeBicubic",
  BILINEAR: "ResizeBilinear",
  NEAREST_NEIGHBOR: "ResizeNearestNeighbor",
};

function readResize(ssd: TextMessage): SsdPipeline["resize"] {
  const resizer = messageOf(ssd, "image_resizer");
  const fixed = messageOf(resizer, "fixed_shape_resizer");
  if (fixed === undefined)
    throw refuseTrainingGraph(
      `only fixed_shape_resizer is known; it has ${[...(resizer?.fields.keys() ?? [])].join(", ") || "none"}`,
    );
  if (truthOf(fixed, "convert_to_grayscale", false))
    throw refuseTrainingGraph("convert_to_grayscale is not known");
  const method = wordOf(fixed, "resize_method") ?? "BILINEAR";
  const op = RESIZE_OPS[method];
  if (op === undefined) throw refuseTrainingGraph(`resize_method ${method} is not known`);
  return { height: numberOf(fixed, "height", 300), width: numberOf(fixed, "width", 300), op };
}

/** Means of ImageNet's red, green and blue, which the residual networks were trained with. */
const CHANNEL_MEANS = [123.68, 116.779, 103.939] as const;

function readNormalisation(ssd: TextMessage): Pick<SsdPipeline, "scale" | "offset"> {
  const type = wordOf(messageOf(ssd, "feature_extractor"), "type") ?? "none";
  if (/resnet/.test(type)) return { scale: 1, offset: CHANNEL_MEANS };
  if (/mobilenet|inception|pnasnet|mobiledet|mnasfpn/.test(type))
    return { scale: 2 / 255, offset: [1] };
  throw refuseTrainingGraph(`feature extractor ${type} is not known`);
}

function readBoxScales(ssd: TextMessage): SsdPipeline["boxScales"] {
  const coder = messageOf(ssd, "box_coder");
  const scales = messageOf(coder, "faster_rcnn_box_coder");
  if (coder !== undefined && scales === undefined)
    throw refuseTrainingGraph(`box coder ${[...coder.fields.keys()].join(", ")} is not known`);
  return {
    y: numberOf(scales, "y_scale", 10),
    x: numberOf(scales, "x_scale", 10),
    height: numberOf(scales, "height_scale", 5),
    width: numberOf(scales, "width_scale", 5),
  };
}

function readConverter(post: TextMessage | undefined): SsdPipeline["scoreConverter"] {
  const word = wordOf(post, "score_converter") ?? "IDENTITY";
  if (word === "IDENTITY" || word === "SIGMOID" || word === "SOFTMAX") return word;
  throw refuseTrainingGraph(`score_converter ${word} is not known`);
}
