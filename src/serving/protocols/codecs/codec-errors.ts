import { InferenceError, isToolError, type ErrorCode } from "../../../ground/errors/index.ts";
import { WireError } from "../../../ground/wire/index.ts";
import { SeldonError, type SeldonReason } from "../seldon/index.ts";

/** An error as plain data, which loses nothing that an answer says. */
export type PostedError =
  | {
      readonly kind: "seldon";
      readonly status: number;
      readonly info: string;
      readonly reason: SeldonReason;
    }
  | {
      readonly kind: "tool";
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
      readonly model: string | undefined;
      readonly tensor: string | undefined;
      readonly expected: string | undefined;
      readonly actual: string | undefined;
    }
  | { readonly kind: "wire"; readonly why: string }
  | { readonly kind: "bug"; readonly message: string; readonly stack: string | undefined };

/** Makes an error ready to be sent to another thread. */
export function postError(error: unknown): PostedError {
  if (error instanceof SeldonError) {
    const { status, info, reason } = error;
    return { kind: "seldon", status, info, reason };
  }
  if (error instanceof WireError) return { kind: "wire", why: error.why };
  if (isToolError(error)) {
    const { code, message, hint } = error;
    const { model, tensor, expected, actual } =
      error instanceof InferenceError ? error : new InferenceError(code, message);
    return { kind: "tool", code, message, hint, model, tensor, expected, actual };
  }
  return error instanceof Error
    ? { kind: "bug", message: error.message, stack: error.stack }
    : { kind: "bug", message: String(error), stack: undefined };
}

/** The error that was sent. */
export function receiveError(posted: PostedError): Error {
  switch (posted.kind) {
    case "seldon":
      return new SeldonError(posted.status, posted.info, posted.reason);
    case "tool": {
      const { code, message, kind: _, ...options } = posted;
      return new InferenceError(code, message, options);
    }
    case "wire":
      return new WireError(posted.why);
    case "bug": {
      const error = new Error(posted.message);
      if (posted.stack !== undefined) error.stack = posted.stack;
      return error;
    }
    default:
      return posted satisfies never;
  }
}
