import type { JsonSchema } from "../../models/description/index.ts";
import { PURPOSES, ROW_FRAMEWORKS } from "./contracts.ts";

const TEXT: JsonSchema = {
  type: "string",
  title: "a text of at least one character",
  minLength: 1,
  maxLength: 1024,
};
const LABEL: JsonSchema = {
  type: "string",
  title: "a name and a version, such as python-3.12 or debian-12",
  pattern: "^[a-z]+(?:-[0-9A-Za-z.]+)?$",
  maxLength: 128,
};
const CAPABILITY: JsonSchema = {
  type: "string",
  title: 'a compute capability in quotes, such as "8.6"',
  pattern: "^[0-9]{1,2}\\.[0-9]$",
};

function listSchema(items: JsonSchema, description: string): JsonSchema {
  return { type: "array", maxItems: 64, items, description };
}

function recipe(description: string): JsonSchema {
  return {
    type: "object",
    description,
    additionalProperties: false,
    required: ["base"],
    properties: {
      base: {
        ...TEXT,
        description:
          "Image that it stands on: a reference, store:NAME, or another place that images are read from. {python} in it becomes the version of Python, such as 3.12.",
      },
      requirements: listSchema(
        TEXT,
        "Python packages on top of it, as lines of a requirements file. None for an image that has the framework.",
      ),
      extraIndexUrls: listSchema(
        { ...TEXT, pattern: "^https?://", title: "an http or https address" },
        "More package indexes for these.",
      ),
      apt: listSchema(TEXT, "Debian packages that these need, beside what the base has."),
    },
  };
}

const ROW: JsonSchema = {
  type: "object",
  title: "a row",
  additionalProperties: false,
  required: ["framework", "name"],
  properties: {
    framework: {
      type: "string",
      enum: ROW_FRAMEWORKS,
      description: "Mode of packdocker, or --framework of train pack.",
    },
    name: {
      type: "string",
      title: "a name that begins with a letter or digit, such as pytorch-2.11.0",
      pattern: "^[A-Za-z0-9][A-Za-z0-9._+ -]*$",
      maxLength: 128,
      description: "As --ai_arch_v has it: framework and version.",
    },
    for: {
      type: "array",
      minItems: 1,
      uniqueItems: true,
      items: { type: "string", enum: PURPOSES },
      description: "inference is packdocker, training is train pack. Default: both.",
    },
    os: { ...LABEL, description: "Operating system, as --os has it. Default: any." },
    pythons: {
      type: "array",
      minItems: 1,
      maxItems: 64,
      uniqueItems: true,
      items: LABEL,
      description: "Pythons, as --python_version has them, the usual one first. Default: any.",
    },
    closed: {
      type: "boolean",
      description:
        "Its images are the vendor's own: known, named in errors, never used by themselves. Default: false.",
    },
    cpu: recipe("What images for processors are made of."),
    gpu: recipe("What images for graphics cards are made of."),
    cuda: {
      type: "object",
      description: "What the packages for graphics cards ask of the machine.",
      additionalProperties: false,
      required: ["version", "oldest", "newest"],
      properties: {
        version: {
          type: "string",
          title: 'a CUDA version in quotes, such as "12.4"',
          pattern: "^[0-9]{1,2}\\.[0-9]{1,2}$",
        },
        oldest: {
          ...CAPABILITY,
          description: "Compute capability of the oldest card that they have code for.",
        },
        newest: { ...CAPABILITY, description: "Compute capability of the newest." },
      },
    },
  },
};

/** What a catalogue file may say; published as `schema/catalogue.schema.json`. */
export const CATALOGUE_SCHEMA: JsonSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Slipway catalogue",
  description: "Versions of frameworks and what their images stand on.",
  type: "object",
  additionalProperties: false,
  required: ["releases"],
  properties: {
    $schema: { type: "string", title: "the address of this schema", maxLength: 1024 },
    description: {
      type: "array",
      maxItems: 64,
      items: { type: "string", title: "a text", maxLength: 1024 },
      description: "For readers; lines of text.",
    },
    releases: {
      type: "array",
      maxItems: 1000,
      items: ROW,
      description: "Rows; the first that fits is taken.",
    },
  },
};
