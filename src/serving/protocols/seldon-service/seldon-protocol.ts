import { defaultPortsOf } from "../default-ports.ts";
import type { Plane, Protocol } from "../protocol.ts";
import { apiModelOf, curlOf } from "../sample.ts";
import { openApiPart } from "./openapi.ts";
import { seldonExample } from "./seldon-example.ts";
import { SeldonApi } from "./seldon-api.ts";
import { SELDON_PROTO } from "./seldon-descriptors.ts";
import { seldonGrpcMethods } from "./seldon-grpc.ts";
import { refuse, seldonRoutes } from "./seldon-routes.ts";

/** Seldon Core's contract, as its Python wrapper answers it, over REST and gRPC. */
export const seldonProtocol: Protocol = {
  name: "seldon",
  defaultPorts: defaultPortsOf("seldon"),
  routes: (plane) => seldonRoutes(apiOf(plane)),
  grpc: (plane) => ({ files: [SELDON_PROTO], methods: seldonGrpcMethods(apiOf(plane)) }),
  refuse: (plane, exchange, why) => refuse(apiOf(plane), exchange, why),
  openapi: ([first]) => openApiPart(first),
  example: seldonExample,
  sample: (said, url) => {
    const model = apiModelOf(said);
    const example = seldonExample(model);
    return example === undefined ? "" : curlOf(example, { url, protocol: "seldon", model });
  },
};

const apis = new WeakMap<Plane, SeldonApi>();

/** One for both transports of a server, since what user code reports is counted in one place. */
function apiOf(plane: Plane): SeldonApi {
  let found = apis.get(plane);
  if (found === undefined) {
    const { models, description, registry, onFailure, seldon, seldonMetadata, codecs } = plane;
    found = new SeldonApi({
      model: models.model(),
      settings: seldon,
      codecs,
      registry,
      metadataFromEnv: seldonMetadata,
      signature: description.signature,
      onFailure: (error, { isBug }, requestId) => onFailure(error, { isBug, requestId }),
    });
    apis.set(plane, found);
  }
  return found;
}
