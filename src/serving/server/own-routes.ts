import type { MetricRegistry } from "../metrics/index.ts";
import type { ModelRepository, ServedModel } from "../plane/index.ts";
import {
  examplePath,
  PROTOCOLS,
  type ApiModel,
  type Json,
  type Plane,
} from "../protocols/index.ts";
import type { Exchange, Route } from "../transport/index.ts";

const TEXT = "text/plain; charset=utf-8";
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** `/live`: the process answers. `/ready`: a request made now would reach a model. Neither asks user code. */
export function probeRoutes(models: ModelRepository): ReadonlyMap<string, Route> {
  const live: Route = {
    access: "open",
    methods: ["GET"],
    handle: (exchange) => exchange.reply({ status: 200, contentType: TEXT, body: "live\n" }),
  };
  const ready: Route = {
    access: "open",
    methods: ["GET"],
    handle: (exchange) =>
      exchange.reply({
        status: models.isReady ? 200 : 503,
        contentType: TEXT,
        body: Buffer.from(`${models.reason}\n`),
      }),
  };
  return new Map([
    ["/live", live],
    ["/ready", ready],
  ]);
}

/** The page of metrics, under each of the paths. */
export function metricsRoutes(
  registry: MetricRegistry,
  paths: readonly string[],
): ReadonlyMap<string, Route> {
  const page: Route = {
    methods: ["GET"],
    handle: (exchange) =>
      exchange.reply({
        status: 200,
        contentType: METRICS_TYPE,
        body: Buffer.from(registry.text()),
      }),
  };
  return new Map(paths.map((path) => [path, page]));
}

/** Models that the document names; the others of a large folder are called as it says of `{name}`. */
const MAX_NAMED_MODELS = 100;
const JSON_TYPE = "application/json";

/**
 * `/openapi.json`: the paths and messages of all protocols in one document, by the signatures of the models that are loaded when it is
 * asked for. `/openapi/examples/PROTOCOL/MODEL`: the body of an example that is too long for it.
 */
export function openApiRoutes(
  plane: Plane,
  security: { readonly hasKeys: boolean },
): ReadonlyMap<string, Route> {
  const json = (body: string): Parameters<Exchange["reply"]>[0] => ({
    status: 200,
    contentType: JSON_TYPE,
    body: Buffer.from(`${body}\n`),
  });
  const example = ({ params }: Exchange): string | undefined => {
    const row = PROTOCOLS.find(({ name }) => name === params["protocol"]);
    const model = apiModels(plane).find(({ name }) => name === params["name"]);
    return model === undefined ? undefined : row?.example(model)?.body;
  };
  const document: Route = {
    methods: ["GET"],
    handle: (exchange) =>
      exchange.reply(json(JSON.stringify(openApiDocument(plane, security), undefined, 2))),
  };
  const body: Route = {
    methods: ["GET"],
    handle: (exchange) => {
      const found = example(exchange);
      exchange.reply(
        found === undefined
          ? { status: 404, contentType: TEXT, body: "there is no example of that name\n" }
          : json(found),
      );
    },
  };
  return new Map([
    ["/openapi.json", document],
    [decodeURIComponent(examplePath("{protocol}", "{name}")), body],
  ]);
}

/** The models that answer, the server's own first. */
function apiModels({ models }: Plane): readonly ApiModel[] {
  const names = [...new Set(models.models.map(({ name }) => name))].slice(0, MAX_NAMED_MODELS);
  return names
    .map((name) => models.model(name))
    .filter(({ isLoaded, isReady }) => isLoaded && isReady)
    .map(apiModel);
}

function apiModel({ name, predictor }: ServedModel): ApiModel {
  const { signature, takesTensors, takesRawBody } = predictor.describe();
  const { inputs = [], outputs = [] } = signature ?? {};
  return { name, inputs, outputs, takesTensors, takesRawBody };
}

/** How a key is shown. */
const KEY_SCHEMES = {
  bearer: { type: "http", scheme: "bearer" },
  header: { type: "apiKey", in: "header", name: "X-API-Key" },
} as const;

function openApiDocument(plane: Plane, { hasKeys }: { readonly hasKeys: boolean }): Json {
  const models = apiModels(plane);
  const parts = PROTOCOLS.map((protocol) => protocol.openapi(models));
  return {
    openapi: "3.0.0",
    info: { title: `The model ${plane.description.name}`, version: "1.0" },
    paths: Object.assign({}, ...parts.map(({ paths }) => paths)) as Json, // of documents, which are JSON
    components: {
      schemas: Object.assign({}, ...parts.map(({ schemas }) => schemas)) as Json, // likewise
      ...(hasKeys && { securitySchemes: KEY_SCHEMES }),
    },
    ...(hasKeys && { security: [{ bearer: [] }, { header: [] }] }),
  };
}
