import type { IncomingMessage, ServerResponse } from "node:http";
import { stripControls, ToolError } from "../../errors/index.ts";
import type { BodyBudget } from "./body-budget.ts";
import { Connections } from "./connections.ts";
import { preflightHeaders, ruledPreflightHeaders, type CorsRules } from "./cors.ts";
import { Exchange, type Reply } from "./exchange.ts";
import { startListener, type Listener, type ListenOptions } from "./listener.ts";
import { readBody } from "./read-body.ts";
import { createRouteTable, type RouteTable } from "./routes.ts";

/** Who may ask a route of a server that lets in only some. */
export type Access = "open" | "caller" | "manager";

/** A path with the methods it answers. GET covers HEAD. */
export interface Route<Span = unknown> {
  /** What it is called in metrics, logs and traces. A route without a name is not seen there. */
  readonly name?: string;
  readonly methods: readonly ("GET" | "POST" | "PUT")[];
  /** Who may ask, where the server lets in only some: anybody, callers (the default), or those who manage it. */
  readonly access?: Access | ((method: string) => Access);
  /** Answers later or at once, by `exchange.reply`. Must not throw. */
  readonly handle: (exchange: Exchange<Span>) => void;
}

export interface HttpServerOptions<Span = unknown> extends Omit<
  ListenOptions,
  "idleTimeoutMs" | "headersTimeoutMs"
> {
  /** Of one body, unpacked. */
  readonly maxBodyBytes: number;
  /** Memory for all bodies at once; may be shared by several servers. Default: no bound but that of each body. */
  readonly bodies?: BodyBudget | undefined;
  /** By path; `{name}` in it is a parameter. See `createRouteTable`. */
  readonly routes: ReadonlyMap<string, Route<Span>>;
  /** Header in which `exchange.requestId` goes back. Default: none. */
  readonly idHeader?: string | undefined;
  /** What scripts of other origins may do. Default: what the path takes, from any origin. */
  readonly cors?: CorsRules | undefined;
  /** True for a `Host` header that may be answered. Default: all may. A request without one is answered. */
  readonly allowsHost?: ((host: string) => boolean) | undefined;
  /** Why a request may not be answered; asked before its body is read, of routes that are not open. Default: all may. Must not throw. */
  readonly admit?:
    | ((exchange: Exchange<Span>, access: Access) => ToolError | undefined)
    | undefined;
  /** Answers what no route takes: an unknown path, a wrong method, a body that cannot be taken. */
  readonly refuse: (exchange: Exchange<Span>, why: Refusal<Span>) => void;
  /** Called before the handler of a route that has a name. */
  readonly onRequest?: ((exchange: Exchange<Span>) => void) | undefined;
  /** Called after each answer. */
  readonly onAnswer?: ((exchange: Exchange<Span>, reply: Reply) => void) | undefined;
}

export type Refusal<Span = unknown> =
  /** `paths` are those that there are, as the table of routes has them. */
  | { readonly kind: "unknown-path"; readonly paths: readonly string[] }
  | { readonly kind: "wrong-method"; readonly route: Route<Span> }
  | { readonly kind: "error"; readonly error: ToolError };

/** A listening server. While it stops, every answer ends its connection. */
export type HttpServer = Pick<Listener, "port" | "stop" | "cut" | "renewTls">;

/**
 * Answers requests by a table of routes. Bodies are read whole before their route is called. A refusal of a body comes before the client
 * is told to send it, and ends the connection.
 * @throws ToolError `PORT_TAKEN`
 */
export async function startHttpServer<Span = unknown>(
  options: HttpServerOptions<Span>,
): Promise<HttpServer> {
  const table = createRouteTable(options.routes);
  const { bodies: budget, idHeader, onAnswer } = options;
  const side = {
    isClosing: false,
    connections: new Connections((bytes) => budget?.give(bytes)),
    budget,
    idHeader,
    allowedOrigin: options.cors?.origin,
    onAnswer,
  };
  const answer = (request: IncomingMessage, response: ServerResponse, isDue: boolean): void =>
    receive(new Exchange<Span>(request, response, side, isDue), table, options);
  const listener = await startListener(options, {
    connections: side.connections,
    onRequest: (request, response) => answer(request, response, false),
    onContinue: (request, response) => answer(request, response, true),
  });
  return {
    port: listener.port,
    stop: (lingerMs) => {
      side.isClosing = true;
      return listener.stop(lingerMs);
    },
    cut: () => listener.cut(),
    renewTls: (tls) => listener.renewTls(tls),
  };
}

function receive<Span>(
  exchange: Exchange<Span>,
  table: RouteTable<Route<Span>>,
  options: HttpServerOptions<Span>,
): void {
  const { host } = exchange.request.headers;
  if (host !== undefined && options.allowsHost?.(host) === false)
    options.refuse(exchange, { kind: "error", error: hostRefused(host) });
  else dispatch(exchange, table, options);
}

function dispatch<Span>(
  exchange: Exchange<Span>,
  table: RouteTable<Route<Span>>,
  options: HttpServerOptions<Span>,
): void {
  const { request } = exchange;
  const found = table.find(exchange.path);
  const method = request.method ?? "GET";
  if (method === "OPTIONS") {
    replyOptions(exchange, found?.route, options);
    return;
  }
  if (found === undefined) {
    options.refuse(exchange, { kind: "unknown-path", paths: table.patterns });
    return;
  }
  const { route, params } = found;
  const wanted = method === "HEAD" ? "GET" : method;
  if (!route.methods.some((known) => known === wanted)) {
    options.refuse(exchange, { kind: "wrong-method", route });
    return;
  }
  exchange.params = params;
  if (route.name !== undefined) {
    exchange.endpoint = route.name;
    options.onRequest?.(exchange);
  }
  const refused = refusalOf(exchange, route, options);
  if (refused !== undefined) {
    options.refuse(exchange, refused);
    return;
  }
  readBody(exchange, options, (error, body) => {
    exchange.body = body;
    if (error === undefined) route.handle(exchange);
    else options.refuse(exchange, { kind: "error", error });
  });
}

function replyOptions<Span>(
  exchange: Exchange<Span>,
  route: Route<Span> | undefined,
  { cors }: HttpServerOptions<Span>,
): void {
  const { headers } = exchange.request;
  exchange.reply({
    status: 200,
    contentType: "text/html; charset=utf-8",
    body: "",
    headers:
      cors === undefined
        ? preflightHeaders(headers, route?.methods ?? ["GET"])
        : ruledPreflightHeaders(headers, cors),
  });
}

/** Why the server lets this request not in; undefined where it does. */
function refusalOf<Span>(
  exchange: Exchange<Span>,
  { access: said = "caller" }: Route<Span>,
  { admit }: HttpServerOptions<Span>,
): Refusal<Span> | undefined {
  const access = typeof said === "function" ? said(exchange.request.method ?? "GET") : said;
  const error = access === "open" ? undefined : admit?.(exchange, access);
  return error === undefined ? undefined : { kind: "error", error };
}

function hostRefused(host: string): ToolError {
  return new ToolError(
    "HOST_REFUSED",
    `answer a request: "${stripControls(host).slice(0, 100)}" is no name of this server`,
    { hint: "ask it as localhost, or name the host in SLIPWAY_ALLOWED_HOSTS" },
  );
}
