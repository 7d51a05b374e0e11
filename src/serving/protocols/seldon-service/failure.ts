import {
  factsOf,
  InferenceError,
  isToolError,
  stripControls,
  type ToolError,
} from "../../../ground/errors/index.ts";
import { SeldonError } from "../seldon/index.ts";
import { ComponentError } from "../../plane/index.ts";

/** An error in the terms of the Seldon contract. */
export interface Failure {
  readonly status: number;
  readonly info: string;
  readonly reason: string;
  /** Both as JSON text, where user code gave something else than text. */
  readonly infoJson?: string;
  readonly reasonJson?: string;
  /** Seconds after which the same request may be tried again. */
  readonly retryAfterSeconds?: number;
  /** The answer of the user's own error handler; it goes out as it is. */
  readonly response?: {
    readonly status: number;
    readonly contentType: string;
    readonly body: Uint8Array;
  };
  /** True when this is nobody's fault but ours: it belongs into the log with its stack. */
  readonly isBug: boolean;
}

const BAD_DATA = "MICROSERVICE_BAD_DATA";
const INTERNAL = "MICROSERVICE_INTERNAL_ERROR";

/** What to tell a client about an error. The text of user code's exceptions goes out, as in the wrapper; that of our own bugs does not. */
export function failureOf(error: unknown, retryAfterSeconds: number): Failure {
  if (error instanceof SeldonError)
    return { status: error.status, info: error.info, reason: error.reason, isBug: false };
  if (error instanceof ComponentError) {
    const { status, message, reason, messageJson, reasonJson, response } = error.failure;
    return {
      status,
      info: message,
      reason,
      isBug: false,
      ...(messageJson !== undefined && { infoJson: messageJson }),
      ...(reasonJson !== undefined && { reasonJson }),
      ...(response !== undefined && { response }),
    };
  }
  if (!isToolError(error))
    return { status: 500, info: "internal error", reason: INTERNAL, isBug: true };
  const { http, retryable } = factsOf(error);
  return {
    status: http,
    info: stripControls(error.message),
    reason: http < 500 ? BAD_DATA : INTERNAL,
    isBug: false,
    ...(retryable &&
      (http === 429 || http === 503) && {
        retryAfterSeconds: ownSeconds(error) ?? retryAfterSeconds,
      }),
  };
}

/** What the error itself says about when to try again. */
function ownSeconds(error: ToolError): number | undefined {
  return error instanceof InferenceError ? error.retryAfterSeconds : undefined;
}
