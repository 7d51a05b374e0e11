import type { JsonSchema } from "./json-schema.ts";
import { CHANNELS, FITS, LAYOUTS, RESAMPLING } from "./processing.ts";

const PIXELS: JsonSchema = { type: "integer", minimum: 1, maximum: 16_384 };
const NUMBER: JsonSchema = { type: "number" };
/** One number for all channels, or a list with one for each. */
const BY_CHANNEL: JsonSchema = {
  anyOf: [NUMBER, { type: "array", minItems: 1, maxItems: 4, items: NUMBER }],
};

/** `preprocess:` of the project file. */
export const PREPROCESS: JsonSchema = {
  type: "object",
  description:
    "How uploaded pictures become tensors; what is left out follows from the model's input.",
  additionalProperties: false,
  properties: {
    input: {
      type: "string",
      title: "the name of an input",
      minLength: 1,
      maxLength: 4096,
      description: "The input that takes the picture. Default: the only one that can.",
    },
    size: {
      type: "array",
      minItems: 2,
      maxItems: 2,
      items: PIXELS,
      description: "Height and width, in pixels. Default: those of the input.",
      examples: [[224, 224]],
    },
    channels: {
      type: "string",
      enum: CHANNELS,
      description: "Channels and their order. Default: as many as the input has, red first.",
    },
    layout: {
      type: "string",
      enum: LAYOUTS,
      description: "Where the channels stand. Default: as the input's shape says.",
    },
    scale: {
      anyOf: [
        NUMBER,
        { type: "string", title: 'a fraction such as "1/255"', pattern: "^1/[1-9][0-9]{0,6}$" },
      ],
      description:
        "What pixels of 0 to 255 are multiplied by. Default: 1/255 for fractions, 1 for whole numbers and for Caffe.",
      examples: ["1/255"],
    },
    mean: {
      ...BY_CHANNEL,
      description: "Taken off after scaling: one number, or one for each channel. Default 0.",
      examples: [[0.485, 0.456, 0.406]],
    },
    std: {
      ...BY_CHANNEL,
      description: "Divides after that: one number, or one for each channel. Default 1.",
      examples: [[0.229, 0.224, 0.225]],
    },
    fit: {
      type: "string",
      enum: FITS,
      default: "stretch",
      description: "How a picture of another shape comes to the size.",
    },
    resample: {
      type: "string",
      enum: RESAMPLING,
      default: "bilinear",
      description: "The filter that changes the size, as Pillow has it.",
    },
  },
};

/** `postprocess:` of the project file. */
export const POSTPROCESS: JsonSchema = {
  type: "object",
  description: "What answers say beside the model's own outputs.",
  additionalProperties: false,
  properties: {
    top: {
      type: "integer",
      minimum: 1,
      maximum: 10_000,
      default: 5,
      description: "Classes in an answer, best first.",
    },
    threshold: {
      type: "number",
      minimum: 0,
      maximum: 1,
      default: 0.5,
      description: "Score from which on a found object is told.",
    },
    labels: {
      type: "string",
      title: "a path inside the project folder",
      pattern: "^(?!/)(?!\\.\\.(?:/|$))(?!.*/\\.\\.(?:/|$))[^\\u0000\\\\]+$",
      maxLength: 4096,
      description:
        "File with the names of classes: one a line, JSON, or a label map. Default: one that lies beside the model.",
      examples: ["labels.txt"],
    },
  },
};
