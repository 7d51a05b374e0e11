import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import { connectionCap, startListener, type Listener } from "../../ground/http/index.ts";
import type { Digest } from "../oci/index.ts";
import type { Store } from "../store/index.ts";
import type { Context, Exchange } from "./exchange.ts";
import { Fault, faultBody, toFault } from "./fault.ts";
import { handle } from "./handle.ts";
import { createRepositories } from "./repositories.ts";
import { createUploadSessions } from "./upload-sessions.ts";

export interface RegistryServerOptions {
  readonly store: Store;
  /** Address to listen on. Default `127.0.0.1`. On a loopback address only requests that name one are answered. */
  readonly host?: string | undefined;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /**
   * Fetches a blob that a manifest needs and the store lacks, such as a base layer that was never
   * downloaded. It returns without the blob when it cannot get it. The words of an error become the
   * words of the refusal. Default: such blobs are unknown.
   */
  readonly fetchBlob?: ((digest: Digest) => Promise<void>) | undefined;
  /** Refuses everything that writes. Default false. */
  readonly readOnly?: boolean | undefined;
  /** Entries on a page of tags, names or referrers. Default 1000. */
  readonly pageSize?: number | undefined;
  /** Unfinished uploads at once. Default 1000. */
  readonly maxSessions?: number | undefined;
  /** Time after which an unfinished upload goes, at the next start or when there are too many. Default 7 days. */
  readonly maxSessionIdleMs?: number | undefined;
  /** Time without a byte after which a connection is cut. Default 2 minutes. */
  readonly idleTimeoutMs?: number | undefined;
  /** Told each finished request. */
  readonly onRequest?: ((entry: RequestLogEntry) => void) | undefined;
}

export interface RequestLogEntry {
  readonly method: string;
  /** Path and query as they came; they carry no secrets in this protocol. */
  readonly url: string;
  readonly status: number;
  readonly durationMs: number;
  /** Set when the request failed for a reason of ours. */
  readonly error?: unknown;
}

/** A running registry. */
export interface RegistryServer extends AsyncDisposable {
  /** `http://HOST:PORT`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Takes no new requests, lets running ones end for `graceMs` (default 5000), then cuts them. May be called again. */
  close(graceMs?: number): Promise<void>;
}

const IDLE_MS = 120_000;
const DRAIN_BYTES = 16 << 20;
const CLOSE_GRACE_MS = 5000;

/**
 * Serves the store as an OCI registry (distribution-spec 1.1) and begins to listen. Images of the store are
 * repositories; what is pushed is in the store. There is no authentication: who reaches the port may read and write.
 * @throws ToolError `PORT_TAKEN` when the address is in use or may not be listened on.
 */
export async function createRegistryServer(
  options: RegistryServerOptions,
): Promise<RegistryServer> {
  const host = options.host ?? "127.0.0.1";
  const stopping = new AbortController();
  const context = contextOf(options);
  if (!context.isReadOnly) await context.uploads.sweep();
  const respond = responder(context, { host, stopping, options });
  const listener = await startListener(
    {
      host,
      port: options.port ?? 0,
      maxConnections: connectionCap(),
      requestTimeoutMs: 0,
      idleTimeoutMs: options.idleTimeoutMs ?? IDLE_MS,
    },
    // `respond` answers every failure itself; nothing is left to reject.
    { onRequest: (request, response) => void respond(request, response) },
  );
  const { port } = listener;
  const close = closer(listener, stopping);
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    host,
    port,
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

function contextOf(options: RegistryServerOptions): Context {
  const stateDir = join(options.store.dataDir, "registry");
  return {
    store: options.store,
    repositories: createRepositories(options.store, stateDir),
    uploads: createUploadSessions({
      folder: join(stateDir, "uploads"),
      maxSessions: options.maxSessions ?? 1000,
      maxIdleMs: options.maxSessionIdleMs ?? 7 * 24 * 3600 * 1000,
    }),
    fetchBlob: onceAtATime(options.fetchBlob ?? (async () => undefined)),
    isReadOnly: options.readOnly ?? false,
    pageSize: options.pageSize ?? 1000,
  };
}

/** Clients ask for one layer several times over; it is fetched for all of them. */
function onceAtATime(
  fetchBlob: (digest: Digest) => Promise<void>,
): (digest: Digest) => Promise<void> {
  const running = new Map<Digest, Promise<void>>();
  return (digest) => {
    const known = running.get(digest) ?? fetchBlob(digest).finally(() => running.delete(digest));
    running.set(digest, known);
    return known;
  };
}

interface Responding {
  readonly host: string;
  readonly stopping: AbortController;
  readonly options: RegistryServerOptions;
}

function responder(
  context: Context,
  responding: Responding,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const startedMs = performance.now();
    const gone = new AbortController();
    response.once("close", () =>
      gone.abort(new ToolError("INTERRUPTED", "answer a request: the client went away")),
    );
    response.setHeader("Docker-Distribution-Api-Version", "registry/2.0");
    const signal = AbortSignal.any([gone.signal, responding.stopping.signal]);
    let failure: unknown;
    try {
      await answerRequest(context, responding, { request, response, signal });
    } catch (error) {
      failure = refuse({ request, response, signal }, error);
    }
    responding.options.onRequest?.({
      method: request.method ?? "",
      url: request.url ?? "",
      status: response.statusCode,
      durationMs: performance.now() - startedMs,
      ...(failure === undefined ? {} : { error: failure }),
    });
  };
}

async function answerRequest(
  context: Context,
  responding: Responding,
  exchange: Omit<Exchange, "query">,
): Promise<void> {
  const { request } = exchange;
  requireOwnName(request, responding.host);
  const [path = "", query = ""] = splitUrl(request.url ?? "");
  await handle(context, { ...exchange, query: new URLSearchParams(query) }, decodePath(path));
}

/** Answers a failed request. @returns the error when it is one to be told of. */
function refuse(exchange: Omit<Exchange, "query">, error: unknown): unknown {
  const { request, response, signal } = exchange;
  const fault = toFault(error);
  if (response.headersSent || response.destroyed) {
    // Too late for a refusal: a cut connection is how the client learns that the body is not whole.
    response.destroy();
    return signal.aborted ? undefined : error;
  }
  const refusal = fault ?? new Fault(500, "UNSUPPORTED", { message: "the registry failed" });
  const body = Buffer.from(faultBody(refusal));
  // The rest of a short body is read and dropped, so that the client sees the refusal; a long one is cut off.
  const isShort = request.complete || Number(request.headers["content-length"]) <= DRAIN_BYTES;
  const connection = isShort ? {} : { Connection: "close" };
  response.writeHead(refusal.status, {
    "Content-Type": "application/json",
    "Content-Length": body.byteLength,
    ...connection,
    ...refusal.headers,
  });
  response.end(request.method === "HEAD" ? undefined : body);
  return fault === undefined || fault.status >= 500 ? (fault?.cause ?? error) : undefined;
}

const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d+)?$/i;

/** A page in a browser must not reach a registry on loopback, be it through a name that it points there. */
function requireOwnName(request: IncomingMessage, listening: string): void {
  if (request.headers.origin !== undefined)
    throw new Fault(403, "DENIED", { message: "requests of web pages are not answered" });
  const isLoopback = LOOPBACK.test(listening.includes(":") ? `[${listening}]` : listening);
  const { host } = request.headers;
  if (isLoopback && (host === undefined || !LOOPBACK.test(host)))
    throw new Fault(403, "DENIED", {
      message: `this registry is for this machine only, not for "${host ?? ""}"`,
    });
}

function splitUrl(url: string): readonly string[] {
  const mark = url.indexOf("?");
  return mark < 0 ? [url] : [url.slice(0, mark), url.slice(mark + 1)];
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    throw new Fault(400, "NAME_INVALID", { message: "the path is not valid UTF-8", cause: error });
  }
}

function closer(
  listener: Listener,
  stopping: AbortController,
): (graceMs?: number) => Promise<void> {
  let closed: Promise<void> | undefined;
  return (graceMs = CLOSE_GRACE_MS) => {
    closed ??= closeWithin(listener, stopping, graceMs);
    return closed;
  };
}

async function closeWithin(
  listener: Listener,
  stopping: AbortController,
  graceMs: number,
): Promise<void> {
  const timer = setTimeout(() => {
    stopping.abort(new ToolError("INTERRUPTED", "answer a request: the registry is closing"));
    listener.cut();
  }, graceMs);
  await listener.stop();
  clearTimeout(timer);
}
