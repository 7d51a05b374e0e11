import { InferenceError } from "../../../ground/errors/index.ts";
import { stringText, type JsonStyle } from "../json/index.ts";

/** Reasons that clients of the Seldon wrapper know. */
export type SeldonReason =
  | "MICROSERVICE_BAD_DATA"
  | "MICROSERVICE_INTERNAL_ERROR"
  | "MICROSERVICE_BAD_METRIC"
  | "MICROSERVICE_BAD_METADATA";

/** A refusal with the status, text and reason that the Seldon wrapper gives it. */
export class SeldonError extends InferenceError {
  /** HTTP status. */
  readonly status: number;
  readonly reason: SeldonReason;
  /** The text for the client. */
  readonly info: string;

  constructor(status: number, info: string, reason: SeldonReason) {
    super("REQUEST_INVALID", `read the request: ${info}`);
    this.status = status;
    this.info = info;
    this.reason = reason;
  }
}

/** A request that the wrapper refuses on purpose: 400. */
export function badData(info: string): SeldonError {
  return new SeldonError(400, info, "MICROSERVICE_BAD_DATA");
}

/** A request on which the wrapper fails with Python's own text: 500. Clients depend on the status, so it stays. */
export function badInput(info: string): SeldonError {
  return new SeldonError(500, info, "MICROSERVICE_INTERNAL_ERROR");
}

/** The request carried no JSON, or something that only looks like it. */
export function noJson(): SeldonError {
  return badData("Can't find JSON in data");
}

/** What an error answer says; info and reason as JSON text where they are no text. */
export interface ErrorParts {
  readonly info: string;
  readonly reason: string;
  readonly infoJson?: string;
  readonly reasonJson?: string;
}

/** The body of an error answer. `code` is always -1; the real one is the HTTP status. */
export function errorText(
  { info, reason, infoJson, reasonJson }: ErrorParts,
  { asciiOnly, sortKeys }: JsonStyle,
): string {
  const [infoText, reasonText] = [
    infoJson ?? stringText(info, asciiOnly),
    reasonJson ?? stringText(reason, asciiOnly),
  ];
  return sortKeys
    ? `{"status":{"code":-1,"info":${infoText},"reason":${reasonText},"status":1}}`
    : `{"status":{"status":1,"info":${infoText},"code":-1,"reason":${reasonText}}}`;
}
