import { defaultPortsOf } from "../default-ports.ts";
import type { ServedModel } from "../../plane/index.ts";
import type { Exchange, Reply, Route } from "../../transport/index.ts";
import type { Plane, Protocol } from "../protocol.ts";
import { apiModelOf, curlOf } from "../sample.ts";
import { loadedModel } from "../v2/documents.ts";
import { healthOf, modelInfo, serverInfo } from "./documents.ts";
import { modelServerExample, modelServerOpenApi } from "./model-server-openapi.ts";
import { jsonReply, refuseExchange, replyFailure } from "./model-server-errors.ts";
import { predict } from "./predict.ts";

/** The port of the old model server. */
/** A model by name and version; without a version the newest. */
const NAMED = ["/{name}", "/{name}/{version}"] as const;

/**
 * The model server: `POST /predict` with JSON, an image, CSV or a form, `GET /info`, `GET /health`. `/predict` alone is Seldon's on servers
 * of another contract, `/predict/{name}` is this one's everywhere.
 * @see docs/guide/model-server.md
 */
export const modelServerProtocol: Protocol = {
  name: "model-server",
  defaultPorts: defaultPortsOf("model-server"),
  routes: (plane) =>
    new Map<string, Route>([
      ["/info", infoRoute(plane, () => serverInfo(plane))],
      ...NAMED.flatMap((path) => [
        [`/predict${path}`, predictRoute(plane)] as const,
        [
          `/info${path}`,
          infoRoute(plane, (exchange) => modelInfo(modelOf(plane, exchange))),
        ] as const,
      ]),
      ["/health", healthRoute(plane)],
    ]),
  ownRoutes: (plane) => new Map([["/predict", predictRoute(plane)]]),
  refuse: refuseExchange,
  openapi: modelServerOpenApi,
  example: modelServerExample,
  sample: (said, url) => {
    const model = apiModelOf(said);
    const example = modelServerExample(model);
    return example === undefined ? "" : curlOf(example, { url, protocol: "model-server", model });
  },
};

function modelOf({ models }: Plane, { params, query }: Exchange): ServedModel {
  const asked = new URLSearchParams(query);
  const name = params["name"] ?? asked.get("model") ?? undefined;
  const version = params["version"] ?? asked.get("version") ?? undefined;
  return name === undefined && version === undefined
    ? models.model()
    : loadedModel(models, name ?? models.model().name, version);
}

function predictRoute(plane: Plane): Route {
  return {
    name: "predict",
    methods: ["POST", "PUT"],
    handle: (exchange) =>
      answer(plane, exchange, async () => {
        const model = modelOf(plane, exchange);
        if (model.isAsleep) await model.wake();
        return predict(plane, model, exchange);
      }),
  };
}

function infoRoute(plane: Plane, document: (exchange: Exchange) => unknown): Route {
  return {
    name: "info",
    methods: ["GET"],
    handle: (exchange) => answer(plane, exchange, async () => jsonReply(document(exchange))),
  };
}

/** A probe: without a name, so that it is not counted. */
function healthRoute(plane: Plane): Route {
  return {
    access: "open",
    methods: ["GET"],
    handle: (exchange) => {
      const { isReady, document } = healthOf(plane);
      exchange.reply(jsonReply(document, isReady ? 200 : 503));
    },
  };
}

function answer(plane: Plane, exchange: Exchange, make: () => Promise<Reply>): void {
  make().then(
    (reply) => exchange.reply(reply),
    (error: unknown) => replyFailure(plane, exchange, error),
  );
}
