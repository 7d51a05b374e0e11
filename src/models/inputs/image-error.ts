import { InferenceError, type ErrorCode } from "../../ground/errors/index.ts";

/** A picture that cannot be taken. */
export function imageError(
  why: string,
  { code = "REQUEST_INVALID", hint, cause }: ImageErrorOptions = {},
): InferenceError {
  return new InferenceError(code, `read the image: ${why}`, {
    ...(hint !== undefined && { hint }),
    ...(cause !== undefined && { cause }),
  });
}

export interface ImageErrorOptions {
  /** Default `REQUEST_INVALID`. */
  readonly code?: ErrorCode;
  readonly hint?: string;
  readonly cause?: unknown;
}
