import type { SeldonAnswer, SeldonCall } from "../seldon/index.ts";
import type { ComponentMethod } from "../../plane/index.ts";
import type { Exchange, Refusal, Reply, Route } from "../../transport/index.ts";
import type { Failure } from "./failure.ts";
import { openApiText } from "./openapi.ts";
import { isLargeText } from "../codecs/codecs.ts";
import { withNumbers } from "../codecs/posted-nodes.ts";
import { isPassedThrough, readCall, readFeedback, readSettings } from "./read-call.ts";
import type { SeldonApi } from "./seldon-api.ts";

/** As many as a worker keeps of an id. */
const MAX_ID_CHARACTERS = 128;
const JSON_TYPE = "application/json";
const HTML = "text/html; charset=utf-8";

/** Every path of the contract. */
export function seldonRoutes(api: SeldonApi): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  const both = ["GET", "POST"] as const;
  const add = (paths: readonly string[], route: Route): void =>
    paths.forEach((path) => routes.set(path, route));
  const calls =
    (method: ComponentMethod): Route["handle"] =>
    (exchange) =>
      handleCall(api, method, exchange);
  add(["/predict"], { name: "predictions", methods: both, handle: calls("predict") });
  add(["/api/v1.0/predictions", "/api/v0.1/predictions"], {
    name: "predictions",
    methods: ["POST"],
    handle: calls("predict"),
  });
  add(["/transform-input"], {
    name: "transform-input",
    methods: both,
    handle: calls("transform-input"),
  });
  add(["/transform-output"], {
    name: "transform-output",
    methods: both,
    handle: calls("transform-output"),
  });
  add(["/route"], { name: "route", methods: both, handle: calls("route") });
  add(["/aggregate"], { name: "aggregate", methods: both, handle: calls("aggregate") });
  add(["/send-feedback"], {
    name: "feedback",
    methods: both,
    handle: (exchange) => handleFeedback(api, exchange),
  });
  add(["/api/v1.0/feedback", "/api/v0.1/feedback"], {
    name: "feedback",
    methods: ["POST"],
    handle: (exchange) => handleFeedback(api, exchange),
  });
  add(["/metadata", "/api/v1.0/metadata"], {
    name: "metadata",
    methods: ["GET"],
    handle: (exchange) => settle(api, exchange, async () => api.metadata()),
  });
  const openApi = openApiText();
  add(["/seldon.json"], {
    methods: ["GET"],
    handle: (exchange) => exchange.reply({ status: 200, contentType: JSON_TYPE, body: openApi }),
  });
  add(["/health/ping"], {
    access: "open",
    methods: ["GET"],
    handle: (exchange) => exchange.reply({ status: 200, contentType: HTML, body: "pong" }),
  });
  add(["/health/status", "/api/v1.0/health/status"], {
    access: "open",
    name: "health-status",
    methods: ["GET"],
    handle: (exchange) => settle(api, exchange, () => api.health(exchange)),
  });
  return routes;
}

function handleCall(api: SeldonApi, method: ComponentMethod, exchange: Exchange): void {
  settle(api, exchange, () => {
    const inThread = readLarge(api, exchange, method);
    if (inThread === undefined) return answerCall(api, exchange, readCall(api, exchange, method));
    return inThread.then((call) => answerCall(api, exchange, call));
  });
}

function answerCall(api: SeldonApi, exchange: Exchange, call: SeldonCall): Promise<SeldonAnswer> {
  return api.call(named(exchange, call), exchange.requestId, exchange);
}

function handleFeedback(api: SeldonApi, exchange: Exchange): void {
  const answer = (call: SeldonCall): Promise<SeldonAnswer> =>
    api.feedback(named(exchange, call), exchange.requestId, exchange);
  settle(api, exchange, () => {
    const inThread = readLarge(api, exchange, "send-feedback");
    return inThread === undefined ? answer(readFeedback(api, exchange)) : inThread.then(answer);
  });
}

/** The call of a large message, which a thread reads; undefined where it is to be read here. */
function readLarge(
  api: SeldonApi,
  exchange: Exchange,
  method: ComponentMethod,
): Promise<SeldonCall> | undefined {
  const { body, query } = exchange;
  if (api.codecs === undefined || !isLargeText(body.byteLength + query.length)) return undefined;
  const settings = readSettings(api, method);
  if (isPassedThrough(settings)) return undefined;
  const message = { body, query, contentType: exchange.header("content-type"), settings };
  const codec = method === "send-feedback" ? "seldon-feedback" : "seldon-read";
  return api.codecs.run(codec, message).then(withNumbers);
}

/** Answers with what `start` comes to, or with its error. */
function settle(api: SeldonApi, exchange: Exchange, start: () => Promise<SeldonAnswer>): void {
  try {
    start().then(
      ({ status, body }) => exchange.reply({ status, contentType: JSON_TYPE, body }),
      (error: unknown) => replyFailure(api, exchange, api.failure(error, exchange.requestId)),
    );
  } catch (error) {
    replyFailure(api, exchange, api.failure(error, exchange.requestId));
  }
}

/** Gives the exchange the message's own puid as its id, and the call the exchange's span. */
function named(exchange: Exchange, call: SeldonCall): SeldonCall {
  if (typeof call.context.puid === "string")
    exchange.requestId = call.context.puid.slice(0, MAX_ID_CHARACTERS);
  return exchange.span === undefined
    ? call
    : { ...call, request: { ...call.request, trace: exchange.span } };
}

function replyFailure(api: SeldonApi, exchange: Exchange, failure: Failure): void {
  exchange.reply(failureReply(api, failure));
}

/** A failure as the wrapper answers it over HTTP. */
export function failureReply(api: SeldonApi, failure: Failure): Reply {
  const { response, retryAfterSeconds } = failure;
  if (response !== undefined) {
    const { status, contentType, body } = response;
    return { status, contentType, body: Buffer.from(body) };
  }
  const { status, body } = api.writer.error(failure.status, failure);
  const headers =
    retryAfterSeconds === undefined ? undefined : ["Retry-After", String(retryAfterSeconds)];
  return { status, contentType: JSON_TYPE, body, ...(headers !== undefined && { headers }) };
}

const NOT_FOUND =
  "404 Not Found: The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.";
const NOT_ALLOWED = "405 Method Not Allowed: The method is not allowed for the requested URL.";

/** Answers what no route takes. The wrapper makes 500 of everything here; we keep its text and give the true status, unless strict. */
export function refuse(api: SeldonApi, exchange: Exchange, why: Refusal): void {
  if (why.kind === "error") {
    replyFailure(api, exchange, api.failure(why.error));
    return;
  }
  if (api.settings.isStrict) {
    const isGet = exchange.request.method === "GET" || exchange.request.method === "HEAD";
    const info = isGet ? NOT_FOUND : NOT_ALLOWED; // a GET reaches the wrapper's rule for files
    exchange.reply({
      ...api.writer.error(500, { info, reason: "MICROSERVICE_INTERNAL_ERROR" }),
      contentType: JSON_TYPE,
    });
  } else if (why.kind === "unknown-path") {
    const info = `404 Not Found: there is no such path; there are ${why.paths.join(", ")}`;
    exchange.reply({
      ...api.writer.error(404, { info, reason: "MICROSERVICE_BAD_DATA" }),
      contentType: JSON_TYPE,
    });
  } else {
    exchange.reply({
      ...api.writer.error(405, { info: NOT_ALLOWED, reason: "MICROSERVICE_BAD_DATA" }),
      contentType: JSON_TYPE,
      headers: ["Allow", why.route.methods.join(", ")],
    });
  }
}
