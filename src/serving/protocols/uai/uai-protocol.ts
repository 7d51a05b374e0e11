import { defaultPortsOf } from "../default-ports.ts";
import { InferenceError } from "../../../ground/errors/index.ts";
import { isRaw, type InferRequest, type InferResponse } from "../../plane/index.ts";
import type { Exchange, Route } from "../../transport/index.ts";
import { checkTakes } from "../called-model.ts";
import type { OpenApiPart, Plane, Protocol } from "../protocol.ts";
import { failureOf } from "../seldon-service/failure.ts";

const TEXT = "text/plain; charset=utf-8";

/**
 * `POST /service`: the body, whatever it is, is one request; its answer is the body that comes back. `curl -T FILE` sends it with PUT.
 * @see docs/guide/from-uai.md
 */
export const uaiProtocol: Protocol = {
  name: "uai",
  defaultPorts: defaultPortsOf("uai"),
  routes: (plane) => new Map([["/service", serviceRoute(plane)]]),
  openapi: ([first]) => (first?.takesRawBody === true ? OPEN_API : { paths: {}, schemas: {} }),
  example: () => undefined, // only user code knows what a body is to be
  sample: (_, url) => `curl -s ${url}/service --data-binary @input`,
};

const ANY_BODY = { content: { "*/*": { schema: { type: "string", format: "binary" } } } };
const OPEN_API: OpenApiPart = {
  paths: {
    "/service": {
      post: {
        summary: "give the body to the class, and get its answer",
        requestBody: { required: true, ...ANY_BODY },
        responses: {
          "200": { description: "the answer, of the type that the class gives", ...ANY_BODY },
          "500": { description: "what the class raised", ...ANY_BODY },
          "501": { description: "the model takes no bodies", ...ANY_BODY },
        },
      },
    },
  },
  schemas: {},
};

function serviceRoute(plane: Plane): Route {
  return {
    name: "service",
    methods: ["POST", "PUT"],
    handle: (exchange) => answer(plane, exchange),
  };
}

function answer(plane: Plane, exchange: Exchange): void {
  const { requestId, span, body, query } = exchange;
  const { method = "POST", headers } = exchange.request;
  const request: InferRequest = {
    inputs: {
      contentType: exchange.header("content-type") ?? "",
      bytes: body,
      request: { method, query, headers },
    },
    caller: exchange,
    ...(requestId !== undefined && { id: requestId }),
    ...(span !== undefined && { trace: span }),
  };
  const fail = (error: unknown): void => refuse(plane, exchange, error);
  try {
    const model = plane.models.model();
    checkTakes(model, "bodies", "UAI's protocol");
    model.predictor
      .infer(request)
      .then((response) => exchange.reply(replyOf(response)), fail)
      .catch(fail);
  } catch (error) {
    fail(error);
  }
}

function replyOf({ outputs }: InferResponse): {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
} {
  if (!isRaw(outputs))
    throw new InferenceError("MODEL_FAILED", "answer /service: the model gave tensors, not a body");
  const { status, contentType, bytes } = outputs;
  return {
    status,
    contentType: contentType === "" ? TEXT : contentType,
    body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  };
}

function refuse(plane: Plane, exchange: Exchange, error: unknown): void {
  const failure = failureOf(error, plane.models.model().retryAfterSeconds);
  const { status, info, retryAfterSeconds, isBug } = failure;
  if (isBug || status >= 500) plane.onFailure(error, { isBug, requestId: exchange.requestId });
  const headers =
    retryAfterSeconds === undefined ? undefined : ["Retry-After", String(retryAfterSeconds)];
  exchange.reply({
    status,
    contentType: TEXT,
    body: Buffer.from(`${info}\n`),
    ...(headers !== undefined && { headers }),
  });
}
