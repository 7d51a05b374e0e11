import type { Exchange, HttpServerOptions, Reply } from "../transport/index.ts";
import type { Observer } from "./observe/index.ts";

/** As many as a worker keeps of an id. */
const MAX_ID_CHARACTERS = 128;

/** Shows every request to a named route to the observer. */
export function observedExchanges(
  observer: Observer,
): Pick<HttpServerOptions, "onRequest" | "onAnswer"> {
  return {
    onRequest: (exchange) => {
      exchange.requestId =
        exchange.header("seldon-puid")?.slice(0, MAX_ID_CHARACTERS) ?? observer.nextRequestId();
      exchange.span = observer.begin(exchange.header("traceparent"));
    },
    onAnswer: (exchange, reply) => {
      if (exchange.endpoint !== undefined)
        observer.end(answeredOf(exchange, exchange.endpoint, reply));
    },
  };
}

/** What labels of metrics call a method; the rest is reading. */
const METHOD_LABELS: ReadonlyMap<string, string> = new Map([
  ["POST", "post"],
  ["PUT", "put"],
]);

function answeredOf(
  exchange: Exchange,
  endpoint: string,
  { status, body, contentType }: Reply,
): Parameters<Observer["end"]>[0] {
  const { path, startedAt, requestId, span } = exchange;
  return {
    endpoint,
    path,
    startedAt,
    requestId,
    span,
    method: METHOD_LABELS.get(exchange.request.method ?? "") ?? "get",
    code: String(status),
    isError: status >= 500,
    request: () => ({ contentType: exchange.header("content-type") ?? "", bytes: exchange.body }),
    response: () => ({
      contentType,
      bytes: typeof body === "string" ? Buffer.from(body, "latin1") : body,
    }),
  };
}
