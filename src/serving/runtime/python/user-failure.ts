import { stripControls } from "../../../ground/errors/index.ts";
import type { UserFailure } from "../../plane/index.ts";

/** Reads an ERROR frame's JSON; whatever is missing or of the wrong type gets a safe value. */
export function parseUserFailure(text: string): UserFailure {
  const value = parseObject(text);
  const response = responseOf(value["response"]);
  return {
    type: textOr(value["type"], "Exception"),
    message: textOr(value["message"], ""),
    status: numberOf(value["status"], 500),
    reason: textOr(value["reason"], "MICROSERVICE_INTERNAL_ERROR"),
    isRefusal: value["isRefusal"] === true,
    traceback: textOr(value["traceback"], ""),
    ...(typeof value["messageJson"] === "string" && { messageJson: value["messageJson"] }),
    ...(typeof value["reasonJson"] === "string" && { reasonJson: value["reasonJson"] }),
    ...(response !== undefined && { response }),
    ...lacksOf(value["lacks"]),
  };
}

function lacksOf(value: unknown): Pick<UserFailure, "lacks"> {
  if (typeof value !== "object" || value === null) return {};
  const { module, attribute } = value as Record<string, unknown>; // checked: an object
  if (typeof module !== "string") return {};
  return { lacks: { module, ...(typeof attribute === "string" && { attribute }) } };
}

/** One line that says what was raised, without control characters. */
export function lineOf(failure: UserFailure): string {
  const message = stripControls(failure.message).trim();
  return message === "" ? failure.type : `${failure.type}: ${message.slice(0, 2000)}`;
}

/** The JSON object in `text`, or an empty one. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {}; // checked: an object
  } catch {
    return {}; // a worker that is gone mad; the caller sees defaults and the log has the rest
  }
}

function responseOf(value: unknown): UserFailure["response"] | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { status, contentType, body } = value as Record<string, unknown>; // checked: an object
  return {
    status: numberOf(status, 500),
    contentType: textOr(contentType, "text/html"),
    body: Buffer.from(textOr(body, ""), "base64"),
  };
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
}
