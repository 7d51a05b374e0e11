import { InferenceError } from "../../../ground/errors/index.ts";

/** Bytes that are no message of the expected kind. */
export class WireError extends InferenceError {
  /** @param why - what is wrong, without a full stop */
  constructor(why: string) {
    super("REQUEST_INVALID", `read the protobuf message: ${why}`);
  }
}
