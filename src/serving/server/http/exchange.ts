import type { IncomingMessage, ServerResponse } from "node:http";
import { ToolError } from "../../../ground/errors/index.ts";
import type { SpanContext } from "../../plane/index.ts";
import type { Connection, Connections } from "./connections.ts";

const NO_BODY = Buffer.alloc(0);
/** An id that may stand in a header as it is. */
const SAFE_ID = /^[\x21-\x7e]{1,128}$/;

/** What an answer is: text must be ASCII. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  /** Further headers: name, value, name, value. */
  readonly headers?: readonly string[];
}

/** What all exchanges of a server share. */
export interface ExchangeSide {
  /** True while the server stops: every answer ends its connection. */
  readonly isClosing: boolean;
  readonly connections: Connections;
  /** Called when an answer has been handed to the connection, and not again. Must not throw. */
  readonly onAnswer: ((exchange: Exchange, reply: Reply) => void) | undefined;
}

/** One request and the way to answer it, once. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly path: string;
  /** Behind the question mark; empty without one. */
  readonly query: string;
  /** Filled in before the handler of a route with a body is called. */
  body: Buffer = NO_BODY;
  /** In ms of `performance.now()`. */
  readonly startedAt: number;
  /** Name of the route, for metrics and logs; absent for what is not to be seen there. */
  endpoint: string | undefined = undefined;
  /** The id of this request in logs; goes back in the header `Seldon-Puid`. Handlers may set a better one before they answer. */
  requestId: string | undefined = undefined;
  /** The span of this request; absent when tracing is off. */
  span: SpanContext | undefined = undefined;
  readonly #response: ServerResponse;
  readonly #side: ExchangeSide;
  readonly #connection: Connection;
  #leave: (() => void) | undefined;
  #status = 0;

  constructor(request: IncomingMessage, response: ServerResponse, side: ExchangeSide) {
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    this.request = request;
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? "" : url.slice(mark + 1);
    this.startedAt = performance.now();
    this.#response = response;
    this.#side = side;
    this.#connection = side.connections.of(request.socket);
    this.#connection.unanswered += 1;
  }

  /** 0 until `reply`. */
  get status(): number {
    return this.#status;
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return typeof value === "string" ? value : value?.join(", ");
  }

  /** Aborted with `INTERRUPTED` when the client goes before it is answered; to be asked for by whoever lets the request wait. */
  whileWaiting(): AbortSignal {
    const controller = new AbortController();
    const leave = (): void =>
      controller.abort(new ToolError("INTERRUPTED", "call the model: the client has given up"));
    if (this.#connection.isGone) leave();
    else if (this.#status === 0) {
      this.#leave = leave;
      this.#connection.waiting.add(leave);
    }
    return controller.signal;
  }

  /** Answers; a second call does nothing, and after the client has gone nothing is sent. */
  reply(reply: Reply): void {
    if (this.#status !== 0) return;
    this.#status = reply.status;
    this.#connection.unanswered -= 1;
    if (this.#leave !== undefined) this.#connection.waiting.delete(this.#leave);
    if (!this.#response.destroyed) this.#send(reply);
    this.#side.onAnswer?.(this, reply);
  }

  #send({ status, contentType, body, headers }: Reply): void {
    const origin = this.request.headers.origin;
    const all = [
      "Content-Type",
      contentType,
      "Content-Length",
      String(body.length),
      "Access-Control-Allow-Origin",
      origin ?? "*",
    ];
    if (origin !== undefined) all.push("Vary", "Origin");
    if (this.requestId !== undefined && SAFE_ID.test(this.requestId))
      all.push("Seldon-Puid", this.requestId);
    if (this.#side.isClosing) all.push("Connection", "close");
    if (headers !== undefined) all.push(...headers);
    this.#response.writeHead(status, all);
    this.#response.end(body, "latin1");
  }
}
