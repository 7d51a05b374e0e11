import { ToolError } from "../ground/errors/index.ts";

/** The user's own script failed: its exit code becomes the command's. */
export class ScriptError extends ToolError {
  /** 1 to 255. */
  readonly exitCode: number;

  constructor(
    message: string,
    { exitCode, hint }: { readonly exitCode: number; readonly hint: string },
  ) {
    super("PROCESS_FAILED", message, { hint });
    this.exitCode = exitCode;
  }
}
