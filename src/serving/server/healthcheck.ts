import { isToolError } from "../../ground/errors/index.ts";
import { createHttpClient } from "../../ground/http/index.ts";

export interface HealthcheckOptions {
  readonly port: number;
  readonly hasTls: boolean;
  /** Default 4000. */
  readonly timeoutMs?: number;
}

/** Asks the server on this machine whether it is ready; why not, or undefined when it is. */
export async function healthcheck({
  port,
  hasTls,
  timeoutMs = 4000,
}: HealthcheckOptions): Promise<string | undefined> {
  using client = createHttpClient({ allowAnyCertificate: true }); // its own certificate, on loopback
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await client.send({
      action: "ask the server",
      method: "GET",
      url: new URL(`${hasTls ? "https" : "http"}://127.0.0.1:${port}/ready`),
      signal,
    });
    await response.discard();
    return response.status === 200 ? undefined : `it answers ${response.status}`;
  } catch (error) {
    if (signal.aborted) return `no answer after ${timeoutMs} ms`;
    if (!isToolError(error)) throw error;
    return connectionFault(error.cause) ?? error.message;
  }
}

function connectionFault(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
}
