import type { UserFailure } from "../../plane/index.ts";

/** A refusal of the contract itself, in the words of the Seldon wrapper. */
export class ContractError extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(message: string, status = 400, reason = "MICROSERVICE_BAD_DATA") {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** The class whose instances carry a status, wherever user code has it from; known by its name, since nothing has to be imported for it. */
const REFUSAL = "SeldonMicroserviceException";

/** What user code threw, as plain data that passes between threads. */
export function failureOf(error: unknown): UserFailure {
  if (error instanceof ContractError)
    return {
      type: REFUSAL,
      message: error.message,
      status: error.status,
      reason: error.reason,
      isRefusal: true,
      traceback: "",
    };
  if (!(error instanceof Error))
    return {
      type: typeof error,
      message: String(error),
      status: 500,
      reason: "MICROSERVICE_INTERNAL_ERROR",
      isRefusal: false,
      traceback: "",
    };
  const isRefusal = error.name === REFUSAL || error.constructor.name === REFUSAL;
  const { statusCode, status, reason } = error as {
    statusCode?: unknown;
    status?: unknown;
    reason?: unknown;
  }; // of user code; looked at below
  const said = statusCode ?? status;
  return {
    type: error.name,
    message: error.message,
    status: !isRefusal ? 500 : typeof said === "number" && said >= 100 && said <= 599 ? said : 400,
    reason: !isRefusal
      ? "MICROSERVICE_INTERNAL_ERROR"
      : typeof reason === "string"
        ? reason
        : "MICROSERVICE_BAD_DATA",
    isRefusal,
    traceback: userFrames(error.stack ?? ""),
  };
}

/** The stack without our own frames and Node's. */
function userFrames(stack: string): string {
  return stack
    .split("\n")
    .filter((line) => !/^\s+at .*(node:|runtime\/js\/|js-thread\.)/.test(line))
    .join("\n");
}
