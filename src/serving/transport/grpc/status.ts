import type { GrpcStatus } from "../../../ground/errors/index.ts";

/** Numbers of the gRPC status names. @see https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
export const GRPC_STATUS: Readonly<Record<GrpcStatus | "OK", number>> = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
};

/** Longest message in a trailer; what is beyond belongs into the log. */
const MAX_MESSAGE_BYTES = 4096;
const PLAIN = /^[\x20-\x24\x26-\x7e]*$/;

/** A status message as it stands in the trailer `grpc-message`: percent-encoded UTF-8. */
export function messageText(message: string): string {
  if (message.length <= MAX_MESSAGE_BYTES && PLAIN.test(message)) return message;
  let text = "";
  for (const byte of Buffer.from(message, "utf8").subarray(0, MAX_MESSAGE_BYTES)) {
    text +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}

/** Why a call ends without an answer. */
export interface GrpcFailure {
  readonly status: GrpcStatus;
  readonly message: string;
  /** Further trailers: lower-case names; values are percent-encoded like the message. */
  readonly trailers?: Readonly<Record<string, string>>;
}

const UNITS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** The header `grpc-timeout` in ms; undefined when there is none, NaN when it is no timeout. */
export function timeoutMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const match = /^(\d{1,8})([HMSmun])$/.exec(header);
  return match === null ? Number.NaN : Number(match[1]) * (UNITS[match[2] ?? ""] ?? Number.NaN);
}
