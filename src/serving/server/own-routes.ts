import type { ModelDescription } from "../../models/description/index.ts";
import type { MetricRegistry } from "../metrics/index.ts";
import type { ModelRepository } from "../plane/index.ts";
import { PROTOCOLS, type Json } from "../protocols/index.ts";
import type { Route } from "../transport/index.ts";

const TEXT = "text/plain; charset=utf-8";
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** `/live`: the process answers. `/ready`: a request made now would reach a model. Neither asks user code. */
export function probeRoutes(models: ModelRepository): ReadonlyMap<string, Route> {
  const live: Route = {
    methods: ["GET"],
    handle: (exchange) => exchange.reply({ status: 200, contentType: TEXT, body: "live\n" }),
  };
  const ready: Route = {
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

/** `/openapi.json`: the paths and messages of all protocols in one document. */
export function openApiRoutes(description: ModelDescription): ReadonlyMap<string, Route> {
  const body = Buffer.from(`${JSON.stringify(openApiDocument(description), undefined, 2)}\n`);
  const route: Route = {
    methods: ["GET"],
    handle: (exchange) => exchange.reply({ status: 200, contentType: "application/json", body }),
  };
  return new Map([["/openapi.json", route]]);
}

function openApiDocument(description: ModelDescription): Json {
  const parts = PROTOCOLS.map((protocol) => protocol.openapi(description));
  return {
    openapi: "3.0.0",
    info: { title: `The model ${description.name}`, version: "1.0" },
    paths: Object.assign({}, ...parts.map(({ paths }) => paths)) as Json, // of documents, which are JSON
    components: { schemas: Object.assign({}, ...parts.map(({ schemas }) => schemas)) as Json }, // likewise
  };
}
