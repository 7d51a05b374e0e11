import { open } from "node:fs/promises";
import { join } from "node:path";
import { withoutChosen } from "../python/declared-packages.ts";
import type { CheckedJob } from "./packdocker-check.ts";

/** The last releases that read the binary files of old ones. @see XGBoost 3.1, release notes */
const READS_BINARY = "<3.1";
/** JSON and UBJSON both begin with an object. */
const OBJECT = "{".charCodeAt(0);

/**
 * What a row of the catalogue installs for a folder: what the folder's own requirements choose is left to them, and an old binary
 * file of XGBoost gets a release that reads it.
 * @param own - lines of the folder's own requirements
 */
export async function rowRequirements(
  lines: readonly string[],
  { job, folder, modelFiles }: Pick<CheckedJob, "job" | "folder" | "modelFiles">,
  own: readonly string[],
): Promise<readonly string[]> {
  const left = withoutChosen(lines, own);
  const [model] = modelFiles;
  if (job.framework !== "xgboost" || model === undefined || !(await isBinary(join(folder, model))))
    return left;
  return left.map((line) => (/^xgboost(?:-cpu)?$/.test(line) ? `${line}${READS_BINARY}` : line));
}

async function isBinary(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, 0);
  return bytesRead === 1 && buffer[0] !== OBJECT;
}
