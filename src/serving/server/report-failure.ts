import { factsOf, isToolError } from "../../ground/errors/index.ts";
import { ComponentError } from "../plane/index.ts";
import { createLogger } from "./log/index.ts";
import type { EntryOptions } from "./run-entry.ts";

/** Says why a server did not start, or ended, with the traceback where user code raised. Gives the exit code. */
export function reportFailure(error: unknown, print: EntryOptions["print"]): number {
  if (error instanceof ComponentError) print(`${error.failure.traceback.trimEnd()}\n`);
  const log = createLogger();
  if (isToolError(error)) log.fatal({ code: error.code, hint: error.hint }, error.message);
  else log.fatal({ err: error }, "a bug in slipway: please report it");
  return factsOf(error).exit;
}
