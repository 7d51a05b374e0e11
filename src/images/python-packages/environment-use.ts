import { mkdir, readdir, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  createTempDir,
  isOwnerGone,
  noFile,
  ownerName,
  withFileLock,
} from "../../ground/process/index.ts";

/** Kept environments have names of this form; what else lies beside them is not touched. */
const ENVIRONMENT_NAME = /^[0-9a-f]{32}$/;
const LOCK_TIMEOUT_MS = 60_000;
/** Why a folder of users stays: others use the environment too, there is none, or it cannot be changed. */
const KEPT: ReadonlySet<string | undefined> = new Set([
  ...["ENOTEMPTY", "EEXIST", "ENOENT"],
  ...["EACCES", "EPERM", "EROFS"],
]);
const UNWRITABLE: ReadonlySet<string | undefined> = new Set(["EACCES", "EPERM", "EROFS"]);

/**
 * Says that this process uses an environment, until it ends. The mark lies beside the environment, so that it holds while one is made.
 * Nothing is said where the folder cannot be written: nobody can remove the environment there either.
 * @param folder - of the environment; absolute
 */
export async function markUse(folder: string): Promise<void> {
  try {
    await mkdir(usersOf(folder), { recursive: true });
    const mark = join(usersOf(folder), ownerName());
    await rm(mark, { force: true }); // a new file is what gives the folder a new time
    await writeFile(mark, "");
  } catch (error) {
    if (!UNWRITABLE.has((error as NodeJS.ErrnoException).code)) throw error;
  }
}

/** Takes back what `markUse` said, of an environment that could not be made. */
export async function forgetUse(folder: string): Promise<void> {
  try {
    await rm(join(usersOf(folder), ownerName()), { force: true });
    await rmdir(usersOf(folder));
  } catch (error) {
    if (!KEPT.has((error as NodeJS.ErrnoException).code)) throw error;
  }
}

export interface PruneOptions {
  /** Environments that were used later than this stay, in ms since 1970. */
  readonly usedBeforeMs: number;
  /** Counts, and removes nothing. Default false. */
  readonly isDryRun?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Removes kept environments that no running process uses. Safe beside processes that start with one: they make it again.
 * @param parent - folder of kept environments; it need not be there
 * @returns how many were removed, or would be.
 */
export async function pruneEnvironments(parent: string, options: PruneOptions): Promise<number> {
  const names = (await readdir(parent).catch(noFile)) ?? [];
  let count = 0;
  for (const name of names.filter((one) => ENVIRONMENT_NAME.test(one))) {
    options.signal?.throwIfAborted();
    const folder = join(parent, name);
    if (!(await isUnused(folder, options.usedBeforeMs))) continue;
    if (options.isDryRun === true || (await removeUnused(folder, options.signal))) count += 1;
  }
  return count;
}

async function isUnused(folder: string, usedBeforeMs: number): Promise<boolean> {
  if (await hasUsers(folder)) return false;
  const used = (await stat(usersOf(folder)).catch(noFile)) ?? (await stat(folder).catch(noFile));
  return used !== undefined && used.mtimeMs < usedBeforeMs;
}

/** Takes the environment away first and looks at its users then: who marked it in between gets it back, who comes later makes it again. */
function removeUnused(folder: string, signal: AbortSignal | undefined): Promise<boolean> {
  return withFileLock(
    `${folder}.lock`,
    async () => {
      await using aside = await createTempDir(`.${basename(folder)}`, dirname(folder));
      const moved = join(aside.path, "environment");
      await rename(folder, moved);
      if (await hasUsers(folder)) {
        await rename(moved, folder);
        return false;
      }
      await rm(usersOf(folder), { recursive: true, force: true });
      return true;
    },
    { timeoutMs: LOCK_TIMEOUT_MS, signal },
  );
}

async function hasUsers(folder: string): Promise<boolean> {
  return ((await readdir(usersOf(folder)).catch(noFile)) ?? []).some((user) => !isOwnerGone(user));
}

function usersOf(folder: string): string {
  return `${folder}.users`;
}
