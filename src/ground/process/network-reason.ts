const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "the connection timed out",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "the network cannot be reached",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name cannot be looked up now",
};

const CERTIFICATE =
  /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|HOSTNAME_MISMATCH)/;

/** What a failed connection came to. A host with several addresses fails once for each: the first counts. */
export interface NetworkReason {
  /** Of Node or OpenSSL; may be empty. */
  readonly code: string;
  readonly message: string;
  /** For people; absent where only the message tells. */
  readonly why?: string;
  /** True when the other end's certificate is the reason. */
  readonly isUntrusted: boolean;
}

/** Reads the error of a request that had no answer. */
export function networkReason(error: unknown): NetworkReason {
  const first: unknown =
    error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const { code = "", message } =
    first instanceof Error ? (first as NodeJS.ErrnoException) : { message: String(first) };
  const why = REASONS[code] ?? (code.startsWith("HPE_") ? "the answer is not HTTP" : undefined);
  return { code, message, ...(why !== undefined && { why }), isUntrusted: CERTIFICATE.test(code) };
}
