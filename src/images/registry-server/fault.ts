import { bound, isToolError, stripControls, type ErrorCode } from "../../ground/errors/index.ts";

/** The error codes of the protocol. @see distribution-spec, spec.md#error-codes */
export type FaultCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "SIZE_INVALID"
  | "DENIED"
  | "UNSUPPORTED"
  | "TOOMANYREQUESTS";

/** A refusal in the words of the protocol. Ends the request; never leaves this module. */
export class Fault extends Error {
  readonly status: number;
  readonly code: FaultCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: unknown;

  constructor(
    status: number,
    code: FaultCode,
    options: {
      readonly message: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly detail?: unknown;
      readonly cause?: unknown;
    },
  ) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.code = code;
    this.headers = options.headers ?? {};
    this.detail = options.detail;
  }
}

/** The body of a refusal. Names of the client are quoted back, so control characters go and the length is bound. */
export function faultBody(fault: Fault): string {
  const message = bound(stripControls(fault.message), 1000);
  return JSON.stringify({
    errors: [
      {
        code: fault.code,
        message,
        ...(fault.detail === undefined ? {} : { detail: fault.detail }),
      },
    ],
  });
}

const FAULTS: Partial<Readonly<Record<ErrorCode, readonly [number, FaultCode]>>> = {
  DIGEST_INVALID: [400, "DIGEST_INVALID"],
  DIGEST_MISMATCH: [500, "BLOB_UNKNOWN"],
  BLOB_NOT_FOUND: [404, "BLOB_UNKNOWN"],
  FILE_CHANGED: [404, "BLOB_UNKNOWN"],
  REFERENCE_NOT_FOUND: [404, "MANIFEST_UNKNOWN"],
  DISK_FULL: [507, "DENIED"],
  STORE_UNWRITABLE: [405, "UNSUPPORTED"],
  STORE_INVALID: [500, "UNSUPPORTED"],
};

/** Puts any error into the protocol's words; `undefined` for our own mistakes, of which a client learns nothing. */
export function toFault(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  if (!isToolError(error)) return undefined;
  const [status, code] = FAULTS[error.code] ?? [500, "UNSUPPORTED"];
  return new Fault(status, code, { message: error.message, cause: error });
}
