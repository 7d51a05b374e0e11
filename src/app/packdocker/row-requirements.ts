import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CheckedJob } from "./packdocker-check.ts";

/** Packages that put their files into one place: an image has one of them. */
const FAMILIES: readonly (readonly string[])[] = [
  ["tensorflow", "tensorflow-cpu", "intel-tensorflow", "tensorflow-gpu"],
  ["xgboost", "xgboost-cpu"],
  [
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
  ],
  ["onnxruntime", "onnxruntime-gpu"],
];

/** The last releases that read the binary files of old ones. @see XGBoost 3.1, release notes */
const READS_BINARY = "<3.1";
/** JSON and UBJSON both begin with an object. */
const OBJECT = "{".charCodeAt(0);

/**
 * What a row of the catalogue installs for a folder: what the folder's own requirements choose is left to them, and an old binary
 * file of XGBoost gets a release that reads it.
 */
export async function rowRequirements(
  lines: readonly string[],
  { job, folder, modelFiles }: Pick<CheckedJob, "job" | "folder" | "modelFiles">,
  requirementsFile: string | undefined,
): Promise<readonly string[]> {
  const chosen =
    requirementsFile === undefined ? [] : await namesIn(join(folder, requirementsFile));
  const left = lines.filter(
    (line) => !familyOf(nameOf(line)).some((name) => chosen.includes(name)),
  );
  const [model] = modelFiles;
  if (job.framework !== "xgboost" || model === undefined || !(await isBinary(join(folder, model))))
    return left;
  return left.map((line) => (/^xgboost(?:-cpu)?$/.test(line) ? `${line}${READS_BINARY}` : line));
}

function familyOf(name: string): readonly string[] {
  return FAMILIES.find((family) => family.includes(name)) ?? [name];
}

function nameOf(line: string): string {
  return (/^[\w.-]+/.exec(line.trim())?.[0] ?? "").toLowerCase().replaceAll(/[_.]+/g, "-");
}

async function namesIn(path: string): Promise<readonly string[]> {
  return (await readFile(path, "utf8")).split("\n").map(nameOf);
}

async function isBinary(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, 0);
  return bytesRead === 1 && buffer[0] !== OBJECT;
}
