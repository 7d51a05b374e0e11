import type { ErrorCode } from "../../ground/errors/index.ts";

/** One thing that `slipway doctor` looked at. */
export interface Check {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  /** What was found. Never a secret. */
  readonly detail: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Code of the error that a failed check ends the command with. Default `USAGE`. */
  readonly code?: ErrorCode;
}
