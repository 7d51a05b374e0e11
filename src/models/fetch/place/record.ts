import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { noFile, writeFileAtomic } from "../../../ground/process/index.ts";

/** Folder below the models that is ours. */
export const STATE_FOLDER = ".slipway";
const RECORD_FILE = "fetched.json";

/** What was fetched into a folder of models. */
export interface FetchRecord {
  /** Hash of what was asked for. */
  readonly source: string;
  /** Hash of what it turned out to be. */
  readonly key: string;
  /** Where it came from, for people, without secrets. */
  readonly label: string;
  /** Names at the top of the folder that were put there. */
  readonly names: readonly string[];
  /** False while files are being moved: nothing there is to be trusted. */
  readonly isWhole: boolean;
}

/** The record of a folder of models; nothing when there is none that can be read. */
export async function readRecord(folder: string): Promise<FetchRecord | undefined> {
  const text = await readFile(join(folder, STATE_FOLDER, RECORD_FILE), "utf8").catch(noFile);
  if (text === undefined) return undefined;
  try {
    return parseRecord(JSON.parse(text) as unknown);
  } catch {
    return undefined; // as good as none: the model is fetched again
  }
}

/** True when all that was put there still is. */
export async function isStillThere(
  folder: string,
  { names, isWhole }: FetchRecord,
): Promise<boolean> {
  if (!isWhole || names.length === 0) return false;
  const found = await Promise.all(
    names.map((name) =>
      access(join(folder, name)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return !found.includes(false);
}

/** Replaces the record in one step. @throws ToolError `STORE_UNWRITABLE`, `DISK_FULL` */
export async function writeRecord(folder: string, record: FetchRecord): Promise<void> {
  const text = `${JSON.stringify({ version: 1, ...record }, null, 2)}\n`;
  await writeFileAtomic(join(folder, STATE_FOLDER, RECORD_FILE), text, { sync: true });
}

/** @throws TypeError */
function parseRecord(value: unknown): FetchRecord {
  if (typeof value !== "object" || value === null) throw new TypeError("it is no object");
  const { source, key, label, names, isWhole } = value as Readonly<Record<string, unknown>>;
  const isList =
    Array.isArray(names) && names.every((name) => typeof name === "string" && isPlain(name));
  const areTexts =
    typeof source === "string" && typeof key === "string" && typeof label === "string";
  if (!areTexts || !isList || typeof isWhole !== "boolean") throw new TypeError("it is no record");
  return { source, key, label, names, isWhole };
}

function isPlain(name: string): boolean {
  return (
    name !== "" && name !== "." && name !== ".." && !name.includes("/") && !name.includes("\0")
  );
}
