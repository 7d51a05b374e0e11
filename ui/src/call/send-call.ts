import type { Call } from "../../../src/serving/calls/index.ts";
import { askServer } from "../ask-server.ts";

/** What came back. */
export interface Answer {
  /** HTTP status; 0 when nobody answered. */
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** From sending to the last byte, in ms. */
  readonly ms: number;
}

/** Sends a call; a server that does not answer is an answer of status 0 that says so. */
export async function sendCall(
  { path, contentType, body }: Call,
  signal: AbortSignal,
): Promise<Answer> {
  const startedAt = performance.now();
  try {
    const response = await askServer(path, {
      method: "POST",
      headers: { "Content-Type": contentType },
      body,
      signal,
    });
    const text = await response.text();
    return {
      ...{ status: response.status, text, ms: performance.now() - startedAt },
      contentType: response.headers.get("content-type") ?? "",
    };
  } catch (error) {
    signal.throwIfAborted();
    const text = error instanceof Error ? error.message : String(error);
    return { status: 0, contentType: "", text, ms: performance.now() - startedAt };
  }
}
