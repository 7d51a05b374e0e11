import type { Protocol } from "../protocol.ts";
import { JSON_HEADER, zerosOf } from "../sample.ts";
import { v2Grpc } from "./v2-grpc.ts";
import { refuseExchange } from "./v2-errors.ts";
import { v2OpenApi } from "./v2-openapi.ts";
import { v2Routes } from "./v2-routes.ts";

/** Open Inference V2 as KServe, Triton and MLServer speak it. The ports are KServe's. */
export const v2Protocol: Protocol = {
  name: "kserve",
  defaultPorts: { http: 8080, grpc: 8081 },
  prefix: "/v2",
  routes: v2Routes,
  grpc: v2Grpc,
  refuse: refuseExchange,
  openapi: v2OpenApi,
  sample: ({ name = "model", signature }, url) => {
    const { inputs = [] } = signature ?? {};
    const specs =
      inputs.length === 0 ? [{ name: "input", datatype: "FP64", shape: [1, 3] }] : inputs;
    const tensors = specs.map((input) => {
      const shape = (input.shape ?? [1, 3]).map((axis) => (axis > 0 ? axis : 1));
      return `{"name":${JSON.stringify(input.name ?? "")},"datatype":"${input.datatype ?? "FP64"}","shape":[${shape.join(",")}],"data":${zerosOf(input)}}`;
    });
    return `curl -s ${url}/v2/models/${encodeURIComponent(name)}/infer ${JSON_HEADER} -d '{"inputs":[${tensors.join(",")}]}'`;
  },
};
