import { ToolError } from "../errors/index.ts";

/** Node's words for a file that is there and must not be read. */
const DENIED: ReadonlySet<string> = new Set(["EACCES", "EPERM"]);

/**
 * For `catch` behind a call of `node:fs`: undefined when the file or folder is not there. Everything else is thrown.
 * @throws ToolError `FILE_REFUSED` when it must not be read; Node's own error for the rest.
 */
export function noFile(error: unknown): undefined {
  const { code = "", path = "" } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  if (code === "ENOENT" || code === "ENOTDIR") return undefined;
  if (DENIED.has(code))
    throw new ToolError("FILE_REFUSED", `read "${path}": permission denied`, {
      cause: error,
      hint: "let this user read it, or run as one who may",
    });
  throw error;
}
