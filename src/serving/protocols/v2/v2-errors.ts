import type { Exchange, Refusal } from "../../transport/index.ts";
import type { Plane } from "../protocol.ts";
import { failureOf } from "../seldon-service/failure.ts";

export const JSON_TYPE = "application/json";

/** Answers with an error in the protocol's form, `{"error": text}`, and tells the server of those that are worth a line in the log. */
export function replyError(plane: Plane, exchange: Exchange, error: unknown): void {
  const { status, info, retryAfterSeconds, isBug } = failureOf(error, retryAfter(plane, exchange));
  if (isBug || status >= 500) plane.onFailure(error, { isBug, requestId: exchange.requestId });
  exchange.reply({
    status,
    contentType: JSON_TYPE,
    body: errorBody(info),
    ...(retryAfterSeconds !== undefined && {
      headers: ["Retry-After", String(retryAfterSeconds)],
    }),
  });
}

function retryAfter({ models }: Plane, { params }: Exchange): number {
  const model = models.models.find(({ name }) => name === params["name"]);
  return model?.retryAfterSeconds ?? 1;
}

function errorBody(text: string): Buffer {
  return Buffer.from(`${JSON.stringify({ error: text })}\n`);
}

/** Answers what no route takes. */
export function refuseExchange(plane: Plane, exchange: Exchange, why: Refusal): void {
  if (why.kind === "error") {
    replyError(plane, exchange, why.error);
    return;
  }
  const path = exchange.path.slice(0, 200);
  if (why.kind === "unknown-path")
    exchange.reply({
      status: 404,
      contentType: JSON_TYPE,
      body: errorBody(`find "${path}": there is no such path`),
    });
  else
    exchange.reply({
      status: 405,
      contentType: JSON_TYPE,
      body: errorBody(
        `answer "${path}": it takes ${why.route.methods.join(" and ")}, and not ${exchange.request.method ?? "this"}`,
      ),
      headers: ["Allow", why.route.methods.join(", ")],
    });
}
