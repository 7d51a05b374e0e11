import {
  redactUrl,
  RegistryError,
  stripControls,
  type ErrorCode,
  type RegistryDiagnostic,
} from "../../../ground/errors/index.ts";
import { errorCodeOf, retryAfterOf, type HttpResponse } from "../../../ground/http/index.ts";

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
  if (said.has("TOOMANYREQUESTS") && ![401, 403, 404].includes(status)) return "REGISTRY_THROTTLED";
  const code = errorCodeOf(status, context.notFound);
  if (code !== "REGISTRY_REFUSED" || status === 404) return code;
  if (said.has("DIGEST_INVALID")) return "DIGEST_MISMATCH";
  return said.has("SIZE_INVALID") ? "SIZE_MISMATCH" : code;
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
