import {
  redactUrl,
  RegistryError,
  stripControls,
  type ErrorCode,
  type RegistryDiagnostic,
} from "../../../ground/errors/index.ts";
import type { HttpResponse } from "../http/http-message.ts";

/** What an error says besides what the answer says. */
export interface FailureContext {
  /** `push "host/name:tag"`. */
  readonly action: string;
  /** What a 404 means here. Default `REGISTRY_REFUSED`. */
  readonly notFound?: ErrorCode | undefined;
  /** Said instead of the status for a 401 or 403, with what to do. */
  readonly denial?: { readonly why: string; readonly hint: string } | undefined;
}

const MAX_ERROR_BYTES = 65_536;
const MAX_DIAGNOSTICS = 10;
/** 499 is nginx's for a client that left, 522 Cloudflare's for an origin that did not answer. */
const UNAVAILABLE = new Set([408, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524]);

/**
 * Turns an answer that was not wanted into an error, reading at most 64 KiB of its body. Nothing of the body is shown but the
 * spec's codes and messages, stripped and bounded.
 */
export async function responseError(
  response: HttpResponse,
  context: FailureContext,
): Promise<RegistryError> {
  const diagnostics = parseDiagnostics(await readBody(response));
  const { status } = response;
  const code = codeOf(status, diagnostics, context);
  const isDenial = status === 401 || status === 403;
  const hint = isDenial ? context.denial?.hint : hintFor(status);
  return new RegistryError(
    code,
    `${context.action}: ${isDenial && context.denial !== undefined ? context.denial.why : reason(response, diagnostics)}`,
    {
      method: response.method,
      url: redactUrl(response.url.href),
      status,
      diagnostics,
      retryAfterMs: retryAfterOf(response.header("retry-after")),
      ...(hint === undefined ? {} : { hint }),
    },
  );
}

/** The registry broke the spec. */
export function protocolError(response: HttpResponse, action: string, why: string): RegistryError {
  return new RegistryError("REGISTRY_PROTOCOL", `${action}: "${response.url.host}" ${why}`, {
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

async function readBody(response: HttpResponse): Promise<Uint8Array> {
  // The status is what counts; a body that breaks off must not hide it.
  return response.readBytes(MAX_ERROR_BYTES).catch(() => new Uint8Array());
}

function codeOf(
  status: number,
  diagnostics: readonly RegistryDiagnostic[],
  context: FailureContext,
): ErrorCode {
  const said = new Set(diagnostics.map((entry) => entry.code));
  if (status === 401) return "REGISTRY_UNAUTHORIZED";
  if (status === 403) return "REGISTRY_DENIED";
  if (status === 404) return context.notFound ?? "REGISTRY_REFUSED";
  if (status === 429 || said.has("TOOMANYREQUESTS")) return "REGISTRY_THROTTLED";
  if (UNAVAILABLE.has(status)) return "REGISTRY_UNAVAILABLE";
  if (said.has("DIGEST_INVALID")) return "DIGEST_MISMATCH";
  if (said.has("SIZE_INVALID")) return "SIZE_MISMATCH";
  return status >= 400 ? "REGISTRY_REFUSED" : "REGISTRY_PROTOCOL";
}

function reason(response: HttpResponse, diagnostics: readonly RegistryDiagnostic[]): string {
  const text = diagnostics.map((entry) => entry.message || entry.code).join("; ");
  return `"${response.url.host}" answered ${response.status}${text === "" ? "" : `: ${text}`}`;
}

function hintFor(status: number): string | undefined {
  if (status === 413)
    return "the registry or a proxy before it limits the size of a request; set a chunk size below that limit";
  if (status === 429) return "wait, or log in for a larger quota";
  return undefined;
}

/** @see distribution-spec, spec.md#error-codes */
function parseDiagnostics(bytes: Uint8Array): readonly RegistryDiagnostic[] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return []; // a proxy's page, or nothing
  }
  const errors =
    typeof value === "object" && value !== null && "errors" in value ? value.errors : undefined;
  if (!Array.isArray(errors)) return [];
  return errors.slice(0, MAX_DIAGNOSTICS).flatMap((entry: unknown) => {
    if (typeof entry !== "object" || entry === null) return [];
    const code = "code" in entry && typeof entry.code === "string" ? entry.code : "UNKNOWN";
    const message = "message" in entry && typeof entry.message === "string" ? entry.message : "";
    return [{ code: clean(code, 60), message: clean(message, 300) }];
  });
}

function clean(text: string, maxLength: number): string {
  return stripControls(text)
    .replaceAll(/https?:\/\/[^\s"'<>]+/g, (url) => redactUrl(url))
    .slice(0, maxLength);
}
