import { DATATYPES } from "../../../models/tensor/index.ts";
import type { Json, OpenApiPart } from "../protocol.ts";

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const answer = (description: string, schema: string): Json => ({
  description,
  content: { "application/json": { schema: ref(schema) } },
});
const REFUSED = answer("why not, naming the tensor where one is at fault", "V2Error");
const NAME: Json = { name: "name", in: "path", required: true, schema: { type: "string" } };
const VERSION: Json = { ...NAME, name: "version" };

interface Operation {
  readonly summary: string;
  readonly schema: string;
  /** Schema of the body; absent where none is taken. */
  readonly takes?: string;
}

function operation({ summary, schema, takes }: Operation, parameters: readonly Json[]): Json {
  return {
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(takes !== undefined && {
      requestBody: {
        required: takes === "V2InferRequest",
        content: { "application/json": { schema: ref(takes) } },
      },
    }),
    responses: {
      "200": answer("the answer", schema),
      ...(takes !== undefined && { "400": REFUSED }),
      ...(parameters.length > 0 && { "404": REFUSED }),
      default: REFUSED,
    },
  };
}

const getting = (summary: string, schema: string, parameters: readonly Json[] = []): Json => ({
  get: operation({ summary, schema }, parameters),
});
const posting = (what: Operation, parameters: readonly Json[] = []): Json => ({
  post: operation(what, parameters),
});

const OF_MODEL: readonly (readonly [string, (parameters: readonly Json[]) => Json])[] = [
  ["", (of) => getting("what the model takes and gives", "V2ModelMetadata", of)],
  ["/config", (of) => getting("the model's configuration", "V2Object", of)],
  ["/ready", (of) => getting("whether the model can be called", "V2Object", of)],
  ["/stats", (of) => getting("what the model has done", "V2Statistics", of)],
  [
    "/infer",
    (of) =>
      posting(
        { summary: "call the model", schema: "V2InferResponse", takes: "V2InferRequest" },
        of,
      ),
  ],
];

const object = (
  properties: { readonly [name: string]: Json },
  required: readonly string[] = [],
): Json => ({
  type: "object",
  properties,
  ...(required.length > 0 && { required }),
});
const TEXT: Json = { type: "string" };
const LIST: Json = { type: "array", items: {} };
const SHAPE: Json = { type: "array", items: { type: "integer" } };
const PARAMETERS: Json = {
  type: "object",
  additionalProperties: { anyOf: [TEXT, { type: "number" }, { type: "boolean" }] },
};
const HEAD = { name: TEXT, datatype: { type: "string", enum: DATATYPES }, shape: SHAPE } as const;
const NAMES = ["name", "datatype", "shape"];
const TENSOR = object({ ...HEAD, parameters: PARAMETERS, data: LIST }, NAMES);
const SPECS: Json = { type: "array", items: object(HEAD, NAMES) };

const SCHEMAS: Readonly<Record<string, Json>> = {
  V2Error: object({ error: TEXT }, ["error"]),
  V2Object: { type: "object" },
  V2Live: object({ live: { type: "boolean" } }),
  V2Ready: object({ ready: { type: "boolean" } }),
  V2ServerMetadata: object(
    { name: TEXT, version: TEXT, extensions: { type: "array", items: TEXT } },
    ["name", "version", "extensions"],
  ),
  V2ModelMetadata: object(
    {
      ...{ name: TEXT, versions: { type: "array", items: TEXT }, platform: TEXT },
      ...{ inputs: SPECS, outputs: SPECS },
    },
    ["name", "platform", "inputs", "outputs"],
  ),
  V2InferRequest: object(
    {
      id: TEXT,
      parameters: PARAMETERS,
      inputs: { type: "array", items: TENSOR, minItems: 1 },
      outputs: { type: "array", items: object({ name: TEXT, parameters: PARAMETERS }, ["name"]) },
    },
    ["inputs"],
  ),
  V2InferResponse: object(
    {
      ...{ model_name: TEXT, model_version: TEXT, id: TEXT, parameters: PARAMETERS },
      outputs: { type: "array", items: TENSOR },
    },
    ["model_name", "outputs"],
  ),
  V2Statistics: object({ model_stats: { type: "array", items: { type: "object" } } }, [
    "model_stats",
  ]),
  V2RepositoryIndex: {
    type: "array",
    items: object({ name: TEXT, version: TEXT, state: TEXT, reason: TEXT }, ["name"]),
  },
};

/** Open Inference V2's share of the OpenAPI document. */
export function v2OpenApi(): OpenApiPart {
  const models = OF_MODEL.flatMap(([path, item]) => [
    [`/v2/models/{name}${path}`, item([NAME])] as const,
    [`/v2/models/{name}/versions/{version}${path}`, item([NAME, VERSION])] as const,
  ]);
  return {
    paths: {
      "/v2": getting("the server and its extensions", "V2ServerMetadata"),
      "/v2/health/live": getting("whether the server answers", "V2Live"),
      "/v2/health/ready": getting("whether every model can be called", "V2Ready"),
      ...Object.fromEntries(models),
      "/v2/models/stats": getting("what all models have done", "V2Statistics"),
      "/v2/repository/index": posting({
        summary: "the models that there are",
        schema: "V2RepositoryIndex",
        takes: "V2Object",
      }),
      "/v2/repository/models/{name}/load": posting(
        { summary: "load a model, or load it anew", schema: "V2Object", takes: "V2Object" },
        [NAME],
      ),
      "/v2/repository/models/{name}/unload": posting(
        { summary: "take a model out of use", schema: "V2Object", takes: "V2Object" },
        [NAME],
      ),
    },
    schemas: SCHEMAS,
  };
}
