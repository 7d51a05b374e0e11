import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

/** How the store treats one request. */
export type StoreFault =
  /** Ends the connection after so many bytes of the answer's body. */
  | { readonly kind: "cut"; readonly after: number }
  /** States this many bytes more than it has, and ends the connection. */
  | { readonly kind: "wrong-length"; readonly more: number }
  /** Answers with a status and a message. */
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: number }
  /** Sends the client to another place of the store. */
  | { readonly kind: "redirect"; readonly status?: number }
  /** Gives another content from now on. */
  | { readonly kind: "changed"; readonly content: Buffer };

/** A request that the store has seen. */
export interface StoreRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface ModelStoreOptions {
  /** Answers requests for ranges, and names the content by an ETag. Default true. */
  readonly hasRanges?: boolean;
  /** Bytes of one write; the next one comes when the socket took it. Default all at once. */
  readonly chunkBytes?: number;
  /** Pause before each write, as of a line that is far away, in ms. Default none. */
  readonly pauseMs?: number;
  /** Headers of every answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Plays the store that the model server's document calls XQUERY. */
export interface ModelStore {
  /** `127.0.0.1:PORT`, as `XQUERY_ADDR`. */
  readonly address: string;
  readonly port: number;
  readonly requests: readonly StoreRequest[];
  /** Adds a fault; those added first strike first, each one request. */
  readonly fault: (fault: StoreFault) => void;
}

/** Starts a store that gives `content` to whoever asks; gone with the test. */
export async function startModelStore(
  t: TestContext,
  content: Buffer,
  options: ModelStoreOptions = {},
): Promise<ModelStore> {
  const state: State = { content, options, faults: [], requests: [] };
  const server = createServer((request, response) => {
    answer(state, request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    port,
    requests: state.requests,
    fault: (fault) => void state.faults.push(fault),
  };
}

interface State {
  content: Buffer;
  readonly options: ModelStoreOptions;
  readonly faults: StoreFault[];
  readonly requests: StoreRequest[];
}

async function answer(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { method = "", url: target = "", headers } = request;
  state.requests.push({ method, target, headers, body: Buffer.concat(chunks).toString("utf8") });
  const fault = state.faults.shift();
  if (fault?.kind === "status") {
    const after = fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) };
    response.writeHead(fault.status, { "content-type": "application/json", ...after });
    return void response.end('{"error":"no such model"}');
  }
  if (fault?.kind === "redirect") {
    response.writeHead(fault.status ?? 302, { location: `/moved${target}` });
    return void response.end();
  }
  if (fault?.kind === "changed") state.content = fault.content;
  await sendContent(state, { request, response, fault });
}

async function sendContent(
  { content, options }: State,
  exchange: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly fault: StoreFault | undefined;
  },
): Promise<void> {
  const { request, response, fault } = exchange;
  const { hasRanges = true } = options;
  const etag = `"${createHash("sha256").update(content).digest("hex").slice(0, 16)}"`;
  const range = hasRanges ? rangeIn(request, etag, content.length) : undefined;
  const [start, end] = range ?? [0, content.length];
  const more = fault?.kind === "wrong-length" ? fault.more : 0;
  response.writeHead(range === undefined ? 200 : 206, {
    "content-length": String(end - start + more),
    ...(hasRanges && { etag, "accept-ranges": "bytes" }),
    ...(range !== undefined && { "content-range": `bytes ${start}-${end - 1}/${content.length}` }),
    ...options.headers,
  });
  const stop = fault?.kind === "cut" ? Math.min(end, start + fault.after) : end;
  await write(response, content.subarray(start, stop), options);
  if (fault?.kind === "cut" || more > 0) return void response.socket?.end();
  response.end();
}

async function write(
  response: ServerResponse,
  bytes: Buffer,
  { chunkBytes = bytes.length + 1, pauseMs = 0 }: ModelStoreOptions,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    if (pauseMs > 0) await delay(pauseMs);
    await new Promise<void>((resolve, reject) =>
      response.write(bytes.subarray(at, at + chunkBytes), (error) =>
        error == null ? resolve() : reject(error),
      ),
    );
  }
}

function rangeIn(
  { headers }: IncomingMessage,
  etag: string,
  size: number,
): readonly [number, number] | undefined {
  const [, start, end] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
  if (start === undefined || (headers["if-range"] ?? etag) !== etag) return undefined;
  return [Number(start), end === "" || end === undefined ? size : Number(end) + 1];
}
