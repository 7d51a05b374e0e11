import { randomUUID } from "node:crypto";
import { factsOf, InferenceError } from "../../ground/errors/index.ts";
import type { CallerOptions } from "../plane/index.ts";
import type { Exchange, Refusal, Route } from "../transport/index.ts";
import type { GraphFile } from "../../models/description/index.ts";
import type { GraphAnswer, GraphCaller, GraphMessage } from "./contracts.ts";
import type { GraphExecutor } from "./executor.ts";
import { failureAnswer, unansweredAnswer } from "./failure.ts";
import { graphMetadata } from "./graph-metadata.ts";
import { escapeHtml } from "./escape-html.ts";

const TEXT = "text/plain; charset=utf-8";
const NO_SNIFF = ["X-Content-Type-Options", "nosniff"] as const;
/** As many as logs keep of an id. */
const MAX_ID_CHARACTERS = 128;

export interface GraphRoutesOptions {
  readonly graph: GraphFile;
  readonly executor: GraphExecutor;
  /** Readiness asks this too, such as whether the server stops. */
  readonly isOpen: () => boolean;
  /** Told about what is nobody's fault but ours. */
  readonly onBug: (error: unknown, requestId: string) => void;
}

type Handler = (exchange: Exchange, caller: GraphCaller) => Promise<GraphAnswer>;

/** The paths of Seldon's executor. */
export function graphRoutes(options: GraphRoutesOptions): ReadonlyMap<string, Route> {
  const { graph, executor, isOpen } = options;
  const route = (name: string, method: "GET" | "POST", handler: Handler): Route => ({
    name,
    methods: [method],
    handle: (exchange) => answer(exchange, handler, options),
  });
  const predict = route("predictions", "POST", (exchange, caller) =>
    executor.predict(messageOf(exchange), caller),
  );
  const feedback = route("feedback", "POST", (exchange, caller) =>
    executor.feedback(messageOf(exchange), caller),
  );
  const metadata = route("metadata", "GET", (_, caller) => graphMetadata(executor, graph, caller));
  const ofNode = route("metadata", "GET", ({ params }, caller) =>
    executor.ask(params["node"] ?? "", "metadata", caller),
  );
  const statusOfNode = route("status", "GET", ({ params }, caller) =>
    executor.ask(params["node"] ?? "", "health-status", caller),
  );
  const ready = async (): Promise<GraphAnswer> =>
    emptyAnswer(isOpen() && (await executor.isReady()) ? 200 : 503);
  const probe = (handler: Handler): Route => ({
    access: "open",
    methods: ["GET"],
    handle: (exchange) => answer(exchange, handler, options),
  });
  return new Map<string, Route>([
    ["/api/v1.0/predictions", predict],
    ["/api/v0.1/predictions", predict],
    ["/api/v1.0/feedback", feedback],
    ["/api/v0.1/feedback", feedback],
    ["/api/v1.0/metadata", metadata],
    ["/api/v1.0/metadata/{node}", ofNode],
    ["/api/v0.1/metadata/{node}", ofNode],
    ["/api/v1.0/status", route("status", "GET", ready)],
    ["/api/v1.0/status/{node}", statusOfNode],
    ["/api/v0.1/status/{node}", statusOfNode],
    ["/api/v1.0/health/status", probe(ready)],
    ["/health/status", probe(ready)],
    ["/ready", probe(ready)],
    ["/live", probe(async () => emptyAnswer(200))],
  ]);
}

/** Answers what no route takes as Seldon's executor does; what cannot be read gets the executor's form of an error. */
export function refuseGraphRequest(exchange: Exchange, why: Refusal): void {
  if (why.kind === "error") {
    const { contentType, body } = unansweredAnswer(why.error);
    const seconds = why.error instanceof InferenceError ? why.error.retryAfterSeconds : undefined;
    if (seconds !== undefined) exchange.answerHeader("Retry-After", String(seconds));
    exchange.reply({ status: factsOf(why.error).http, contentType, body, headers: NO_SNIFF });
  } else if (why.kind === "wrong-method")
    exchange.reply({
      status: 405,
      contentType: TEXT,
      body: "",
      headers: ["Allow", why.route.methods.join(", "), ...NO_SNIFF],
    });
  else
    exchange.reply({
      status: 404,
      contentType: TEXT,
      body: "404 page not found\n",
      headers: NO_SNIFF,
    });
}

function answer(exchange: Exchange, handler: Handler, { graph, onBug }: GraphRoutesOptions): void {
  const id = exchange.header("seldon-puid")?.slice(0, MAX_ID_CHARACTERS);
  const requestId = id === undefined || id === "" ? randomUUID() : id;
  exchange.requestId = requestId;
  const caller: GraphCaller = {
    requestId,
    headers: headersOf(exchange),
    span: exchange.span,
    waiting: patienceOf(exchange),
  };
  void handler(exchange, caller)
    .catch((error: unknown) => {
      onBug(error, requestId);
      return failureAnswer("internal error");
    })
    .then(({ status, contentType, body }) =>
      exchange.reply({
        status,
        contentType: contentType === "" ? TEXT : contentType,
        body: escapeHtml(body),
        headers: [...NO_SNIFF, ...eventHeaders(exchange, graph, requestId)],
      }),
    );
}

function messageOf(exchange: Exchange): GraphMessage {
  return { contentType: exchange.header("content-type") ?? "", body: exchange.body };
}

function emptyAnswer(status: number): GraphAnswer {
  return { status, contentType: TEXT, body: Buffer.alloc(0) };
}

function headersOf({ request }: Exchange): Readonly<Record<string, string>> {
  const entries = Object.entries(request.headers).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [[name, typeof value === "string" ? value : value.join(", ")] as const],
  );
  return Object.fromEntries(entries);
}

/** Many calls of one request share one signal. */
function patienceOf(exchange: Exchange): CallerOptions {
  let signal: AbortSignal | undefined;
  return { whileWaiting: () => (signal ??= exchange.whileWaiting()) };
}

/** Headers of a CloudEvent, for a request that is one. @see CloudEvents 1.0, HTTP protocol binding */
function eventHeaders(
  exchange: Exchange,
  { deployment, namespace }: GraphFile,
  requestId: string,
): readonly string[] {
  if (exchange.header("ce-specversion") === undefined) return [];
  return [
    ...["Ce-Id", requestId.replaceAll(/[^\x21-\x7e]/g, "")],
    ...["Ce-Specversion", "0.3"],
    ...["Ce-Path", exchange.path],
    ...["Ce-Type", `seldon.${deployment}.${namespace}.response`],
    ...["Ce-Source", `seldon.${deployment}`],
  ];
}
