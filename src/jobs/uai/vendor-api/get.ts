import { once } from "node:events";
import { request as httpRequest, type Agent, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

/** An answer read to its end. */
export interface HttpAnswer {
  readonly status: number;
  /** What `Retry-After` asked for, when it is in seconds. */
  readonly retryAfterMs: number | undefined;
  /** Absent when the body is longer than is read. */
  readonly bytes: Uint8Array | undefined;
}

const MAX_BYTES = 1024 * 1024;

/** One GET: nothing is followed, repeated or decompressed. Rejects with Node's error, or with an AbortError. */
export async function get(
  url: URL,
  { agent, signal }: { readonly agent: Agent; readonly signal: AbortSignal },
): Promise<HttpAnswer> {
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const message = send(url, {
    agent,
    signal,
    headers: { accept: "application/json", "accept-encoding": "identity", "user-agent": "slipway" },
  });
  message.on("error", ignore); // errors after the head come out of the body
  message.end();
  const [incoming] = (await once(message, "response")) as [IncomingMessage];
  incoming.on("error", ignore);
  const seconds = /^\d{1,6}$/.exec(incoming.headers["retry-after"]?.trim() ?? "")?.[0];
  return {
    status: incoming.statusCode ?? 0,
    retryAfterMs: seconds === undefined ? undefined : Number(seconds) * 1000,
    bytes: await readBody(incoming),
  };
}

async function readBody(incoming: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length > MAX_BYTES) return undefined; // leaving drops the connection
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function ignore(): void {
  // the error is thrown elsewhere
}
