import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

export interface HealthcheckOptions {
  readonly port: number;
  readonly hasTls: boolean;
  /** Default 4000. */
  readonly timeoutMs?: number;
}

/** Asks the server on this machine whether it is ready; why not, or undefined when it is. */
export function healthcheck({
  port,
  hasTls,
  timeoutMs = 4000,
}: HealthcheckOptions): Promise<string | undefined> {
  const target = {
    host: "127.0.0.1",
    port,
    path: "/ready",
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
  };
  return new Promise((resolve) => {
    const asked = hasTls
      ? httpsRequest({ ...target, rejectUnauthorized: false })
      : httpRequest(target); // its own certificate, on loopback
    asked.on("response", (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? undefined : `it answers ${response.statusCode}`);
    });
    asked.on("error", (error: NodeJS.ErrnoException) =>
      resolve(
        error.name === "AbortError" || error.name === "TimeoutError"
          ? `no answer after ${timeoutMs} ms`
          : (error.code ?? error.message),
      ),
    );
    asked.end();
  });
}
