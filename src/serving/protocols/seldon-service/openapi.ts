import type { ApiModel, Json, OpenApiPart } from "../protocol.ts";
import { openApiExample } from "../sample.ts";
import { seldonExample } from "./seldon-example.ts";

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const described = (description: string, schema: string): Json => ({
  description,
  content: { "application/json": { schema: ref(schema) } },
});
const FAILURE = described(
  "an error; code is always -1, the true status is that of the answer",
  "Failure",
);

function posting(
  summary: string,
  { takes, model }: { readonly takes: string; readonly model?: ApiModel | undefined },
): Json {
  const example = model === undefined ? undefined : seldonExample(model);
  const schema = ref(takes);
  return {
    summary,
    requestBody: {
      required: true,
      content: {
        "application/json": {
          schema,
          ...(model !== undefined &&
            example !== undefined && {
              examples: openApiExample(example, { protocol: "seldon", model }),
            }),
        },
        "multipart/form-data": { schema },
        "application/x-www-form-urlencoded": {
          schema: { type: "object", properties: { json: { type: "string" } } },
        },
      },
    },
    responses: {
      "200": described("the answer", "SeldonMessage"),
      "400": FAILURE,
      "500": FAILURE,
      "503": FAILURE,
    },
  };
}

function getting(summary: string, schema: string): Json {
  return { summary, responses: { "200": described("the answer", schema), "500": FAILURE } };
}

/** The same by query: `?json=…`. */
function byQuery(summary: string): Json {
  return {
    summary,
    parameters: [{ name: "json", in: "query", required: true, schema: { type: "string" } }],
    responses: { "200": described("the answer", "SeldonMessage"), "400": FAILURE, "500": FAILURE },
  };
}

const ANY_LIST: Json = { type: "array", items: {} };
const TEXTS: Json = { type: "object", additionalProperties: { type: "string" } };
const object = (properties: Json, more: { readonly [key: string]: Json } = {}): Json => ({
  type: "object",
  properties,
  ...more,
});

const SCHEMAS: Readonly<Record<string, Json>> = {
  SeldonMessage: object(
    {
      data: ref("DefaultData"),
      jsonData: {},
      strData: { type: "string" },
      binData: { type: "string", format: "byte" },
      meta: ref("Meta"),
    },
    { description: "one of data, jsonData, strData and binData; the first of them counts" },
  ),
  DefaultData: object({
    names: { type: "array", items: { type: "string" } },
    tensor: ref("Tensor"),
    ndarray: ANY_LIST,
    tftensor: { type: "object" },
  }),
  Tensor: object(
    { shape: { type: "array", items: { type: "integer" } }, values: ANY_LIST },
    { required: ["shape", "values"] },
  ),
  Meta: object({
    puid: { type: "string" },
    tags: { type: "object" },
    routing: { type: "object", additionalProperties: { type: "integer" } },
    requestPath: TEXTS,
    metrics: { type: "array", items: ref("Metric") },
  }),
  Metric: object(
    {
      key: { type: "string" },
      type: { type: "string", enum: ["COUNTER", "GAUGE", "TIMER"] },
      value: { type: "number" },
      tags: TEXTS,
    },
    { required: ["key", "type", "value"] },
  ),
  SeldonMessageList: object(
    { seldonMessages: { type: "array", items: ref("SeldonMessage") } },
    { required: ["seldonMessages"] },
  ),
  Feedback: object({
    request: ref("SeldonMessage"),
    response: ref("SeldonMessage"),
    reward: { type: "number" },
    truth: ref("SeldonMessage"),
  }),
  Metadata: object({
    name: { type: "string" },
    versions: { type: "array", items: { type: "string" } },
    platform: { type: "string" },
    inputs: ANY_LIST,
    outputs: ANY_LIST,
    custom: TEXTS,
  }),
  Failure: object({
    status: object({
      code: { type: "integer" },
      info: { type: "string" },
      reason: { type: "string" },
      status: { type: "integer" },
    }),
  }),
};

const CALLS = [
  ["/predict", "ask the model", "SeldonMessage"],
  ["/transform-input", "transform a request", "SeldonMessage"],
  ["/transform-output", "transform an answer", "SeldonMessage"],
  ["/route", "choose a branch", "SeldonMessage"],
  ["/aggregate", "combine answers", "SeldonMessageList"],
  ["/send-feedback", "tell what an answer was worth", "Feedback"],
] as const;

/** @param model - that answers, for an example of its own */
function paths(model?: ApiModel): { readonly [path: string]: Json } {
  const calls = CALLS.map(
    ([path, summary, takes]) =>
      [
        path,
        {
          get: byQuery(summary),
          post: posting(summary, { takes, ...(path === "/predict" && { model }) }),
        },
      ] as const,
  );
  const versioned = ["v1.0", "v0.1"].flatMap((version) => [
    [
      `/api/${version}/predictions`,
      { post: posting("ask the model", { takes: "SeldonMessage" }) },
    ] as const,
    [
      `/api/${version}/feedback`,
      { post: posting("tell what an answer was worth", { takes: "Feedback" }) },
    ] as const,
  ]);
  const status = { get: getting("ask user code how it is", "SeldonMessage") };
  const metadata = { get: getting("what the model says of itself", "Metadata") };
  return {
    ...Object.fromEntries([...calls, ...versioned]),
    "/health/ping": {
      get: {
        summary: "whether the server answers",
        responses: {
          "200": { description: "pong", content: { "text/html": { schema: { type: "string" } } } },
        },
      },
    },
    "/health/status": status,
    "/api/v1.0/health/status": status,
    "/metadata": metadata,
    "/api/v1.0/metadata": metadata,
  };
}

/** The contract's paths and messages. @param model - that answers */
export function openApiPart(model: ApiModel | undefined): OpenApiPart {
  return { paths: paths(model), schemas: SCHEMAS };
}

/** `/seldon.json`: the same as a document. @see https://spec.openapis.org/oas/v3.0.0 */
export function openApiText(): string {
  return `${JSON.stringify({ openapi: "3.0.0", info: { title: "A model behind Seldon's protocol", version: "1.0" }, paths: paths(), components: { schemas: SCHEMAS } }, undefined, 2)}\n`;
}
