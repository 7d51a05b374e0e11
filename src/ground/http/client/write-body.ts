import { once } from "node:events";
import type { ClientRequest } from "node:http";
import { ContentError } from "../../errors/index.ts";
import type { HttpBody } from "./http-message.ts";

const NOTHING: Uint8Array = new Uint8Array();

/** What a writer tells and hears while it works. */
export interface WriteControl {
  readonly action: string;
  /** Told whenever bytes have left for the system. */
  readonly onProgress: () => void;
  /** Aborted when the answer came early or the connection is gone: there is no one left to write to. */
  readonly stop: AbortSignal;
}

/**
 * Sends a body. The last chunk waits until the source has ended well: when the source fails at its
 * end, for instance by a wrong digest, the request stays incomplete and the server drops it.
 * @returns true when the whole body was sent, false when it was stopped.
 * @throws ContentError `SIZE_MISMATCH`; whatever the source throws.
 */
export async function writeBody(
  message: ClientRequest,
  body: HttpBody | undefined,
  control: WriteControl,
): Promise<boolean> {
  if (body === undefined || body.kind === "bytes") {
    message.end(body?.bytes);
    return true;
  }
  const sent = await writeStream(message, body, control);
  if (sent) message.end();
  return sent;
}

async function writeStream(
  message: ClientRequest,
  body: Extract<HttpBody, { readonly kind: "stream" }>,
  control: WriteControl,
): Promise<boolean> {
  let held = NOTHING;
  for await (const chunk of sized(body, control.action)) {
    if (control.stop.aborted) return false;
    await write(message, held, control);
    body.onSent?.(held.byteLength);
    held = chunk;
  }
  if (control.stop.aborted) return false;
  if (held.byteLength > 0) message.write(held);
  body.onSent?.(held.byteLength);
  return true;
}

/** The content, and nothing else when it has not as many bytes as it says. */
async function* sized(
  { content, size }: Extract<HttpBody, { readonly kind: "stream" }>,
  action: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let seen = 0;
  for await (const chunk of content) {
    seen += chunk.byteLength;
    if (size !== undefined && seen > size) throw sizeMismatch(action, seen, size);
    yield chunk;
  }
  if (size !== undefined && seen < size) throw sizeMismatch(action, seen, size);
}

async function write(
  message: ClientRequest,
  chunk: Uint8Array,
  control: WriteControl,
): Promise<void> {
  if (chunk.byteLength === 0 || control.stop.aborted) return;
  if (!message.write(chunk)) {
    // Stopping ends the wait; the loop looks at the signal next.
    await once(message, "drain", { signal: control.stop }).catch(() => undefined);
  }
  control.onProgress();
}

function sizeMismatch(action: string, got: number, want: number): ContentError {
  const way = got > want ? "more than" : "fewer than";
  return new ContentError(
    "SIZE_MISMATCH",
    `${action}: the content has ${way} the ${want} bytes that were promised`,
    { expected: String(want), actual: String(got), bytesRead: got },
  );
}
