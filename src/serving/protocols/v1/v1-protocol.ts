import type { Protocol } from "../protocol.ts";
import { apiModelOf, curlOf } from "../sample.ts";
import { refuseExchange } from "../v2/v2-errors.ts";
import { v1Grpc } from "./v1-grpc.ts";
import { v1Example, v1OpenApi } from "./v1-openapi.ts";
import { v1Routes } from "./v1-routes.ts";

/** V1 over REST, as KServe and TensorFlow Serving speak it, and the latter's gRPC. The ports are KServe's. */
export const v1Protocol: Protocol = {
  name: "v1",
  defaultPorts: { http: 8080 },
  prefix: "/v1",
  routes: v1Routes,
  grpc: v1Grpc,
  refuse: refuseExchange,
  openapi: v1OpenApi,
  example: v1Example,
  sample: (said, url) => {
    const model = apiModelOf(said);
    const example = v1Example(model);
    return example === undefined ? "" : curlOf(example, { url, protocol: "v1", model });
  },
};
