import { DATATYPES, type TensorSpec } from "../../../models/tensor/index.ts";
import type { ApiModel, Json, OpenApiPart } from "../protocol.ts";
import { openApiExample } from "../sample.ts";
import { v2Example } from "./v2-example.ts";

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

/** Settings are read and changed under one path. */
const settings = (summary: string, parameters: readonly Json[] = []): Json => ({
  get: operation({ summary, schema: "V2Object" }, parameters),
  post: operation(
    { summary: `change ${summary}`, schema: "V2Object", takes: "V2Object" },
    parameters,
  ),
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

const HEAD_OF_CALL = {
  id: TEXT,
  parameters: PARAMETERS,
  outputs: { type: "array", items: object({ name: TEXT, parameters: PARAMETERS }, ["name"]) },
} as const;
const HEAD_OF_ANSWER = {
  ...{ model_name: TEXT, model_version: TEXT, id: TEXT, parameters: PARAMETERS },
} as const;
const HEADS_OF_ANSWER = ["model_name", "outputs"];

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
    { ...HEAD_OF_CALL, inputs: { type: "array", items: TENSOR, minItems: 1 } },
    ["inputs"],
  ),
  V2InferResponse: object(
    { ...HEAD_OF_ANSWER, outputs: { type: "array", items: TENSOR } },
    HEADS_OF_ANSWER,
  ),
  V2Statistics: object({ model_stats: { type: "array", items: { type: "object" } } }, [
    "model_stats",
  ]),
  V2RepositoryIndex: {
    type: "array",
    items: object({ name: TEXT, version: TEXT, state: TEXT, reason: TEXT }, ["name"]),
  },
};

/** A tensor of a signature, by the datatype and the number of axes that it has. */
function tensorSchema({ name, datatype, shape, isRankUnknown }: TensorSpec): Json {
  const axes = { type: "array", items: { type: "integer" } };
  return object(
    {
      name: { type: "string", enum: [name] },
      datatype: { type: "string", enum: [datatype] },
      shape:
        isRankUnknown === true
          ? axes
          : {
              ...axes,
              minItems: shape.length,
              maxItems: shape.length,
              description: `[${shape.join(", ")}], where -1 is an axis of any length`,
            },
      ...{ parameters: PARAMETERS, data: LIST },
    },
    NAMES,
  );
}

function tensorsSchema(specs: readonly TensorSpec[]): Json {
  const [first] = specs;
  if (first === undefined) return { type: "array", items: TENSOR };
  return {
    type: "array",
    items: specs.length === 1 ? tensorSchema(first) : { oneOf: specs.map(tensorSchema) },
    ...{ minItems: 1, maxItems: specs.length },
  };
}

/** The call of one model by its own signature, with an example. */
function inferOne(model: ApiModel): readonly (readonly [string, Json])[] {
  if (!model.takesTensors || model.inputs.length === 0) return [];
  const example = v2Example(model);
  const schema = object({ ...HEAD_OF_CALL, inputs: tensorsSchema(model.inputs) }, ["inputs"]);
  const answered = object(
    { ...HEAD_OF_ANSWER, outputs: tensorsSchema(model.outputs) },
    HEADS_OF_ANSWER,
  );
  const json = {
    schema,
    ...(example !== undefined && {
      examples: openApiExample(example, { protocol: "kserve", model }),
    }),
  };
  return [
    [
      `/v2/models/${encodeURIComponent(model.name)}/infer`,
      {
        post: {
          summary: `call ${model.name}`,
          requestBody: { required: true, content: { "application/json": json } },
          responses: {
            "200": {
              description: "the answer",
              content: { "application/json": { schema: answered } },
            },
            ...{ "400": REFUSED, "404": REFUSED, default: REFUSED },
          },
        },
      },
    ],
  ];
}

/** Open Inference V2's share of the OpenAPI document. */
export function v2OpenApi(models: readonly ApiModel[]): OpenApiPart {
  const isCallable = models.some(({ takesTensors }) => takesTensors);
  const ofModel = OF_MODEL.filter(([path]) => isCallable || path !== "/infer");
  const templates = ofModel.flatMap(([path, item]) => [
    [`/v2/models/{name}${path}`, item([NAME])] as const,
    [`/v2/models/{name}/versions/{version}${path}`, item([NAME, VERSION])] as const,
  ]);
  return {
    paths: {
      ...Object.fromEntries(models.flatMap(inferOne)),
      "/v2": getting("the server and its extensions", "V2ServerMetadata"),
      "/v2/health/live": getting("whether the server answers", "V2Live"),
      "/v2/health/ready": getting("whether every model can be called", "V2Ready"),
      ...Object.fromEntries(templates),
      "/v2/models/stats": getting("what all models have done", "V2Statistics"),
      "/v2/logging": settings("what is logged"),
      "/v2/trace/setting": settings("what is traced"),
      "/v2/models/{name}/trace/setting": settings("what is traced of the model", [NAME]),
      "/v2/models/{name}/versions/{version}/trace/setting": settings(
        "what is traced of the model",
        [NAME, VERSION],
      ),
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
