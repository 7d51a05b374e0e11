import type {
  CallerOptions,
  ComponentMessage,
  ComponentMethod,
  ComponentRequest,
  ComponentResponse,
} from "../../plane/index.ts";
import type { Reply } from "../../transport/index.ts";
import { mergeMeta, SeldonError, type AnswerContext, type OwnMeta } from "../seldon/index.ts";
import { readCall } from "./read-call.ts";
import type { SeldonApi } from "./seldon-api.ts";
import type { SeldonNodeCall } from "./seldon-node.ts";
import { failureReply } from "./seldon-routes.ts";

/** A call of a run: a node's API, and the method that is asked. */
interface SeldonStep {
  readonly api: SeldonApi;
  readonly method: ComponentMethod;
}

/** What a runtime tells of a run. Tags and metrics are JSON text. */
interface ToldRun {
  readonly calls: readonly (Pick<ComponentResponse, "tags" | "metrics"> & {
    readonly seconds: number;
  })[];
  readonly outcome: { readonly message: ComponentMessage } | { readonly error: unknown };
}

export interface SeldonRunAnswer {
  readonly reply: Reply;
  /** Of each call that was made, in s; the last one gave the reply. */
  readonly seconds: readonly number[];
}

interface SeldonRunOptions {
  /** At least two. The runtime gives arrays from one to the next. */
  readonly steps: readonly SeldonStep[];
  readonly ask: (request: ComponentRequest, caller: CallerOptions | undefined) => Promise<ToldRun>;
}

/**
 * The Seldon contract in front of several nodes that are asked in one go: the first one's request is read, the last one's answer is written, and
 * what nodes merge on the way (tags, metrics, the request path, the puid) is merged here.
 * @returns undefined for a request whose `meta` the first node would refuse
 */
export function createSeldonRun({
  steps,
  ask,
}: SeldonRunOptions): (call: SeldonNodeCall) => Promise<SeldonRunAnswer> | undefined {
  const [first] = steps;
  if (first === undefined) throw new Error("a run without calls");
  const { api, method } = first;
  return ({ contentType, body, requestId, waiting }) => {
    const startedAt = performance.now();
    const fail = (error: unknown): SeldonRunAnswer => ({
      reply: failureReply(api, api.failure(error, requestId)),
      seconds: [(performance.now() - startedAt) / 1000],
    });
    try {
      const header = (name: string): string | undefined =>
        name === "content-type" && contentType !== "" ? contentType : undefined;
      const { request, context } = readCall(api, { body, query: "", header }, method);
      if (!isMergeable(api, context)) return undefined;
      if (api.settings.checksShapes) api.check(request);
      return ask({ ...request, requestId }, waiting)
        .then((told) => replyTo(steps, told, { context, requestId }))
        .catch(fail);
    } catch (error) {
      return Promise.resolve(fail(error));
    }
  };
}

/** False for a `meta` that is an error when it is merged, which is known only after the first node was asked. */
function isMergeable({ settings }: SeldonApi, context: AnswerContext): boolean {
  if (context.metas.length === 0) return true;
  try {
    mergeMeta(context, {}, settings);
    return true;
  } catch (error) {
    if (error instanceof SeldonError) return false;
    throw error;
  }
}

async function replyTo(
  steps: readonly SeldonStep[],
  { calls, outcome }: ToldRun,
  { context, requestId }: { readonly context: AnswerContext; readonly requestId: string },
): Promise<SeldonRunAnswer> {
  const seconds = calls.map((call) => call.seconds);
  let carried = context;
  for (const [index, { api, method }] of steps.slice(0, calls.length).entries()) {
    const isLast = index === calls.length - 1;
    if (isLast && "error" in outcome)
      return { reply: failureReply(api, api.failure(outcome.error, requestId)), seconds };
    const { tags, metrics } = calls[index] ?? {};
    const response: ComponentResponse = {
      message: "message" in outcome ? outcome.message : NO_MESSAGE,
      isRaw: false,
      ...(tags !== undefined && { tags }),
      ...(metrics !== undefined && { metrics }),
    };
    const own = api.own(method, response);
    if (isLast) {
      const answer = { method, response, context: carried, own };
      return { reply: { ...api.writer.answer(answer), contentType: "application/json" }, seconds };
    }
    carried = contextAfter(api, carried, own);
  }
  throw new Error("a run without an answer");
}

const NO_MESSAGE: ComponentMessage = { payload: { kind: "array", json: "[]" }, names: [] };

/** What the next node reads in the message of this one, which is an array of numbers. */
function contextAfter(api: SeldonApi, context: AnswerContext, own: OwnMeta): AnswerContext {
  const meta = mergeMeta(context, own, api.settings);
  const puid = meta.get("puid");
  return {
    dataKind: context.dataKind ?? "tensor",
    metas: [meta],
    ...(puid !== undefined && { puid }),
  };
}
