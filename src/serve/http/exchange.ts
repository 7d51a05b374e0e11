import type { IncomingMessage, ServerResponse } from "node:http";

const NO_BODY = Buffer.alloc(0);

/** What an answer is: text must be ASCII. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  /** Further headers: name, value, name, value. */
  readonly headers?: readonly string[];
}

/** One request and the way to answer it, once. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly path: string;
  /** Behind the question mark; empty without one. */
  readonly query: string;
  /** Filled in before the handler of a route with a body is called. */
  body: Buffer = NO_BODY;
  readonly startedAt: number;
  readonly #response: ServerResponse;
  readonly #isClosing: boolean;
  #status = 0;

  constructor(request: IncomingMessage, response: ServerResponse, isClosing: boolean) {
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    this.request = request;
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? "" : url.slice(mark + 1);
    this.startedAt = performance.now();
    this.#response = response;
    this.#isClosing = isClosing;
  }

  /** 0 until `reply`. */
  get status(): number {
    return this.#status;
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return typeof value === "string" ? value : value?.join(", ");
  }

  /** Answers; a second call, or one after the client has gone, does nothing. */
  reply({ status, contentType, body, headers }: Reply): void {
    if (this.#status !== 0) return;
    this.#status = status;
    if (this.#response.destroyed) return;
    const origin = this.request.headers.origin;
    const all = ["Content-Type", contentType, "Content-Length", String(body.length), "Access-Control-Allow-Origin", origin ?? "*"];
    if (origin !== undefined) all.push("Vary", "Origin");
    if (this.#isClosing) all.push("Connection", "close");
    if (headers !== undefined) all.push(...headers);
    this.#response.writeHead(status, all);
    this.#response.end(body, "latin1");
  }
}
