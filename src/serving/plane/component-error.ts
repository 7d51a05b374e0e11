import { InferenceError, type ErrorCode } from "../../ground/errors/index.ts";

/** What user code raised, as plain data. */
export interface UserFailure {
  /** Name of the exception's class. */
  readonly type: string;
  readonly message: string;
  /** HTTP status that Seldon's contract gives it: that of a SeldonMicroserviceException, else 500. */
  readonly status: number;
  /** Seldon's reason, such as `MICROSERVICE_BAD_DATA`. */
  readonly reason: string;
  /** Message and reason as JSON text, where user code gave something else than text. */
  readonly messageJson?: string;
  readonly reasonJson?: string;
  /** True for a SeldonMicroserviceException, that is, for a refusal on purpose. */
  readonly isRefusal: boolean;
  /** Multi-line, with the user's frames only; for logs, never for clients. */
  readonly traceback: string;
  /** What was looked for in vain: a module, or an attribute of one. */
  readonly lacks?: { readonly module: string; readonly attribute?: string };
  /** The answer of the user's own error handler, to be sent as it is. */
  readonly response?: {
    readonly status: number;
    readonly contentType: string;
    readonly body: Uint8Array;
  };
}

/** User code raised an exception. `REQUEST_INVALID` for a refusal with a 4xx status, else `MODEL_FAILED` or `MODEL_LOAD_FAILED`. */
export class ComponentError extends InferenceError {
  readonly failure: UserFailure;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly model: string; readonly failure: UserFailure; readonly hint?: string },
  ) {
    super(code, message, options);
    this.failure = options.failure;
  }
}
