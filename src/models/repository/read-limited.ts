import { readFile, stat } from "node:fs/promises";
import { ProjectError } from "../../ground/errors/index.ts";
import { noFile } from "../../ground/process/index.ts";

const MAX_BYTES = 4 * 2 ** 20;

/** The text of a small file; undefined where there is none. @throws ProjectError `PROJECT_INVALID` for one above 4 MiB */
export async function readSmallFile(path: string): Promise<string | undefined> {
  const about = await stat(path).catch(noFile);
  if (about?.isFile() !== true) return undefined;
  if (about.size > MAX_BYTES)
    throw new ProjectError(
      "PROJECT_INVALID",
      `read "${path}": it is longer than ${MAX_BYTES} bytes`,
      {
        file: path,
      },
    );
  return readFile(path, "utf8");
}

/** The text as a JSON object. @throws ProjectError `PROJECT_INVALID` */
export function parseJsonObject(text: string, file: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ProjectError("PROJECT_INVALID", `read "${file}": it is not JSON`, {
      file,
      cause: error,
    });
  }
  if (isFields(value)) return value;
  throw new ProjectError("PROJECT_INVALID", `read "${file}": it is no JSON object`, { file });
}

/** True for an object of JSON or YAML. */
export function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
