import {
  messageOf,
  numberOf,
  parseTextMessage,
  truthOf,
  wordOf,
  type TextMessage,
} from "../../../ground/wire/index.ts";
import { parsing } from "../../tensorflow/index.ts";
import { refuseTrainingGraph } from "./refuse-training.ts";
import { readResizing, type Resizing } from "./resizing.ts";

/** What an SSD's inference graph needs of `pipeline.config`; defaults as the Object Detection API's protos have them. */
export interface SsdPipeline {
  /** Boxes and scores are of this many classes; the background is one more where the model has it. */
  readonly classCount: number;
  readonly hasBackground: boolean;
  readonly resize: Resizing;
  /** True when one channel of brightness takes the place of the three of colour. */
  readonly isGrey: boolean;
  /** What pixels of 0 to 255 become: multiplied, then less this, one number for each channel or for all. */
  readonly scale: number;
  readonly offset: readonly number[];
  readonly boxCoder: BoxCoder;
  readonly scoreConverter: "IDENTITY" | "SIGMOID" | "SOFTMAX";
  readonly logitScale: number;
  readonly suppression: Suppression;
  readonly usesMovingAverages: boolean;
}

/** How encodings stand for boxes, and what they are divided by. */
export type BoxCoder =
  /** Centre and size, in parts of the anchor's. */
  | {
      readonly kind: "centres";
      readonly y: number;
      readonly x: number;
      readonly height: number;
      readonly width: number;
    }
  /** Corners, as distances from the anchor's. */
  | { readonly kind: "corners"; readonly stddev: number }
  /** Centre and length of a side. */
  | { readonly kind: "square"; readonly y: number; readonly x: number; readonly length: number };

/** Which boxes stay. */
export interface Suppression {
  readonly scoreThreshold: number;
  readonly iouThreshold: number;
  /** Most boxes of one class, and of all. */
  readonly perClass: number;
  readonly total: number;
  /** True when a box has its best class only, and boxes of all classes suppress each other. */
  readonly isClassAgnostic: boolean;
  /** Above 0, scores of boxes that overlap fall, in place of being dropped. */
  readonly softSigma: number;
  /** True when boxes are parts of the image and not of what it was padded to. */
  readonly changesFrame: boolean;
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
  return {
    classCount: numberOf(ssd, "num_classes", 0),
    hasBackground:
      truthOf(ssd, "add_background_class", true) ||
      truthOf(ssd, "explicit_background_class", false),
    ...readResizing(ssd),
    ...readNormalisation(ssd),
    boxCoder: readBoxCoder(ssd),
    scoreConverter: readConverter(post),
    logitScale: numberOf(post, "logit_scale", 1),
    suppression: readSuppression(post),
    usesMovingAverages: truthOf(messageOf(config, "eval_config"), "use_moving_averages", false),
  };
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

function readBoxCoder(ssd: TextMessage): BoxCoder {
  const coder = messageOf(ssd, "box_coder");
  const corners = messageOf(coder, "mean_stddev_box_coder");
  if (corners !== undefined) return { kind: "corners", stddev: numberOf(corners, "stddev", 0.01) };
  const square = messageOf(coder, "square_box_coder");
  if (square !== undefined)
    return {
      kind: "square",
      y: numberOf(square, "y_scale", 10),
      x: numberOf(square, "x_scale", 10),
      length: numberOf(square, "length_scale", 5),
    };
  const centres = messageOf(coder, "faster_rcnn_box_coder");
  if (coder !== undefined && centres === undefined)
    throw refuseTrainingGraph(`box coder ${[...coder.fields.keys()].join(", ")} is not known`);
  return {
    kind: "centres",
    y: numberOf(centres, "y_scale", 10),
    x: numberOf(centres, "x_scale", 10),
    height: numberOf(centres, "height_scale", 5),
    width: numberOf(centres, "width_scale", 5),
  };
}

/** Ways of suppression that give other boxes, or lay them out in another way. */
const UNKNOWN_SUPPRESSION = ["use_combined_nms", "use_partitioned_nms", "use_static_shapes"];

function readSuppression(post: TextMessage | undefined): Suppression {
  if (messageOf(post, "calibration_config") !== undefined)
    throw refuseTrainingGraph("calibration_config is not known");
  const suppression = messageOf(post, "batch_non_max_suppression");
  const unknown = UNKNOWN_SUPPRESSION.find((name) => truthOf(suppression, name, false));
  if (unknown !== undefined) throw refuseTrainingGraph(`${unknown} is not known`);
  return {
    scoreThreshold: numberOf(suppression, "score_threshold", 0),
    iouThreshold: numberOf(suppression, "iou_threshold", 0.6),
    perClass: numberOf(suppression, "max_detections_per_class", 100),
    total: numberOf(suppression, "max_total_detections", 100),
    isClassAgnostic: truthOf(suppression, "use_class_agnostic_nms", false),
    softSigma: numberOf(suppression, "soft_nms_sigma", 0),
    changesFrame: truthOf(suppression, "change_coordinate_frame", false),
  };
}

function readConverter(post: TextMessage | undefined): SsdPipeline["scoreConverter"] {
  const word = wordOf(post, "score_converter") ?? "IDENTITY";
  if (word === "IDENTITY" || word === "SIGMOID" || word === "SOFTMAX") return word;
  throw refuseTrainingGraph(`score_converter ${word} is not known`);
}
