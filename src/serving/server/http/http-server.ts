import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { Server as NetServer, type AddressInfo } from "node:net";
import { ToolError } from "../../../ground/errors/index.ts";
import { Connections, Sockets } from "./connections.ts";
import { Exchange, type Reply } from "./exchange.ts";
import { preflightHeaders } from "./cors.ts";
import { readBody } from "./read-body.ts";

/** A path with the methods it answers. GET covers HEAD. */
export interface Route {
  /** What it is called in metrics, logs and traces. A route without a name is not seen there. */
  readonly name?: string;
  readonly methods: readonly ("GET" | "POST" | "PUT")[];
  /** Answers later or at once, by `exchange.reply`. Must not throw. */
  readonly handle: (exchange: Exchange) => void;
}

/** Certificate and key as PEM text. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Clients must show a certificate of this authority. Default: any client is welcome. */
  readonly ca?: string;
}

/** The same in Node's terms. */
export function tlsOptions({ cert, key, ca }: TlsFiles): {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly requestCert?: true;
} {
  return { cert, key, ...(ca !== undefined && { ca, requestCert: true }) };
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly maxBodyBytes: number;
  readonly routes: ReadonlyMap<string, Route>;
  readonly tls?: TlsFiles | undefined;
  /** Answers what no route takes: an unknown path, a wrong method, a body that is too large. */
  readonly refuse: (exchange: Exchange, why: Refusal) => void;
  /** Called before the handler of a route that has a name. */
  readonly onRequest?: ((exchange: Exchange) => void) | undefined;
  /** Called after each answer. */
  readonly onAnswer?: ((exchange: Exchange, reply: Reply) => void) | undefined;
}

export type Refusal =
  | { readonly kind: "unknown-path" }
  | { readonly kind: "wrong-method"; readonly route: Route }
  | { readonly kind: "error"; readonly error: ToolError };

/** A listening server. */
export interface HttpServer {
  readonly port: number;
  /**
   * Takes no new connections, and every answer ends its own. Connections that are idle stay open for `lingerMs` (default 0), since a
   * request may be on its way over them; those on which half a request lies and nothing comes any more, for a second longer. Resolves
   * when what is under way has been answered and all connections are gone.
   */
  stop(lingerMs?: number): Promise<void>;
  /** Stops listening and cuts every connection. */
  cut(): void;
}

/** Above the idle time of common load balancers (60 s), so that they end idle connections and not we. */
const KEEP_ALIVE_MS = 75_000;

/** @throws ToolError `PORT_TAKEN` */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const connections = new Connections();
  const side = { isClosing: false, connections, onAnswer: options.onAnswer };
  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    dispatch(new Exchange(request, response, side), options);
  const server =
    options.tls === undefined
      ? createServer(SERVER_OPTIONS, listener)
      : createTlsServer({ ...SERVER_OPTIONS, ...tlsOptions(options.tls) }, listener);
  const sockets = new Sockets();
  sockets.follow(server);
  connections.follow(server, options.tls === undefined ? "connection" : "secureConnection");
  await listen(server, options);
  const { port } = server.address() as AddressInfo; // a TCP server that listens
  return {
    port,
    stop: (lingerMs = 0) => {
      side.isClosing = true;
      return closeGently(server, lingerMs, () => {
        server.closeIdleConnections();
        connections.endQuiet();
        sockets.endExcept(connections.addresses);
      });
    },
    cut: () => {
      server.close(() => undefined); // it may be closed already
      server.closeAllConnections();
    },
  };
}

/** A connection without an answer to wait for is ended when nothing has come over it for this long. */
const QUIET_MS = 1000;

/**
 * `server.close()` of node:http cuts idle connections at once; that of node:net below it only ends the listening. A connection without any
 * request so far is not idle to node:http.
 */
async function closeGently(server: Server, lingerMs: number, endQuiet: () => void): Promise<void> {
  const closed = new Promise<void>(
    (resolve) => void NetServer.prototype.close.call(server, () => resolve()),
  );
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    endQuiet();
    timer = setTimeout(look, QUIET_MS);
  };
  if (lingerMs === 0) look();
  else timer = setTimeout(look, lingerMs);
  await closed;
  clearTimeout(timer);
  server.close(() => undefined); // ends the timers of node:http; it says that the server is closed already
}

const SERVER_OPTIONS = {
  keepAliveTimeout: KEEP_ALIVE_MS,
  noDelay: true,
  maxHeaderSize: 16_384,
  insecureHTTPParser: false,
};

function dispatch(exchange: Exchange, options: HttpServerOptions): void {
  const { request } = exchange;
  const route = options.routes.get(exchange.path);
  const method = request.method ?? "GET";
  if (method === "OPTIONS") {
    exchange.reply({
      status: 200,
      contentType: "text/html; charset=utf-8",
      body: "",
      headers: preflightHeaders(request.headers, route?.methods ?? ["GET"]),
    });
    return;
  }
  if (route === undefined) {
    options.refuse(exchange, { kind: "unknown-path" });
    return;
  }
  const wanted = method === "HEAD" ? "GET" : method;
  if (!route.methods.some((known) => known === wanted)) {
    options.refuse(exchange, { kind: "wrong-method", route });
    return;
  }
  if (route.name !== undefined) {
    exchange.endpoint = route.name;
    options.onRequest?.(exchange);
  }
  readBody(request, options.maxBodyBytes, (error, body) => {
    exchange.body = body;
    if (error === undefined) route.handle(exchange);
    else options.refuse(exchange, { kind: "error", error });
  });
}

async function listen(server: Server, { port, host }: HttpServerOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "another program listens there" : error.message;
      reject(
        new ToolError("PORT_TAKEN", `listen on ${host}:${port}: ${why}`, {
          cause: error,
          hint: "choose another port, or stop the other program",
        }),
      );
    });
    server.listen({ port, host, backlog: 1024 }, () => {
      server.removeAllListeners("error");
      server.on("error", () => undefined); // a refused accept; the connection is gone and the server goes on
      resolve();
    });
  });
}
