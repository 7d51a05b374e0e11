import { existsSync } from "node:fs";
import { join } from "node:path";
import { InferenceError } from "../../../ground/errors/index.ts";

/**
 * Where a thread's file lies: sources, compiled files and the bundle of images name it with different endings.
 * @throws InferenceError `RUNTIME_MISSING`
 */
export function threadFile(folder: string, file: string): string {
  const found = [".ts", ".js", ".mjs"]
    .map((ending) => join(folder, `${file}${ending}`))
    .find((path) => existsSync(path));
  if (found === undefined)
    throw new InferenceError("RUNTIME_MISSING", `start a thread: "${file}" is not in "${folder}"`);
  return found;
}
