import type { CallerOptions, ComponentMethod, SpanContext } from "../../plane/index.ts";
import type { Reply } from "../../transport/index.ts";
import { readCall, readFeedback } from "./read-call.ts";
import type { SeldonApi } from "./seldon-api.ts";
import { failureReply } from "./seldon-routes.ts";

/** A call as the wrapper would get it over REST. */
export interface SeldonNodeCall {
  readonly method: ComponentMethod;
  /** Empty when none was said. */
  readonly contentType: string;
  readonly body: Buffer;
  readonly requestId: string;
  readonly span?: SpanContext | undefined;
  readonly waiting?: CallerOptions | undefined;
}

/** Answers one call; what goes wrong is an answer too. */
export type SeldonNode = (call: SeldonNodeCall) => Promise<Reply>;

/** The Seldon contract in front of a model, as it answers over REST, without a socket. */
export function createSeldonNode(api: SeldonApi): SeldonNode {
  return async (call) => {
    try {
      const { status, body } = await answer(api, call);
      return { status, body, contentType: "application/json" };
    } catch (error) {
      return failureReply(api, api.failure(error, call.requestId));
    }
  };
}

async function answer(
  api: SeldonApi,
  { method, contentType, body, requestId, span, waiting }: SeldonNodeCall,
): Promise<Pick<Reply, "status" | "body">> {
  if (method === "metadata") return api.metadata();
  if (method === "health-status") return api.health(waiting);
  const source = {
    body,
    query: "",
    header: (name: string) =>
      name === "content-type" && contentType !== "" ? contentType : undefined,
  };
  const isFeedback = method === "send-feedback";
  const read = isFeedback ? readFeedback(api, source) : readCall(api, source, method);
  const traced = span === undefined ? read : { ...read, request: { ...read.request, trace: span } };
  return isFeedback
    ? api.feedback(traced, requestId, waiting)
    : api.call(traced, requestId, waiting);
}
