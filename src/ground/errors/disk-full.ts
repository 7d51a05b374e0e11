import { ToolError } from "./tool-error.ts";

/**
 * Turns the system's "no space left" into our own code; other errors come back as they are.
 * @param place - the folder or file that was written to, where the error does not name it
 */
export function explainFullDisk(error: unknown, place: string): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  if (error.code !== "ENOSPC" && error.code !== "EDQUOT") return error;
  const path = "path" in error && typeof error.path === "string" ? error.path : place;
  return new ToolError("DISK_FULL", `write "${path}": no space left on the device`, {
    cause: error,
    hint: "free some space, run `slipway gc`, or choose another place with XDG_DATA_HOME, XDG_CACHE_HOME and TMPDIR",
  });
}
