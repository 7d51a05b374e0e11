import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { nodeHttps } from "../secure-modules.ts";
import { redactUrl, RegistryError } from "../../errors/index.ts";
import { createAgents, proxyHeaders, type Agents, type ConnectionOptions } from "./agents.ts";
import {
  DEFAULT_TIMEOUTS,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  type HttpTimeouts,
} from "./http-message.ts";
import type { LongConnection } from "./long-connection.ts";
import { explainNetworkError, timeoutError } from "./network-error.ts";
import { responseOf } from "./read-body.ts";
import { createWatch, type Watch } from "./watch.ts";
import { writeBody } from "./write-body.ts";

export interface HttpClientOptions extends Omit<ConnectionOptions, "connectMs"> {
  /** Default `slipway`. */
  readonly userAgent?: string | undefined;
  readonly timeouts?: Partial<HttpTimeouts> | undefined;
}

/** Ends the writing of a body. A reason made in advance: one made by `abort` itself takes a stack, for every request. */
const OVER: Error = new Error("the request is over");
/** How often a request moves on from a kept connection that turns out to be dead. */
const MAX_STALE = 3;

interface ClientContext {
  readonly agents: Agents;
  readonly timeouts: HttpTimeouts;
  readonly userAgent: string;
}

/**
 * HTTP/1.1 on `node:http`, straight. Nothing is opened before the first request.
 */
export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const agents = createAgents({ ...options, connectMs: timeouts.connectMs });
  const context = { agents, timeouts, userAgent: options.userAgent ?? "slipway" };
  return {
    send: (request) => send(request, context),
    [Symbol.dispose]: () => agents.close(),
  };
}

/** A kept connection that the other side has closed meanwhile is found out by using it; the request then goes out again. */
async function send(request: HttpRequest, context: ClientContext): Promise<HttpResponse> {
  for (let attempt = 1; ; attempt += 1) {
    const long = request.isLong === true ? context.agents.openLong(request.url) : undefined;
    const message =
      long === undefined ? start(request, context) : startLong(long, request, context);
    try {
      return await sendOnce({ message, long }, request, context.timeouts);
    } catch (error) {
      const isStale =
        message.reusedSocket &&
        error instanceof RegistryError &&
        error.code === "REGISTRY_UNREACHABLE";
      if (!isStale || request.body?.kind === "stream" || attempt > MAX_STALE) throw error;
    }
  }
}

async function sendOnce(
  { message, long }: { readonly message: ClientRequest; readonly long: LongConnection | undefined },
  request: HttpRequest,
  timeouts: HttpTimeouts,
): Promise<HttpResponse> {
  const ending = createEnding(message);
  const watch = createWatch((why) => ending.end(timeoutError(request, why)));
  const onAbort = (): void => ending.end(request.signal?.reason);
  const onDone = (): void => {
    watch.end();
    request.signal?.removeEventListener("abort", onAbort);
  };
  try {
    request.signal?.throwIfAborted();
    request.signal?.addEventListener("abort", onAbort, { once: true });
    const incoming = await converse(message, request, { watch, ending, timeouts });
    return responseOf(incoming, {
      request,
      watch,
      long,
      idleMs: timeouts.idleMs,
      onDone,
      reasonFor: (error) => ending.reasonFor(error),
    });
  } catch (error) {
    ending.end(error);
    onDone();
    throw explainNetworkError(ending.reasonFor(error), request);
  }
}

/** Over a connection that is there already; Node's client does not see whether it is one of TLS. */
function startLong(
  { stream }: LongConnection,
  { url, method, headers }: HttpRequest,
  { userAgent }: ClientContext,
): ClientRequest {
  return httpRequest({
    method,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, "user-agent": userAgent, ...headers },
    createConnection: () => stream,
  });
}

function start(request: HttpRequest, { agents, userAgent }: ClientContext): ClientRequest {
  const { url, method } = request;
  const { agent, via } = agents.routeFor(url);
  const headers = { "user-agent": userAgent, ...lengthHeader(request), ...request.headers };
  if (via !== undefined) {
    const options = {
      host: via.hostname,
      port: via.port,
      method,
      path: url.href,
      agent,
      headers: { ...headers, host: url.host, ...proxyHeaders(via) },
    };
    return via.protocol === "https:" ? nodeHttps().request(options) : httpRequest(options);
  }
  return url.protocol === "https:"
    ? nodeHttps().request(url, { method, headers, agent })
    : httpRequest(url, { method, headers, agent });
}

function lengthHeader({ body, method }: HttpRequest): Record<string, string> {
  if (body?.kind === "bytes") return { "content-length": String(body.bytes.byteLength) };
  if (body?.kind === "stream")
    return body.size === undefined
      ? { "transfer-encoding": "chunked" }
      : { "content-length": String(body.size) };
  return ["POST", "PUT", "PATCH"].includes(method) ? { "content-length": "0" } : {};
}

/** Ends a request with a reason of ours, and remembers it: the connection itself only says that it was cut. */
interface Ending {
  /** Rejects when the request is over before its time. */
  readonly failed: Promise<never>;
  /** Aborted when there is nobody left to write to. */
  readonly stop: AbortController;
  end(reason: unknown): void;
  /** The remembered reason, else `error`. */
  reasonFor(error: unknown): unknown;
}

function createEnding(message: ClientRequest): Ending {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const stop = new AbortController();
  let remembered: { readonly reason: unknown } | undefined;
  // Whoever waits sees it; later failures belong to the reader of the answer.
  failed.catch(() => undefined);
  message.on("error", (error) => {
    stop.abort(OVER);
    reject(error);
  });
  message.once("close", () => stop.abort(OVER));
  return {
    failed,
    stop,
    end(reason) {
      remembered ??= { reason };
      stop.abort(OVER);
      reject(reason);
      message.destroy();
    },
    reasonFor: (error) => (remembered === undefined ? error : remembered.reason),
  };
}

interface Conversation {
  readonly watch: Watch;
  readonly ending: Ending;
  readonly timeouts: HttpTimeouts;
}

/**
 * Sends the body and waits for the answer. A refusal may come before the body was sent whole and ends the sending. A success
 * that early is none: the server cannot have what was not sent.
 */
async function converse(
  message: ClientRequest,
  request: HttpRequest,
  { watch, ending, timeouts }: Conversation,
): Promise<IncomingMessage> {
  let isWhole = false;
  let isAnswered = false;
  const wait = (): void => {
    if (isAnswered) return;
    if (isWhole) watch.expect("no answer came", request.answerTimeoutMs ?? timeouts.answerMs);
    else watch.expect("no byte was taken", timeouts.idleMs);
  };
  watchConnection(message, () => watch.expect("no connection was made", timeouts.connectMs), wait);
  const answered = new Promise<IncomingMessage>((resolve) => message.once("response", resolve));
  const written = writeBody(message, request.body, {
    action: request.action,
    onProgress: () => watch.refresh(),
    stop: ending.stop.signal,
  }).then((result) => {
    isWhole = result;
    if (message.socket?.connecting === false) wait();
  });
  const incoming = await Promise.race([answered, ending.failed, rejectionOf(written)]);
  isAnswered = true;
  watch.rest();
  if (!isWhole) leaveEarly(message, incoming, { request, ending });
  return incoming;
}

function leaveEarly(
  message: ClientRequest,
  incoming: IncomingMessage,
  { request, ending }: { readonly request: HttpRequest; readonly ending: Ending },
): void {
  const status = incoming.statusCode ?? 0;
  ending.stop.abort(OVER);
  incoming.once("close", () => message.destroy());
  if (status >= 300) return;
  throw new RegistryError(
    "REGISTRY_PROTOCOL",
    `${request.action}: "${request.url.host}" answered ${status} before it had the whole content`,
    {
      action: request.action,
      method: request.method,
      url: redactUrl(request.url.href),
      status,
    },
  );
}

/** `onConnecting` is called when a new connection is begun, `onReady` when bytes can go out. */
function watchConnection(
  message: ClientRequest,
  onConnecting: () => void,
  onReady: () => void,
): void {
  message.once("socket", (socket) => {
    const isTls = "encrypted" in socket;
    if (message.reusedSocket || (!isTls && !socket.connecting)) return onReady();
    onConnecting();
    socket.once(isTls ? "secureConnect" : "connect", onReady);
  });
}

/** Never resolves; rejects as `promise` does. */
function rejectionOf(promise: Promise<unknown>): Promise<never> {
  return promise.then(() => new Promise<never>(() => undefined));
}
