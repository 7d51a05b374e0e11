import type { HttpClient } from "../../../ground/http/index.ts";

/** One message to a collector. Nothing is followed and nothing is repeated. */
export interface Post {
  /** What is done, for errors. */
  readonly action: string;
  readonly url: URL;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** For the whole exchange. */
  readonly timeoutMs: number;
}

/** Posts and reads the answer's status; its body is let go of. @throws what `HttpClient.send` throws; the time-out's own error. */
export async function post(
  client: HttpClient,
  { action, url, headers, body, timeoutMs }: Post,
): Promise<{ readonly status: number }> {
  const response = await client.send({
    action,
    method: "POST",
    url,
    headers,
    body: { kind: "bytes", bytes: body },
    signal: AbortSignal.timeout(timeoutMs),
  });
  await response.discard();
  return { status: response.status };
}

/** True for 200 to 299. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Why a post failed, in the system's words where there are any. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== ""
    ? error.cause.message
    : error.message;
}
