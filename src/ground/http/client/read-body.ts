import type { IncomingMessage } from "node:http";
import { explainNetworkError } from "./network-error.ts";
import type { HttpRequest, HttpResponse } from "./http-message.ts";
import type { Watch } from "./watch.ts";

/** Bodies up to this length are read to their end so that the connection can be used again. */
const DISCARD_BYTES = 65_536;

/** What belongs to an answer besides its head. */
export interface AnswerContext {
  readonly request: HttpRequest;
  readonly watch: Watch;
  readonly idleMs: number;
  /** Called once when the body is done with, read or not. */
  readonly onDone: () => void;
  /** Why the request was ended, when it was we who ended it. */
  readonly reasonFor: (error: unknown) => unknown;
}

/** Wraps Node's message. The watch runs only while a byte is being waited for, not while the reader is busy. */
export function responseOf(incoming: IncomingMessage, context: AnswerContext): HttpResponse {
  const body = (): AsyncGenerator<Uint8Array, void, undefined> => readBody(incoming, context);
  return {
    method: context.request.method,
    url: context.request.url,
    status: incoming.statusCode ?? 0,
    header: (name) => headersOf(incoming, name)[0],
    headers: (name) => headersOf(incoming, name),
    body,
    readBytes: (maxBytes) => readAtMost(body(), maxBytes),
    async discard() {
      // A broken connection has nothing to be kept for.
      await readAtMost(body(), DISCARD_BYTES).catch(() => undefined);
    },
    async drop() {
      incoming.destroy();
      context.onDone();
    },
  };
}

async function* readBody(
  incoming: IncomingMessage,
  context: AnswerContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { request, watch } = context;
  try {
    const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
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
