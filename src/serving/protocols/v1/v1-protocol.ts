import type { Protocol } from "../protocol.ts";
import { JSON_HEADER, zerosOf } from "../sample.ts";
import { refuseExchange } from "../v2/v2-errors.ts";
import { v1OpenApi } from "./v1-openapi.ts";
import { v1Routes } from "./v1-routes.ts";

/** V1 over REST, as KServe and TensorFlow Serving speak it. The ports are KServe's. */
export const v1Protocol: Protocol = {
  name: "v1",
  defaultPorts: { http: 8080 },
  prefix: "/v1",
  routes: v1Routes,
  refuse: refuseExchange,
  openapi: v1OpenApi,
  sample: ({ name = "model", signature }, url) => {
    const { inputs = [] } = signature ?? {};
    const [only] = inputs;
    const columns =
      inputs.length < 2
        ? zerosOf(only)
        : `{${inputs.map((input) => `${JSON.stringify(input.name ?? "")}:${zerosOf(input)}`).join(",")}}`;
    return `curl -s ${url}/v1/models/${encodeURIComponent(name)}:predict ${JSON_HEADER} -d '{"inputs":${columns}}'`;
  },
};
