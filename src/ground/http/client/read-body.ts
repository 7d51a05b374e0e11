import type { IncomingMessage } from "node:http";
import { explainNetworkError } from "./network-error.ts";
import type { HttpRequest, HttpResponse } from "./http-message.ts";
import type { LongConnection } from "./long-connection.ts";
import type { Watch } from "./watch.ts";

/** Bodies up to this length are read to their end so that the connection can be used again. */
const DISCARD_BYTES = 65_536;

/** What belongs to an answer besides its head. */
export interface AnswerContext {
  readonly request: HttpRequest;
  readonly watch: Watch;
  readonly idleMs: number;
  /** The connection, where the body may be taken past Node's client. */
  readonly long: LongConnection | undefined;
  /** Called once when the body is done with, read or not. */
  readonly onDone: () => void;
  /** Why the request was ended, when it was we who ended it. */
  readonly reasonFor: (error: unknown) => unknown;
}

/** Wraps Node's message. The watch runs only while a byte is being waited for, not while the reader is busy. */
export function responseOf(incoming: IncomingMessage, context: AnswerContext): HttpResponse {
  const { long } = context;
  const small = (): AsyncGenerator<Uint8Array, void, undefined> => {
    long?.pass();
    return readBody(incoming, incoming[Symbol.asyncIterator](), context);
  };
  const body = (): AsyncGenerator<Uint8Array, void, undefined> => {
    const size = statedLength(incoming);
    if (long === undefined || size === undefined) return small();
    incoming.on("error", () => undefined); // it never has its body
    return readBody(incoming, long.take(size), context);
  };
  return {
    method: context.request.method,
    url: context.request.url,
    status: incoming.statusCode ?? 0,
    header: (name) => headersOf(incoming, name)[0],
    headers: (name) => headersOf(incoming, name),
    body,
    readBytes: (maxBytes) => readAtMost(small(), maxBytes),
    async discard() {
      // A broken connection has nothing to be kept for.
      await readAtMost(small(), DISCARD_BYTES).catch(() => undefined);
    },
    async drop() {
      incoming.destroy();
      context.onDone();
    },
  };
}

/** The length of a body that is nothing but these bytes. @see RFC 9112, 6.3 */
function statedLength({ headers, statusCode }: IncomingMessage): number | undefined {
  const size = Number(headers["content-length"] ?? Number.NaN);
  const isPlain = headers["transfer-encoding"] === undefined && Number.isSafeInteger(size);
  return isPlain && (statusCode === 200 || statusCode === 206) ? size : undefined;
}

async function* readBody(
  incoming: IncomingMessage,
  chunks: AsyncIterator<Uint8Array>,
  context: AnswerContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { request, watch } = context;
  try {
    for (;;) {
      watch.expect("no byte of the answer came", context.idleMs);
      const { value, done } = await chunks.next();
      watch.rest();
      if (done === true) return;
      yield value;
    }
  } catch (error) {
    throw explainNetworkError(context.reasonFor(error), request);
  } finally {
    watch.rest();
    if (context.long !== undefined) await chunks.return?.();
    if (!incoming.complete) incoming.destroy();
    context.onDone();
  }
}

async function readAtMost(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of body) {
    chunks.push(chunk.subarray(0, maxBytes - total));
    total += chunk.byteLength;
    if (total > maxBytes) break;
  }
  return Buffer.concat(chunks);
}

function headersOf(incoming: IncomingMessage, name: string): readonly string[] {
  return incoming.headersDistinct[name] ?? [];
}
