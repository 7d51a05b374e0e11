import {
  createSecureServer,
  createServer,
  type Http2Session,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import {
  addressOf,
  BodyBudget,
  listenOn,
  Sockets,
  tlsOptions,
  type TlsFiles,
} from "../../../ground/http/index.ts";
import { OpenCalls } from "./open-calls.ts";
import { GrpcCall, type CallSide, type GrpcMethod } from "./grpc-call.ts";

export interface GrpcServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Of one message, packed and unpacked; a larger one is refused with RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes: number;
  /** Memory of all requests that are coming in; may be shared with other servers. Default: four messages of the largest size, and at least 256 MiB. */
  readonly bodies?: BodyBudget | undefined;
  /** Connections at once; one more is ended. Default: no cap of ours. */
  readonly maxConnections?: number | undefined;
  /** A connection on which nothing moves for this long is ended. Default: an hour. */
  readonly idleMs?: number;
  /** By path, such as `/package.Service/Method`. */
  readonly methods: ReadonlyMap<string, GrpcMethod>;
  readonly tls?: TlsFiles | undefined;
  /** See `CallSide.admit`. */
  readonly admit?: CallSide["admit"];
  /** Called before the first message of a method that has a name is handed over. Must not throw. */
  readonly onCall?: ((call: GrpcCall) => void) | undefined;
  /** Called after each answer of a method that has a name. Must not throw. */
  readonly onAnswer?: ((call: GrpcCall) => void) | undefined;
}

/** A listening server. */
export interface GrpcServer {
  readonly port: number;
  /** Takes no new connections and asks those that are there to go elsewhere; resolves when what is under way has been answered. */
  stop(): Promise<void>;
  /** Cuts every connection. */
  cut(): void;
  /** Uses another certificate from now on; nothing without TLS. @throws Error when certificate and key do not belong together */
  renewTls(tls: TlsFiles): void;
}

/** Of one connection at the same time; a client that wants more waits. */
const MAX_STREAMS = 1024;
/** What a client may send before it is told to go on: of one call, and of a connection. */
const STREAM_WINDOW = 2 ** 20;
const SESSION_WINDOW = 8 * 2 ** 20;
const MAX_HEADER_BYTES = 16_384;
const LEAST_HELD_BYTES = 256 * 2 ** 20;
/** A request that is not there after this time is given up. */
const RECEIVE_MS = 60_000;
const SWEEP_MS = 10_000;
const IDLE_MS = 3_600_000;
/** A stopping server ends connections without calls that are still there after this time. */
const QUIET_MS = 1000;

/**
 * Serves gRPC over HTTP/2, in clear text (h2c) or with TLS.
 * @throws ToolError `PORT_TAKEN`
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const server =
    options.tls === undefined
      ? createServer(LIMITS)
      : createSecureServer({ ...LIMITS, ...tlsOptions(options.tls), allowHTTP1: false });
  const sockets = new Sockets();
  sockets.follow(server);
  const sessions = new Map<Http2Session, SessionState>();
  const calls = new OpenCalls();
  const state = { isClosing: false };
  const side = sideOf(options, calls);
  server.on("session", (session) => {
    session.setTimeout(options.idleMs ?? IDLE_MS, () => session.close());
    follow(sessions, session);
  });
  server.on("stream", (stream, headers) => {
    count(sessions, stream);
    const call = new GrpcCall(stream, {
      headers,
      method: options.methods.get(headers[":path"] ?? ""),
      side,
    });
    if (call.status !== undefined) return;
    calls.add(call);
    if (call.endpoint !== undefined) options.onCall?.(call);
    if (state.isClosing) stream.session?.close();
  });
  server.on("sessionError", () => undefined); // one client's connection; it is closed and the others go on
  if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections;
  await listenOn(server, options);
  const sweep = setInterval(() => giveUpSlow(calls), SWEEP_MS).unref();
  const turnAway = (): void => {
    state.isClosing = true;
    for (const call of calls)
      if (call.isEndless) call.fail({ status: "UNAVAILABLE", message: "the server is stopping" });
    for (const session of sessions.keys()) session.close();
  };
  return {
    port: (server.address() as AddressInfo).port, // a TCP server that listens
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      turnAway();
      const timer = setInterval(() => sockets.endExcept(busyIn(sessions)), QUIET_MS);
      await closed;
      clearInterval(timer);
      clearInterval(sweep);
    },
    renewTls: (files) => {
      if ("setSecureContext" in server) server.setSecureContext(tlsOptions(files));
    },
    cut: () => {
      clearInterval(sweep);
      server.close();
      for (const session of sessions.keys()) session.destroy();
      sockets.endExcept(NONE);
    },
  };
}

function sideOf(
  { maxMessageBytes, bodies, admit, onAnswer }: GrpcServerOptions,
  calls: OpenCalls,
): CallSide {
  return {
    ...{ maxMessageBytes, admit },
    bodies: bodies ?? new BodyBudget(Math.max(4 * maxMessageBytes, LEAST_HELD_BYTES)),
    onOver: (call) => {
      calls.delete(call);
      if (call.endpoint !== undefined) onAnswer?.(call);
    },
  };
}

interface SessionState {
  readonly address: string;
  /** Those that are open. */
  streams: number;
}

const NONE: ReadonlySet<string> = new Set();

function follow(sessions: Map<Http2Session, SessionState>, session: ServerHttp2Session): void {
  sessions.set(session, { address: addressOf(session.socket), streams: 0 });
  session.setLocalWindowSize(SESSION_WINDOW);
  session.on("error", () => undefined); // "close" follows
  session.on("close", () => sessions.delete(session));
}

/** Where the clients are that wait for something. */
function busyIn(sessions: ReadonlyMap<Http2Session, SessionState>): ReadonlySet<string> {
  const busy = [...sessions.values()].filter(({ streams }) => streams > 0);
  return new Set(busy.map(({ address }) => address));
}

function count(sessions: ReadonlyMap<Http2Session, SessionState>, stream: ServerHttp2Stream): void {
  const state = stream.session === undefined ? undefined : sessions.get(stream.session);
  if (state === undefined) return;
  state.streams += 1;
  stream.once("close", () => (state.streams -= 1));
}

const LIMITS = {
  settings: {
    initialWindowSize: STREAM_WINDOW,
    maxConcurrentStreams: MAX_STREAMS,
    maxHeaderListSize: MAX_HEADER_BYTES,
    enablePush: false,
  },
  maxHeaderListPairs: 128,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  maxSessionMemory: 256,
  streamResetBurst: 1000,
  streamResetRate: 100,
};

function giveUpSlow(calls: OpenCalls): void {
  const oldest = performance.now() - RECEIVE_MS;
  for (const call of calls) {
    if (call.isReceiving && call.startedAt < oldest)
      call.fail({
        status: "DEADLINE_EXCEEDED",
        message: `the request did not arrive within ${RECEIVE_MS / 1000} s`,
      });
  }
}
