import type { IncomingMessage, ServerResponse } from "node:http";
import { ToolError } from "../../errors/index.ts";
import type { BodyBudget } from "./body-budget.ts";
import type { Connection, Connections } from "./connections.ts";
import { lingerAfterAnswer } from "./linger.ts";
import type { PathParameters } from "./routes.ts";

const NO_BODY = Buffer.alloc(0);
/** Never written to. */
const NO_HEADERS: string[] = [];
const NO_PARAMETERS: PathParameters = Object.freeze({});
/** An id that may stand in a header as it is. */
const SAFE_ID = /^[\x21-\x7e]{1,128}$/;
const SLASH = 47;

/** What an answer is: text must be ASCII. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  /** Further headers: name, value, name, value. */
  readonly headers?: readonly string[];
}

/** An answer that is sent piece by piece. */
export interface AnswerStream {
  /** Sends a piece; resolves when the connection has room for more, or when the client is gone. */
  write(piece: Buffer): Promise<void>;
  /** The answer is whole. */
  end(): void;
  /** True when the client has gone; pieces go nowhere then. */
  readonly isGone: boolean;
}

/** What all exchanges of a server share. */
export interface ExchangeSide<Span = unknown> {
  /** True while the server stops: every answer ends its connection. */
  readonly isClosing: boolean;
  readonly connections: Connections;
  readonly budget: BodyBudget | undefined;
  /** Header in which the id of a request goes back. Default: none. */
  readonly idHeader: string | undefined;
  /** What browsers are told in place of the request's own origin. Default: that one. */
  readonly allowedOrigin: string | undefined;
  /** Called when an answer has been handed to the connection, and not again. Must not throw. */
  readonly onAnswer: ((exchange: Exchange<Span>, reply: Reply) => void) | undefined;
}

/** One request and the way to answer it, once. `Span` is what hooks keep on it, such as the context of a trace. */
export class Exchange<Span = unknown> {
  readonly request: IncomingMessage;
  /** As it came, percent-encoded; of a URI with scheme and host the path alone. */
  readonly path: string;
  /** Behind the question mark; empty without one. */
  readonly query: string;
  /** Values of the parameters of the route's path. */
  params: PathParameters = NO_PARAMETERS;
  /** Filled in before the handler of a route with a body is called. */
  body: Buffer = NO_BODY;
  /** In ms of `performance.now()`. */
  readonly startedAt: number;
  /** Name of the route, for metrics and logs; absent for what is not to be seen there. */
  endpoint: string | undefined = undefined;
  /** The id of this request in logs; goes back in a header where the server has one for it. Handlers may set a better one before they answer. */
  requestId: string | undefined = undefined;
  /** When the answer is of no use any more, in ms of `performance.now()`; set by a hook. */
  deadlineAt: number | undefined = undefined;
  /** 1 is the most urgent; set by a hook, absent for what is not urgent. */
  priority: number | undefined = undefined;
  /** Set by a hook; absent where nobody traces. */
  span: Span | undefined = undefined;
  readonly #response: ServerResponse;
  readonly #side: ExchangeSide<Span>;
  readonly #connection: Connection;
  /** True while the client waits to be told that it may send its body. */
  #isContinueDue: boolean;
  /** True while a body is on its way that nobody has read to its end. */
  #isBodyDue: boolean;
  #taken = 0;
  #headers: string[] = NO_HEADERS;
  #leave: (() => void) | undefined;
  #status = 0;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    side: ExchangeSide<Span>,
    isContinueDue = false,
  ) {
    const url = request.url ?? "/";
    const target = url.charCodeAt(0) === SLASH ? url : pathOfUri(url);
    const mark = target.indexOf("?");
    this.request = request;
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.query = mark < 0 ? "" : target.slice(mark + 1);
    this.startedAt = performance.now();
    this.#response = response;
    this.#side = side;
    this.#isContinueDue = isContinueDue;
    const { headers } = request;
    const length = headers["content-length"];
    this.#isBodyDue =
      length === undefined ? headers["transfer-encoding"] !== undefined : length !== "0";
    this.#connection = side.connections.begin(request.socket);
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
      controller.abort(new ToolError("INTERRUPTED", "answer a request: the client has given up"));
    if (this.#connection.isGone) leave();
    else if (this.#status === 0) {
      this.#leave = leave;
      this.#connection.waiting.add(leave);
    }
    return controller.signal;
  }

  /** Calls back when the client goes, or has gone, unless the returned function was called before. */
  whenGone(leave: () => void): () => void {
    if (this.#connection.isGone) leave();
    else this.#connection.waiting.add(leave);
    return () => void this.#connection.waiting.delete(leave);
  }

  /** Adds a header to the answer; one of a name that is there already takes its place. The value may hold printable ASCII only. */
  answerHeader(name: string, value: string): void {
    if (this.#headers === NO_HEADERS) this.#headers = [];
    const headers = this.#headers;
    const at = headers.indexOf(name);
    if (at >= 0 && at % 2 === 0) headers[at + 1] = value;
    else headers.push(name, value);
  }

  /** Takes memory for the body out of the server's budget, until the answer or the client's end. False when there is not so much left. */
  takeMemory(bytes: number): boolean {
    const { budget } = this.#side;
    if (budget === undefined) return true;
    if (this.#connection.isClosed || !budget.take(bytes)) return false;
    this.#taken += bytes;
    this.#connection.taken += bytes;
    return true;
  }

  /** The body is wanted: a client that waits for a word is told to send it. */
  beginBody(): void {
    if (!this.#isContinueDue) return;
    this.#isContinueDue = false;
    this.#response.writeContinue();
  }

  /** The body has come to its end. Its memory stays taken until the answer, even when the client goes. */
  endBody(): void {
    this.#isBodyDue = false;
    this.#connection.taken -= this.#taken;
  }

  /** Answers; a second call does nothing, and after the client has gone nothing is sent. */
  reply(reply: Reply): void {
    if (this.#status !== 0) return;
    this.#finish(reply);
    if (!this.#response.destroyed) this.#send(reply);
    this.#side.onAnswer?.(this, reply);
  }

  #finish({ status }: Reply): void {
    this.#status = status;
    this.#connection.unanswered -= 1;
    if (this.#leave !== undefined) this.#connection.waiting.delete(this.#leave);
    if (this.#taken > 0) this.#giveMemory();
  }

  /** Begins an answer of pieces that come later, of unknown length. Nothing may have been answered before, and nothing may be after. */
  stream(head: Omit<Reply, "body">): AnswerStream {
    const response = this.#response;
    const reply = { ...head, body: NO_BODY };
    this.#status = head.status;
    if (!response.destroyed) response.writeHead(head.status, this.#headersOf(reply));
    return {
      get isGone() {
        return response.destroyed;
      },
      write: async (piece) => {
        if (response.destroyed || response.write(piece)) return;
        await new Promise<void>((resolve) => {
          const go = (): void => {
            response.off("drain", go);
            response.off("close", go);
            resolve();
          };
          response.on("drain", go);
          response.on("close", go);
        });
      },
      end: () => {
        this.#finish(reply);
        if (!response.destroyed) response.end();
        this.#side.onAnswer?.(this, reply);
      },
    };
  }

  #giveMemory(): void {
    // Of a body whose client went in its middle the connection has given the memory back.
    const isGiven = this.#isBodyDue && this.#connection.isClosed;
    if (this.#isBodyDue && !isGiven) this.#connection.taken -= this.#taken;
    if (!isGiven) this.#side.budget?.give(this.#taken);
    this.#taken = 0;
  }

  #send(reply: Reply): void {
    const { status, body } = reply;
    this.#response.writeHead(status, [
      ...this.#headersOf(reply),
      "Content-Length",
      String(body.length),
    ]);
    this.#response.end(body, "latin1");
  }

  #headersOf({ contentType, headers }: Reply): string[] {
    const { idHeader, isClosing, allowedOrigin } = this.#side;
    const origin = allowedOrigin === undefined ? this.request.headers.origin : undefined;
    const all = [
      "Content-Type",
      contentType,
      "Access-Control-Allow-Origin",
      origin ?? allowedOrigin ?? "*",
    ];
    if (origin !== undefined) all.push("Vary", "Origin");
    if (idHeader !== undefined && this.requestId !== undefined && SAFE_ID.test(this.requestId))
      all.push(idHeader, this.requestId);
    if (this.#isBodyDue) lingerAfterAnswer(this.request.socket);
    if (isClosing || this.#isBodyDue) all.push("Connection", "close");
    if (headers !== undefined) all.push(...headers);
    all.push(...this.#headers);
    return all;
  }
}

/** Proxies send whole URIs; `OPTIONS *` has none. @see RFC 9112, 3.2.2 absolute-form */
function pathOfUri(target: string): string {
  const authority = /^https?:\/\/[^/?#]*/i.exec(target)?.[0];
  if (authority === undefined) return target;
  const path = target.slice(authority.length);
  return path.startsWith("/") ? path : `/${path}`;
}
