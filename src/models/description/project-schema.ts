import { CONTRACTS } from "./description.ts";
import { MODEL_KINDS } from "./kinds.ts";
import type { JsonSchema } from "./json-schema.ts";
import { POSTPROCESS, PREPROCESS } from "./processing-schema.ts";
import { SIGNATURE } from "./signature-schema.ts";

const PATH: JsonSchema = {
  type: "string",
  title: "a path inside the project folder",
  pattern: "^(?!/)(?!\\.\\.(?:/|$))(?!.*/\\.\\.(?:/|$))[^\\u0000\\\\]+$",
  maxLength: 4096,
};
const TEXT: JsonSchema = {
  type: "string",
  title: "a text of at least one character",
  minLength: 1,
  maxLength: 4096,
};
const TEXT_MAP: JsonSchema = {
  type: "object",
  maxProperties: 256,
  additionalProperties: { type: "string", title: "a text", maxLength: 65_536 },
};

function listSchema(items: JsonSchema): JsonSchema {
  return { type: "array", maxItems: 256, items };
}

function wholeNumber(description: string, minimum: number, maximum: number): JsonSchema {
  return { type: "integer", minimum, maximum, description };
}

const PYTHON: JsonSchema = {
  type: "object",
  description: "Where Python packages come from.",
  additionalProperties: false,
  properties: {
    version: {
      type: "string",
      title: 'a Python version in quotes, such as "3.11"',
      pattern: "^3\\.[0-9]{1,2}$",
      description: "The Python that the base must have. Default: whatever it has.",
    },
    requirements: {
      description: "Requirements file or files. Default: requirements.txt, when it is there.",
      anyOf: [PATH, { type: "array", minItems: 1, maxItems: 32, items: PATH }],
    },
    indexUrl: { ...TEXT, description: "Package index in place of the default one." },
    extraIndexUrl: { ...listSchema(TEXT), description: "More package indexes." },
    findLinks: { ...listSchema(TEXT), description: "Folders or pages with wheels." },
    ignoreLibraries: {
      ...listSchema(TEXT),
      description: "Shared libraries that may be missing, such as libGL.so.1.",
    },
  },
};

const SERVER: JsonSchema = {
  type: "object",
  description: "Limits of the server.",
  additionalProperties: false,
  properties: {
    workers: { ...wholeNumber("Worker processes per model.", 1, 256), default: 1 },
    maxBatch: {
      ...wholeNumber("Rows joined into one call at the most; 1 switches joining off.", 1, 65_536),
      default: 1,
    },
    maxWaitMs: wholeNumber(
      "Longest time a row waits for company, in milliseconds. Without it: learned, at most 5, for a model of named tensors; 0 for a class of Seldon.",
      0,
      60_000,
    ),
    padValue: wholeNumber(
      "Number that requests of different lengths are padded with, so that they are joined; without it they are not.",
      -2147483648,
      2_147_483_647,
    ),
    maxBodyBytes: {
      ...wholeNumber("Largest request body, in bytes.", 1, 2 ** 31),
      default: 104_857_600,
    },
    timeoutMs: {
      ...wholeNumber("Longest time for one call of the model, in milliseconds.", 1, 86_400_000),
      default: 60_000,
    },
    maxQueue: {
      ...wholeNumber("Calls that may wait for a worker; more are refused with 429.", 0, 1_000_000),
      default: 1024,
    },
    workerMemoryMib: wholeNumber(
      "Private memory at which a worker is ended, in MiB; no limit when absent.",
      16,
      16_777_216,
    ),
  },
};

const PORT: JsonSchema = wholeNumber("A TCP port.", 1, 65_535);

/**
 * What `slipway.yaml` may say. Published as `schema/slipway.schema.json` for editors; `title` says in errors what was expected.
 */
export const PROJECT_SCHEMA: JsonSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: "https://slipway.dev/schema/slipway.schema.json",
  title: "slipway.yaml",
  description: "A model project that slipway packs into an image.",
  type: "object",
  additionalProperties: false,
  properties: {
    name: {
      type: "string",
      title: "letters, digits, dots, dashes and underscores, a letter or digit first",
      pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",
      description: "Name of the model. Default: the folder's name.",
      examples: ["iris"],
    },
    image: {
      ...TEXT,
      description: "Where the image goes.",
      examples: ["registry.example.com/team/iris:v1"],
    },
    model: {
      ...PATH,
      description: "The model file, or the folder that holds it. Default: what is found.",
    },
    kind: {
      type: "string",
      enum: MODEL_KINDS,
      description: "Kind of the model, where several are found. Default: what is found.",
    },
    code: {
      type: "string",
      title: 'a file and a class, such as "IrisModel.py:IrisModel"',
      pattern: "^(?!/)[^\\u0000\\\\:]+\\.(?:py|ts|mts|js|mjs)(?::[A-Za-z_$][A-Za-z0-9_$]*)?$",
      maxLength: 4096,
      description: "The user class that answers requests.",
      examples: ["IrisModel.py:IrisModel"],
    },
    service: {
      type: "string",
      enum: ["MODEL", "ROUTER", "TRANSFORMER", "COMBINER", "OUTLIER_DETECTOR"],
      default: "MODEL",
      description: "Role in a Seldon graph.",
    },
    contract: {
      type: "string",
      enum: CONTRACTS,
      default: "seldon",
      description: "Class contract and default ports.",
    },
    base: {
      ...TEXT,
      description: "Base image: a reference in a registry, or store:NAME.",
      examples: ["docker.io/library/python:3.11-slim", "store:pybase"],
    },
    platforms: {
      type: "array",
      minItems: 1,
      uniqueItems: true,
      items: { type: "string", enum: ["linux/amd64", "linux/arm64"] },
      default: ["linux/amd64"],
      description: "Platforms to make the image for.",
    },
    python: PYTHON,
    apt: {
      ...listSchema({
        type: "string",
        title: "the name of a Debian package",
        pattern: "^[a-z0-9][a-z0-9+.-]+(?:=[^\\s]+)?$",
      }),
      description: "Debian packages to add to a Debian base.",
    },
    env: {
      type: "object",
      maxProperties: 256,
      description: "Environment of the server.",
      propertyNames: {
        type: "string",
        title: "the name of a variable: letters, digits and underscores, no digit first",
        pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
      },
      additionalProperties: {
        title: "a text, in quotes where YAML would see something else",
        type: "string",
        maxLength: 65_536,
      },
    },
    ports: {
      type: "object",
      description: "Ports other than the contract's.",
      additionalProperties: false,
      properties: { http: PORT, grpc: PORT, metrics: PORT },
    },
    server: SERVER,
    signature: SIGNATURE,
    preprocess: PREPROCESS,
    postprocess: POSTPROCESS,
    ignore: {
      ...listSchema(TEXT),
      description:
        "Patterns of files to leave out, as in .dockerignore; they come after those of the ignore file.",
    },
    allowSecrets: {
      description: "Patterns of files that may look like secrets, or true for all of them.",
      anyOf: [{ type: "boolean" }, listSchema(TEXT)],
    },
    allowPickle: {
      ...listSchema({
        type: "string",
        title: "a dotted name, such as features.Cleaner",
        pattern: "^[A-Za-z_][A-Za-z0-9_]*(?:\\.[A-Za-z_][A-Za-z0-9_]*)+$",
        maxLength: 512,
      }),
      description:
        "Classes and functions that pickles may import beside those that models are made of, by exact name.",
      examples: [["features.Cleaner"]],
    },
    graph: {
      type: "object",
      description:
        "A Seldon graph in place of one model: name, type, parameters, children and so on of each node as in a SeldonDeployment, with code (File.py:Class or the folder of a project), image and env of its own.",
      examples: [
        {
          name: "choose",
          type: "ROUTER",
          code: "Choose.py:Choose",
          children: [
            { name: "small", code: "Small.py:Small" },
            { name: "large", code: "./large" },
          ],
        },
      ],
    },
    labels: { ...TEXT_MAP, description: "Labels of the image." },
    annotations: { ...TEXT_MAP, description: "Annotations of the image's manifest." },
  },
};
