import { ERROR_CODES, type CodeFacts, type ErrorCode } from "./codes.ts";

/** What every `ToolError` constructor takes beside code and message. */
export interface ToolErrorOptions extends ErrorOptions {
  /** One imperative sentence that says what to do; shown on a line of its own. */
  readonly hint?: string | undefined;
  /** What failed, where the message begins with it: whoever adds a place to a message looks here whether it has one. */
  readonly action?: string | undefined;
}

/**
 * The only error that users are meant to see. The message has the form `<what failed>: <why>`, lower case,
 * without a full stop, a stack or a secret; offending names stand in double quotes.
 */
export class ToolError extends Error {
  readonly code: ErrorCode;
  readonly hint?: string;
  /** What failed, where whoever made the error says so by itself. */
  readonly action?: string;

  constructor(code: ErrorCode, message: string, options: ToolErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.action !== undefined) this.action = options.action;
  }
}

/** True for errors of this package, also when two copies of it are loaded. */
export function isToolError(value: unknown): value is ToolError {
  return (
    value instanceof Error &&
    typeof (value as { code?: unknown }).code === "string" &&
    ((value as { code?: unknown }).code as string) in ERROR_CODES
  );
}

/** The table row of an error; anything that is not a `ToolError` counts as `INTERNAL`. */
export function factsOf(error: unknown): CodeFacts {
  return ERROR_CODES[isToolError(error) ? error.code : "INTERNAL"];
}

/** True when the same call may succeed later without a change. */
export function isRetryable(error: unknown): boolean {
  return isToolError(error) && ERROR_CODES[error.code].retryable;
}
