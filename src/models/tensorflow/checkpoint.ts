import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { ProjectError } from "../../ground/errors/index.ts";
import { openBundle } from "./bundle.ts";
import type { Checkpoint } from "./tensor-entry.ts";
import { openV1Checkpoint } from "./v1-checkpoint.ts";

/** A checkpoint in a folder, not opened yet. */
export interface FoundCheckpoint {
  /** Path without the endings, such as `/train/model.ckpt-200000`. */
  readonly prefix: string;
  /** The number at the end of the prefix. Steps may be above 2^53. */
  readonly step: bigint | undefined;
  /** The files of a V1 checkpoint; empty for the second format. */
  readonly v1Files: readonly string[];
  /** True when the graph lies beside it as `PREFIX.meta`. */
  readonly hasGraph: boolean;
}

/**
 * Lists the checkpoints of a folder by the names of its files: `PREFIX.index` of the second format; `PREFIX` or `PREFIX-NNNNN-of-NNNNN`
 * beside `PREFIX.meta` of the first. The file `checkpoint` is not needed.
 * @returns by step, then by name. @throws ProjectError `PROJECT_NOT_FOUND` when the folder cannot be read.
 */
export async function findCheckpoints(folder: string): Promise<readonly FoundCheckpoint[]> {
  const names = await namesIn(folder);
  const present = new Set(names);
  const found = new Map<string, FoundCheckpoint>();
  const add = (name: string, v1Files: readonly string[]): void => {
    const digits = /-(\d{1,30})$/.exec(name)?.[1];
    found.set(name, {
      prefix: join(folder, name),
      step: digits === undefined ? undefined : BigInt(digits),
      v1Files: v1Files.map((file) => join(folder, file)),
      hasGraph: present.has(`${name}.meta`),
    });
  };
  for (const name of names) if (name.endsWith(".index")) add(name.slice(0, -6), []);
  for (const name of names) {
    if (!name.endsWith(".meta")) continue;
    const prefix = name.slice(0, -5);
    if (found.has(prefix) || prefix === "") continue;
    const files = present.has(prefix) ? [prefix] : names.filter((file) => isShard(file, prefix));
    if (files.length > 0) add(prefix, files);
  }
  return [...found.values()].sort(byStep);
}

function isShard(file: string, prefix: string): boolean {
  return file.startsWith(prefix) && /^-\d{5}-of-\d{5}$/.test(file.slice(prefix.length));
}

function byStep(one: FoundCheckpoint, other: FoundCheckpoint): number {
  const [a, b] = [one.step ?? -1n, other.step ?? -1n];
  if (a !== b) return a < b ? -1 : 1;
  return one.prefix < other.prefix ? -1 : 1;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    throw new ProjectError(
      "PROJECT_NOT_FOUND",
      `look for a checkpoint in "${folder}": it is no folder that can be read`,
      {
        cause: error,
        hint: "name the folder that the training wrote, or a prefix in it such as train/model.ckpt-200000",
      },
    );
  }
}

/** Which checkpoint of a folder is meant. */
export interface CheckpointChoice {
  /** Exactly this step; default the newest. */
  readonly step?: bigint | undefined;
}

/**
 * Chooses a checkpoint: the step asked for, else the highest step by number, else the only one, else the one that the file `checkpoint`
 * names.
 * @throws ProjectError `MODEL_NOT_DETECTED` naming what there is.
 */
export async function chooseCheckpoint(
  folder: string,
  { step }: CheckpointChoice = {},
): Promise<FoundCheckpoint> {
  const all = await findCheckpoints(folder);
  if (all.length === 0)
    throw notFound(
      folder,
      "there is no checkpoint: no .index, and no .meta with a file of its name",
    );
  const numbered = all.filter((found) => found.step !== undefined);
  if (step !== undefined) {
    const same = numbered.filter((found) => found.step === step);
    if (same.length > 0) return await onlyOne(folder, same);
    const there = numbered.map((found) => found.step).join(", ") || "none with a number";
    throw notFound(folder, `there is no step ${step}; there are ${there}`);
  }
  const newest = numbered.at(-1)?.step;
  const candidates = newest === undefined ? all : numbered.filter((found) => found.step === newest);
  return await onlyOne(folder, candidates);
}

async function onlyOne(
  folder: string,
  candidates: readonly FoundCheckpoint[],
): Promise<FoundCheckpoint> {
  const [first] = candidates;
  if (first !== undefined && candidates.length === 1) return first;
  const named = await namedByState(folder);
  const chosen = candidates.find(({ prefix }) => basename(prefix) === named);
  if (chosen !== undefined) return chosen;
  const names = candidates.map(({ prefix }) => `"${basename(prefix)}"`).join(", ");
  throw notFound(folder, `it could be any of ${names}`);
}

const MAX_STATE_BYTES = 1 << 20;

/** The name in `model_checkpoint_path` of the file `checkpoint`; folders in it are of the machine that trained. */
async function namedByState(folder: string): Promise<string | undefined> {
  // A hint only: where it cannot be read, or is a folder, the newest step by number is taken.
  const text = await readFile(join(folder, "checkpoint"), "utf8").catch(() => "");
  if (text.length > MAX_STATE_BYTES) return undefined;
  const path = /^\s*model_checkpoint_path:\s*"([^"\n]*)"/m.exec(text)?.[1];
  return path === undefined ? undefined : basename(path);
}

function notFound(folder: string, why: string): ProjectError {
  return new ProjectError("MODEL_NOT_DETECTED", `choose a checkpoint in "${folder}": ${why}`, {
    hint: "name the folder that the training wrote; --step N or the path of a prefix chooses one of several",
  });
}

/** Opens a checkpoint of either format. Values stay in the files. @throws ProjectError `MODEL_FILE_INVALID` */
export function openCheckpoint({ prefix, v1Files }: FoundCheckpoint): Checkpoint {
  return v1Files.length > 0 ? openV1Checkpoint(prefix, v1Files) : openBundle(prefix);
}
