import type { ApiModel, ExampleRequest, Json, OpenApiPart } from "../protocol.ts";
import { jsonExample, openApiExample, zerosOf } from "../sample.ts";

const answer = (description: string, schema: string): Json => ({
  description,
  content: { "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } },
});
const REFUSED = answer("why not, naming the tensor where one is at fault", "V1Error");
const parameter = (name: string): Json => ({
  ...{ name, in: "path", required: true },
  schema: { type: "string" },
});

/** Paths with their parameters. A label is left out, since no version has one. */
const OF_MODEL: readonly (readonly [string, readonly Json[]])[] = [
  ["/v1/models/{name}", [parameter("name")]],
  ["/v1/models/{name}/versions/{version}", [parameter("name"), parameter("version")]],
];

function getting(summary: string, schema: string, parameters: readonly Json[]): Json {
  return {
    get: {
      summary,
      ...(parameters.length > 0 && { parameters }),
      responses: { "200": answer("the answer", schema), default: REFUSED },
    },
  };
}

const PREDICTED: Json = {
  "200": answer("predictions for instances, outputs for inputs", "V1PredictResponse"),
  ...{ "400": REFUSED, "404": REFUSED, default: REFUSED },
};

function predicting(parameters: readonly Json[]): Json {
  return {
    post: {
      summary: "call the model, by instances or by columns",
      parameters,
      requestBody: {
        required: true,
        content: {
          "application/json": { schema: { $ref: "#/components/schemas/V1PredictRequest" } },
        },
      },
      responses: PREDICTED,
    },
  };
}

const TEXT: Json = { type: "string" };
const SIGNATURE: Json = { type: "string", enum: ["serving_default"] };
const object = (properties: { readonly [name: string]: Json }, required: string[]): Json => ({
  type: "object",
  properties,
  required,
});
const ROWS: Json = { type: "array", items: {}, minItems: 1 };
const VERSION_STATUS = object({ version: TEXT, state: TEXT, status: { type: "object" } }, [
  "version",
  "state",
]);

const SCHEMAS: Readonly<Record<string, Json>> = {
  V1Error: object({ error: TEXT }, ["error"]),
  V1Models: object({ models: { type: "array", items: TEXT } }, ["models"]),
  V1Status: object(
    {
      ...{ name: TEXT, ready: { type: "boolean" } },
      model_version_status: { type: "array", items: VERSION_STATUS },
    },
    ["name", "ready", "model_version_status"],
  ),
  V1Metadata: object({ model_spec: { type: "object" }, metadata: { type: "object" } }, [
    "model_spec",
    "metadata",
  ]),
  V1PredictRequest: {
    oneOf: [
      object({ signature_name: SIGNATURE, instances: ROWS }, ["instances"]),
      object({ signature_name: SIGNATURE, inputs: {} }, ["inputs"]),
    ],
  },
  V1PredictResponse: {
    oneOf: [
      object({ predictions: { type: "array", items: {} } }, ["predictions"]),
      object({ outputs: {} }, ["outputs"]),
    ],
  },
};

/** A request of zeros by columns; absent for a model without a signature. */
export function v1Example({ name, inputs, takesTensors }: ApiModel): ExampleRequest | undefined {
  const [first] = inputs;
  if (!takesTensors || first === undefined) return undefined;
  const named = inputs.map((input) => `${JSON.stringify(input.name)}:${zerosOf(input)}`);
  const columns = inputs.length === 1 ? zerosOf(first) : `{${named.join(",")}}`;
  return jsonExample(`/v1/models/${encodeURIComponent(name)}:predict`, `{"inputs":${columns}}`);
}

/** The call of one model, with the names of its inputs where it has several, and with an example. */
function predictingOne(model: ApiModel): readonly (readonly [string, Json])[] {
  const example = v1Example(model);
  if (example === undefined) return [];
  const { inputs } = model;
  const names = inputs.map(({ name }) => name);
  const columns =
    inputs.length === 1
      ? {}
      : object(Object.fromEntries(names.map((name): [string, Json] => [name, {}])), names);
  const schema: Json = {
    oneOf: [
      object({ signature_name: SIGNATURE, instances: ROWS }, ["instances"]),
      object({ signature_name: SIGNATURE, inputs: columns }, ["inputs"]),
    ],
  };
  return [
    [
      example.path,
      {
        post: {
          summary: `call ${model.name}, by instances or by columns`,
          requestBody: {
            required: true,
            content: {
              "application/json": {
                schema,
                examples: openApiExample(example, { protocol: "v1", model }),
              },
            },
          },
          responses: PREDICTED,
        },
      },
    ],
  ];
}

/** V1's share of the OpenAPI document. */
export function v1OpenApi(models: readonly ApiModel[]): OpenApiPart {
  const isCallable = models.some(({ takesTensors }) => takesTensors);
  const paths = OF_MODEL.flatMap(([path, parameters]) => [
    [path, getting("whether the model can be called", "V1Status", parameters)] as const,
    [
      `${path}/metadata`,
      getting("what the model takes and gives", "V1Metadata", parameters),
    ] as const,
    ...(isCallable ? [[`${path}:predict`, predicting(parameters)] as const] : []),
  ]);
  return {
    paths: {
      "/v1/models": getting("names of the models", "V1Models", []),
      ...Object.fromEntries([...models.flatMap(predictingOne), ...paths]),
    },
    schemas: SCHEMAS,
  };
}
