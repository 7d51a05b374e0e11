import { redactUrl, RegistryError, type ErrorCode } from "../../errors/index.ts";
import type { HttpResponse } from "./http-message.ts";

/** 499: the client left (nginx). 522: the origin did not answer (Cloudflare). */
const UNAVAILABLE = new Set([408, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524]);

/** The error code of a status that was not wanted. @param notFound - what a 404 means here */
export function errorCodeOf(status: number, notFound: ErrorCode = "REGISTRY_REFUSED"): ErrorCode {
  if (status === 401) return "REGISTRY_UNAUTHORIZED";
  if (status === 403) return "REGISTRY_DENIED";
  if (status === 404) return notFound;
  if (status === 429) return "REGISTRY_THROTTLED";
  if (UNAVAILABLE.has(status)) return "REGISTRY_UNAVAILABLE";
  return status >= 400 ? "REGISTRY_REFUSED" : "REGISTRY_PROTOCOL";
}

/** The server broke the rules of its protocol. @param why - goes on after the host: `gave no usable Location` */
export function protocolError(response: HttpResponse, action: string, why: string): RegistryError {
  return new RegistryError("REGISTRY_PROTOCOL", `${action}: "${response.url.host}" ${why}`, {
    action,
    method: response.method,
    url: redactUrl(response.url.href),
    status: response.status,
  });
}

/** Milliseconds that `Retry-After` asks for, as seconds or as a date. @see RFC 9110, 10.2.3 */
export function retryAfterOf(
  value: string | undefined,
  now: number = Date.now(),
): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
