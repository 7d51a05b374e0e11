import { defaultPortsOf } from "../default-ports.ts";
import type { Protocol } from "../protocol.ts";
import { apiModelOf, curlOf } from "../sample.ts";
import { v2Example } from "./v2-example.ts";
import { v2Grpc } from "./v2-grpc.ts";
import { refuseExchange } from "./v2-errors.ts";
import { v2OpenApi } from "./v2-openapi.ts";
import { v2Routes } from "./v2-routes.ts";

/** Open Inference V2 as KServe, Triton and MLServer speak it. The ports are KServe's. */
export const v2Protocol: Protocol = {
  name: "kserve",
  defaultPorts: defaultPortsOf("kserve"),
  prefix: "/v2",
  routes: v2Routes,
  grpc: v2Grpc,
  refuse: refuseExchange,
  openapi: v2OpenApi,
  example: v2Example,
  sample: (said, url) => {
    const model = apiModelOf(said);
    const example = v2Example(model);
    return example === undefined
      ? `curl -s ${url}/v2/models/${encodeURIComponent(model.name)}` // what it takes, since JSON cannot carry it
      : curlOf(example, { url, protocol: "kserve", model });
  },
};
