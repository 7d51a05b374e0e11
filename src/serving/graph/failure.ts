import { isToolError, stripControls } from "../../ground/errors/index.ts";
import type { GraphAnswer } from "./contracts.ts";

/** The executor's own words about a failure. */
export function failureAnswer(info: string, status = 500): GraphAnswer {
  const text = { status: { code: 500, info, status: "FAILURE" } };
  return {
    status,
    contentType: "application/json",
    body: Buffer.from(JSON.stringify(text)),
  };
}

/** What clients are told when a node did not answer. The text of our own bugs stays here. */
export function unansweredAnswer(error: unknown): GraphAnswer {
  return failureAnswer(isToolError(error) ? stripControls(error.message) : "internal error");
}
