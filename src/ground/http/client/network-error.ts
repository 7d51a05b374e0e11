import {
  isToolError,
  redactUrl,
  RegistryError,
  stripControls,
  type ErrorCode,
} from "../../errors/index.ts";
import { networkReason } from "../../process/index.ts";
import type { HttpRequest } from "./http-message.ts";

const NOT_TLS = /wrong version number|packet length too long|http request/i;

/** Turns a failure of the network into ours. Errors of ours and reasons of an abort come back as they are. */
export function explainNetworkError(
  error: unknown,
  request: Pick<HttpRequest, "action" | "method" | "url" | "signal">,
): unknown {
  if (isToolError(error) || (request.signal?.aborted === true && error === request.signal.reason))
    return error;
  const { message, isUntrusted, why = clean(message) } = networkReason(error);
  const host = request.url.host;
  if (isUntrusted) {
    return failure(request, {
      code: "INSECURE_REFUSED",
      why: `the certificate of "${host}" is not trusted: ${clean(message)}`,
      hint: "give its authority's certificate with --ca-file or SSL_CERT_FILE",
      cause: error,
    });
  }
  if (NOT_TLS.test(message)) {
    return failure(request, {
      code: "INSECURE_REFUSED",
      why: `"${host}" does not speak HTTPS`,
      hint: "use --plain-http if you trust the network",
      cause: error,
    });
  }
  return failure(request, {
    code: "REGISTRY_UNREACHABLE",
    why: `cannot reach "${host}": ${why}`,
    hint: "check the host name, the network and the proxy settings",
    cause: error,
  });
}

/** No answer, or no byte of one, for too long. */
export function timeoutError(
  request: Pick<HttpRequest, "action" | "method" | "url">,
  why: string,
): RegistryError {
  return failure(request, {
    code: "TIMEOUT",
    why: `"${request.url.host}": ${why}`,
    hint: "try again; what was uploaded is kept where the registry allows it",
  });
}

function failure(
  request: Pick<HttpRequest, "action" | "method" | "url">,
  facts: {
    readonly code: ErrorCode;
    readonly why: string;
    readonly hint: string;
    readonly cause?: unknown;
  },
): RegistryError {
  return new RegistryError(facts.code, `${request.action}: ${facts.why}`, {
    action: request.action,
    method: request.method,
    url: redactUrl(request.url.href),
    hint: facts.hint,
    cause: facts.cause,
  });
}

function clean(message: string): string {
  return stripControls(message).slice(0, 200);
}
