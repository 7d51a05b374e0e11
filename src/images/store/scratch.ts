import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  explainWriteError,
  isOwnerGone,
  noFile,
  ownerName,
  writeFileAtomic,
} from "../../ground/process/index.ts";
import { keepPartials, PARTIAL_FOLDER, sweepPartials } from "./partial.ts";
import type { StorePaths } from "./store-paths.ts";

/**
 * The folder of unfinished files of one store instance. It also tells other processes that somebody may be writing:
 * while it stands, their `gc` spares young content. Made on first use; files of processes that died go away then.
 */
export interface Scratch {
  /** A path for a new file on the file system of the blobs. @throws ToolError `STORE_UNWRITABLE` or `DISK_FULL`. */
  newPath(): Promise<string>;
  /** Announces this process to a `gc` of another one. Does nothing on a store that cannot be written. */
  announce(): Promise<void>;
  /** Name of this instance's folder, once it exists. */
  ownFolder(): string | undefined;
  /** Removes the folder with everything in it. */
  remove(): Promise<void>;
}

const FOREIGN_AGE_MS = 7 * 24 * 3600 * 1000;

/** Makes the scratch of one instance. Touches no disk before the first call. */
export function createScratch(paths: StorePaths): Scratch {
  const name = `${ownerName()}-${randomBytes(4).toString("hex")}`;
  const folder = join(paths.temporary, name);
  let made: Promise<void> | undefined;
  let serial = 0;
  const make = async (): Promise<void> => {
    made ??= prepare(paths, folder);
    try {
      await made;
    } catch (error) {
      made = undefined;
      throw explainWriteError(error, paths.dataDir);
    }
  };
  return {
    async newPath() {
      await make();
      serial += 1;
      return join(folder, String(serial));
    },
    async announce() {
      // A store that cannot be written cannot be collected either, so nobody needs to know.
      await make().catch(() => undefined);
    },
    ownFolder: () => (made === undefined ? undefined : name),
    async remove() {
      if (made !== undefined) await rm(folder, { recursive: true, force: true });
      made = undefined;
    },
  };
}

/** Removes what dead processes left. @returns how many other processes may be writing now. */
export async function sweepScratch(
  paths: StorePaths,
  own: string | undefined,
): Promise<{ readonly otherWriters: number; readonly removed: number }> {
  let otherWriters = 0;
  let removed = await sweepPartials(paths);
  for (const name of await readdir(paths.temporary).catch(noEntries)) {
    if (name === own || name === PARTIAL_FOLDER) continue;
    const path = join(paths.temporary, name);
    if (isOwnerGone(name) || (await isAncient(path))) {
      await keepPartials(paths, path);
      await rm(path, { recursive: true, force: true });
      removed += 1;
    } else {
      otherWriters += 1;
    }
  }
  return { otherWriters, removed };
}

async function prepare(paths: StorePaths, folder: string): Promise<void> {
  await mkdir(paths.dataDir, { recursive: true });
  await writeIfMissing(paths.layoutFile, `{"imageLayoutVersion":"1.0.0"}`);
  await writeIfMissing(
    paths.indexFile,
    `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`,
  );
  await mkdir(join(paths.blobs, "sha256"), { recursive: true });
  await mkdir(folder, { recursive: true });
  const names = await readdir(paths.temporary);
  if (names.some(isOwnerGone)) await sweepScratch(paths, undefined);
}

async function writeIfMissing(path: string, content: string): Promise<void> {
  if ((await stat(path).catch(noFile)) === undefined) await writeFileAtomic(path, content);
}

async function isAncient(path: string): Promise<boolean> {
  // The age decides only about processes of other machines and earlier boots, of which nothing else is known.
  const stats = await stat(path).catch(noFile);
  return stats !== undefined && Date.now() - stats.mtimeMs > FOREIGN_AGE_MS;
}

function noEntries(error: unknown): string[] {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
  throw error;
}
