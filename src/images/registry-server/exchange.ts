import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Bytes } from "../../ground/bytes/index.ts";
import type { Digest } from "../oci/index.ts";
import type { Store } from "../store/index.ts";
import { Fault } from "./fault.ts";
import type { Repositories } from "./repositories.ts";
import type { UploadSessions } from "./upload-sessions.ts";

/** What every handler works on. */
export interface Context {
  readonly store: Store;
  readonly repositories: Repositories;
  readonly uploads: UploadSessions;
  /** Fetches a blob that the registry lists and the store lacks, where that is possible. */
  readonly fetchBlob: (digest: Digest) => Promise<void>;
  /** Refuse everything that writes. */
  readonly isReadOnly: boolean;
  /** Entries on one page of tags, names or referrers unless the client asks for fewer. */
  readonly pageSize: number;
}

/** One request and its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** Aborts when the client goes away or the server closes. */
  readonly signal: AbortSignal;
}

type Headers = Readonly<Record<string, string | number | readonly string[]>>;

/** Answers without a body. */
export function answer(exchange: Exchange, status: number, headers: Headers = {}): void {
  writeHead(exchange, status, { "Content-Length": 0, ...headers });
  exchange.response.end();
}

/** Answers with JSON. */
export function answerJson(exchange: Exchange, value: unknown, headers: Headers = {}): void {
  const body = Buffer.from(JSON.stringify(value));
  writeHead(exchange, 200, {
    "Content-Type": "application/json",
    "Content-Length": body.byteLength,
    ...headers,
  });
  exchange.response.end(exchange.request.method === "HEAD" ? undefined : body);
}

/** Answers with content; a `HEAD` gets the headers only. Headers must hold the length. */
export async function answerBytes(
  exchange: Exchange,
  status: number,
  options: { readonly headers: Headers; readonly open: () => Bytes },
): Promise<void> {
  writeHead(exchange, status, options.headers);
  if (exchange.request.method === "HEAD") {
    exchange.response.end();
    return;
  }
  await pipeline(
    Readable.from(options.open(), { objectMode: false, highWaterMark: 1 << 20 }),
    exchange.response,
    { signal: exchange.signal },
  );
}

/** The body of a request. Ends with a Fault when the client sends another length than it announced. */
export async function* bodyOf(
  exchange: Exchange,
  maxBytes: number = Number.MAX_SAFE_INTEGER,
): AsyncGenerator<Uint8Array, void, undefined> {
  const announced = announcedLength(exchange);
  if (announced !== undefined && announced > maxBytes) throw tooLarge(maxBytes);
  let size = 0;
  for await (const chunk of exchange.request as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    yield chunk;
  }
  if (announced !== undefined && size !== announced)
    throw new Fault(400, "SIZE_INVALID", {
      message: `got ${size} bytes, but the length was announced as ${announced}`,
    });
}

/** Bytes that the client says it sends, if it says so. */
export function announcedLength(exchange: Exchange): number | undefined {
  const text = exchange.request.headers["content-length"];
  return text === undefined ? undefined : Number(text);
}

/** The path of a page or blob of this registry, relative to its root, as `Location` and `Link` carry it. */
export function pathOf(name: string, rest: string): string {
  return `/v2/${name}/${rest}`;
}

/** The `Link` to the next page. */
export function nextLink(path: string, query: Readonly<Record<string, string>>): Headers {
  return { Link: `<${path}?${new URLSearchParams(query).toString()}>; rel="next"` };
}

/** Reads `n`, the size of a page that the client wants. @throws Fault with status 400. */
export function pageSizeOf(exchange: Exchange, largest: number): number {
  const text = exchange.query.get("n");
  if (text === null) return largest;
  if (!/^\d{1,9}$/.test(text))
    throw new Fault(400, "UNSUPPORTED", { message: `"${text}" is no number of entries` });
  return Math.min(Number(text), largest);
}

/** @throws Fault `UNSUPPORTED` when the registry does not take writes. */
export function requireWritable(context: Context): void {
  if (context.isReadOnly)
    throw new Fault(405, "UNSUPPORTED", { message: "this registry is read-only" });
}

function writeHead(exchange: Exchange, status: number, headers: Headers): void {
  exchange.response.writeHead(status, headers as Record<string, string | number | string[]>);
}

function tooLarge(maxBytes: number): Fault {
  return new Fault(413, "SIZE_INVALID", { message: `the body is larger than ${maxBytes} bytes` });
}
