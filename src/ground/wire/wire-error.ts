import { ToolError } from "../errors/index.ts";

/** Bytes that are not a protobuf message of the expected kind. Code `REQUEST_INVALID`; who reads a file throws its own error and names the file. */
export class WireError extends ToolError {
  /** What is wrong, without a full stop: `it ends too early`. */
  readonly why: string;

  /** @param why - what is wrong, without a full stop */
  constructor(why: string, options: ErrorOptions = {}) {
    super("REQUEST_INVALID", `read the protobuf message: ${why}`, options);
    this.why = why;
  }
}
