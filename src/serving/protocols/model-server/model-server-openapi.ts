import type { ApiModel, ExampleRequest, Json, OpenApiPart } from "../protocol.ts";
import { jsonExample, openApiExample, zerosOf } from "../sample.ts";

const SCHEMA = "#/components/schemas/";
const ERROR = {
  description: "why not",
  content: { "application/json": { schema: { $ref: `${SCHEMA}ModelServerError` } } },
};

const PROTOCOL = "model-server";

/** A request of zeros by name; absent for a model without a signature. */
export function modelServerExample({
  name,
  inputs,
  takesTensors,
}: ApiModel): ExampleRequest | undefined {
  if (!takesTensors || inputs.length === 0) return undefined;
  const values = inputs.map((input) => `${JSON.stringify(input.name)}:${zerosOf(input)}`);
  return jsonExample(`/predict/${encodeURIComponent(name)}`, `{"inputs":{${values.join(",")}}}`);
}

/** The model server's share of the OpenAPI document; the path without a name is not in it, since another row has it on most servers. */
export function modelServerOpenApi(models: readonly ApiModel[]): OpenApiPart {
  return {
    paths: {
      ...Object.fromEntries(models.flatMap(predictingOne)),
      "/predict/{name}": predictPath(["name"]),
      "/predict/{name}/{version}": predictPath(["name", "version"]),
      "/info": infoPath([]),
      "/info/{name}": infoPath(["name"]),
      "/info/{name}/{version}": infoPath(["name", "version"]),
      "/health": {
        get: {
          summary: "whether every model can be asked",
          responses: { "200": jsonAnswer("all can"), "503": jsonAnswer("one cannot") },
        },
      },
    },
    schemas: SCHEMAS,
  };
}

function predictingOne(model: ApiModel): readonly (readonly [path: string, item: Json])[] {
  const example = modelServerExample(model);
  return example === undefined
    ? []
    : [[example.path, predictPath([], openApiExample(example, { protocol: PROTOCOL, model }))]];
}

function predictPath(names: readonly string[], examples?: Json): Json {
  const binary = { schema: { type: "string", format: "binary" } };
  return {
    post: {
      summary: "ask a model, with numbers, an image, a table or a form",
      parameters: names.map(pathParameter),
      requestBody: {
        required: true,
        content: {
          "application/json": {
            schema: { $ref: `${SCHEMA}ModelServerRequest` },
            ...(examples !== undefined && { examples }),
          },
          "image/*": binary,
          "text/csv": { schema: { type: "string" } },
          "multipart/form-data": {
            schema: { type: "object", properties: { file: { type: "string", format: "binary" } } },
          },
        },
      },
      responses: {
        "200": {
          description: "the answer",
          content: { "application/json": { schema: { $ref: `${SCHEMA}ModelServerAnswer` } } },
        },
        "400": ERROR,
        "404": ERROR,
      },
    },
  };
}

function infoPath(names: readonly string[]): Json {
  return {
    get: {
      summary: "what models take and give",
      parameters: names.map(pathParameter),
      responses: { "200": jsonAnswer("names, kinds, inputs, outputs"), "404": ERROR },
    },
  };
}

function pathParameter(name: string): Json {
  return { name, in: "path", required: true, schema: { type: "string" } };
}

function jsonAnswer(description: string): Json {
  return { description, content: { "application/json": { schema: { type: "object" } } } };
}

const NUMBER = { type: "number" };
const TEXT = { type: "string" };

const SCHEMAS: OpenApiPart["schemas"] = {
  ModelServerRequest: {
    type: "object",
    properties: {
      inputs: { description: "values of the only input, or an object with all inputs by name" },
      instances: { type: "array", items: {} },
      image: { ...TEXT, description: "base64" },
      parameters: { type: "object" },
    },
  },
  ModelServerAnswer: {
    type: "object",
    properties: {
      model: TEXT,
      version: TEXT,
      outputs: { type: "object", additionalProperties: {} },
      predictions: { type: "array", items: { $ref: `${SCHEMA}ModelServerClasses` } },
      detections: {
        type: "array",
        items: { type: "array", items: { $ref: `${SCHEMA}ModelServerDetection` } },
      },
    },
  },
  ModelServerClasses: {
    type: "object",
    properties: {
      class: { type: "integer" },
      label: TEXT,
      score: NUMBER,
      top: { type: "array", items: { type: "object" } },
    },
  },
  ModelServerDetection: {
    type: "object",
    properties: {
      class: { type: "integer" },
      label: TEXT,
      score: NUMBER,
      box: { type: "array", items: NUMBER, minItems: 4, maxItems: 4 },
      pixels: { type: "object" },
    },
  },
  ModelServerError: {
    type: "object",
    properties: {
      error: {
        type: "object",
        properties: {
          code: TEXT,
          message: TEXT,
          hint: TEXT,
          tensor: TEXT,
          expected: TEXT,
          actual: TEXT,
        },
      },
    },
  },
};
