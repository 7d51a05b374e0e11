import { InferenceError, isToolError } from "../../../ground/errors/index.ts";
import type { Exchange, Refusal, Reply } from "../../transport/index.ts";
import type { Plane } from "../protocol.ts";
import { failureOf } from "../seldon-service/failure.ts";

export const JSON_TYPE = "application/json";

/** Answers with `{"error": {code, message, hint?, tensor?, expected?, actual?}}`, and tells the server of what is worth a line in the log. */
export function replyFailure(plane: Plane, exchange: Exchange, error: unknown): void {
  const { status, info, retryAfterSeconds, isBug } = failureOf(error, 1);
  if (isBug || status >= 500) plane.onFailure(error, { isBug, requestId: exchange.requestId });
  const headers =
    retryAfterSeconds === undefined ? undefined : ["Retry-After", String(retryAfterSeconds)];
  exchange.reply({
    ...jsonReply({ error: { code: codeOf(error), message: info, ...detailsOf(error) } }, status),
    ...(headers !== undefined && { headers }),
  });
}

/** Answers what no route takes. */
export function refuseExchange(plane: Plane, exchange: Exchange, why: Refusal): void {
  if (why.kind === "error") {
    replyFailure(plane, exchange, why.error);
    return;
  }
  const path = exchange.path.slice(0, 200);
  const isUnknown = why.kind === "unknown-path";
  const message = isUnknown
    ? `find "${path}": there is no such path`
    : `answer "${path}": it takes ${why.route.methods.join(" and ")}, and not ${exchange.request.method ?? "this"}`;
  exchange.reply({
    ...jsonReply({ error: { code: "REQUEST_INVALID", message } }, isUnknown ? 404 : 405),
    ...(!isUnknown && { headers: ["Allow", why.route.methods.join(", ")] }),
  });
}

/** A value as JSON, a line of its own. */
export function jsonReply(value: unknown, status = 200): Reply {
  return {
    status,
    contentType: JSON_TYPE,
    body: Buffer.from(`${JSON.stringify(value)}\n`),
  };
}

function codeOf(error: unknown): string {
  return isToolError(error) ? error.code : "INTERNAL";
}

function detailsOf(error: unknown): Readonly<Record<string, string>> {
  if (!isToolError(error)) return {};
  const { tensor, expected, actual } = error instanceof InferenceError ? error : {};
  const { hint } = error;
  return {
    ...(hint !== undefined && { hint }),
    ...(tensor !== undefined && { tensor }),
    ...(expected !== undefined && { expected }),
    ...(actual !== undefined && { actual }),
  };
}
