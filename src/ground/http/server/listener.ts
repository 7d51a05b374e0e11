import { createServer, type RequestListener, type Server } from "node:http";
import { Server as NetServer, type AddressInfo, type Socket } from "node:net";
import { ToolError } from "../../errors/index.ts";
import { nodeHttps, nodeTls } from "../secure-modules.ts";
import { Connections, Sockets } from "./connections.ts";

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

/** Where a server listens, and what it takes from its clients. */
export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls?: TlsFiles | undefined;
  /**
   * Connections at once. One more ends the oldest on which nothing is under way; where there is none, the new one is ended.
   * Default: no cap of ours.
   */
  readonly maxConnections?: number | undefined;
  /** Longest time for the head of a request, in ms. Default 30 000. */
  readonly headersTimeoutMs?: number | undefined;
  /** Longest time for a whole request, body included, in ms; 0 is without end. Default 300 000. */
  readonly requestTimeoutMs?: number | undefined;
  /** A connection over which no byte goes for this long is cut, in ms. Default: never while a request is under way. */
  readonly idleTimeoutMs?: number | undefined;
}

/** A server that listens. */
export interface Listener {
  readonly port: number;
  /**
   * Takes no new connections. Connections that are idle stay open for `lingerMs` (default 0), since a request may be on its way over
   * them; those on which half a request lies and nothing comes any more, for a second longer. Resolves when what is under way has been
   * answered and all connections are gone.
   */
  stop(lingerMs?: number): Promise<void>;
  /** Stops listening and cuts every connection. */
  cut(): void;
  /**
   * Uses another certificate for connections that come from now on. Does nothing without TLS.
   * @throws Error when certificate and key do not belong together; the ones before go on
   */
  renewTls(tls: TlsFiles): void;
}

/** Above the idle time of common load balancers (60 s), so that they end idle connections and not we. */
const KEEP_ALIVE_MS = 75_000;
const HEADERS_MS = 30_000;
const REQUEST_MS = 300_000;
/** An idle connection, with every request answered, is closed after this time without a byte. */
const QUIET_MS = 1000;

/** Who hears of what comes in. */
export interface ListenHandlers {
  readonly onRequest: RequestListener;
  /**
   * Gets the requests whose client waits for a word before it sends the body; it calls `response.writeContinue()` or answers.
   * Default: every such client is told to go on.
   */
  readonly onContinue?: RequestListener | undefined;
  /** Follows the connections; its owner counts the requests on them. Default: a new one, which counts them until their answer is out. */
  readonly connections?: Connections | undefined;
}

/**
 * Listens for HTTP/1.1 requests.
 * @throws ToolError `PORT_TAKEN`
 */
export async function startListener(
  options: ListenOptions,
  { onRequest, onContinue, ...rest }: ListenHandlers,
): Promise<Listener> {
  const { tls } = options;
  const settings = serverSettings(options);
  const connections = rest.connections ?? new Connections();
  const answer = rest.connections === undefined ? counting(connections, onRequest) : onRequest;
  const server =
    tls === undefined
      ? createServer(settings, answer)
      : nodeHttps().createServer({ ...settings, ...tlsOptions(tls) }, answer);
  if (onContinue !== undefined) server.on("checkContinue", onContinue);
  if (options.idleTimeoutMs !== undefined) server.timeout = options.idleTimeoutMs;
  const sockets = new Sockets();
  sockets.follow(server);
  connections.follow(server, tls === undefined ? "connection" : "secureConnection");
  if (options.maxConnections !== undefined) capConnections(server, connections, options);
  await listenOn(server, options);
  return {
    port: (server.address() as AddressInfo).port, // a TCP server that listens
    stop: (lingerMs = 0) =>
      closeGently(server, lingerMs, () => {
        server.closeIdleConnections();
        connections.endQuiet();
        sockets.endExcept(connections.addresses);
      }),
    cut: () => {
      server.close(() => undefined); // it may be closed already
      server.closeAllConnections();
    },
    renewTls: (files) => {
      if (server instanceof nodeTls().Server) server.setSecureContext(tlsOptions(files));
    },
  };
}

function counting(connections: Connections, onRequest: RequestListener): RequestListener {
  return (request, response) => {
    const connection = connections.begin(request.socket);
    response.once("close", () => (connection.unanswered -= 1));
    onRequest(request, response);
  };
}

function serverSettings({ headersTimeoutMs, requestTimeoutMs }: ListenOptions): object {
  return {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: headersTimeoutMs ?? HEADERS_MS,
    requestTimeout: requestTimeoutMs ?? REQUEST_MS,
    noDelay: true,
    maxHeaderSize: 16_384,
    insecureHTTPParser: false,
  };
}

function capConnections(
  server: Server,
  connections: Connections,
  { maxConnections = Infinity }: ListenOptions,
): void {
  server.on("connection", (socket: Socket) => {
    if (connections.size > maxConnections && !connections.endIdle(socket)) socket.destroy();
  });
}

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

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there",
  EACCES: "permission denied",
};

/** Begins to listen. @throws ToolError `PORT_TAKEN` */
export async function listenOn(
  server: NetServer,
  { port, host }: Pick<ListenOptions, "host" | "port">,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = REASONS[error.code ?? ""] ?? error.message;
      reject(
        new ToolError("PORT_TAKEN", `listen on "${host}:${port}": ${why}`, {
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
