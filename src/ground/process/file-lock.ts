import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { ToolError } from "../errors/index.ts";
import type { CallOptions } from "../bytes/index.ts";
import { isOwnerGone, ownerName } from "./owner.ts";
import { noFile } from "./no-file.ts";

export interface FileLockOptions extends CallOptions {
  /** Longest wait for another holder. Default 30 000. */
  readonly timeoutMs?: number | undefined;
}

const POLL_MS = 25;

/**
 * Runs a task while holding a lock file, which other processes and other calls of this one respect. A lock whose
 * process has died is taken over. For changes to files that cannot be made with one rename.
 * @throws ToolError `TIMEOUT` naming the lock file.
 */
export async function withFileLock<T>(
  path: string,
  task: () => Promise<T>,
  options: FileLockOptions = {},
): Promise<T> {
  const mine = `${ownerName()}-${randomBytes(6).toString("hex")}`;
  await acquire(path, mine, options);
  try {
    return await task();
  } finally {
    if ((await readFile(path, "utf8").catch(noFile)) === mine) await rm(path, { force: true });
  }
}

async function acquire(path: string, mine: string, options: FileLockOptions): Promise<void> {
  const deadline = performance.now() + (options.timeoutMs ?? 30_000);
  while (!(await tryCreate(path, mine))) {
    const holder = (await readFile(path, "utf8").catch(noFile)) ?? "";
    if (holder !== "" && isOwnerGone(holder)) {
      await takeAway(path, holder);
      continue;
    }
    if (performance.now() > deadline)
      throw new ToolError("TIMEOUT", `lock "${path}": another process has held it for too long`, {
        hint: "end the other process, or remove the file if there is none",
      });
    await sleep(
      POLL_MS + Math.random() * POLL_MS,
      undefined,
      options.signal === undefined ? {} : { signal: options.signal },
    );
  }
}

/** Creates the lock file with its content in one step, so that nobody ever reads an empty one. */
async function tryCreate(path: string, mine: string): Promise<boolean> {
  const draft = `${path}.${mine}`;
  await writeFile(draft, mine, { flag: "wx" });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Removes a dead process's lock; puts it back when it turns out that somebody else has just taken it over. */
async function takeAway(path: string, holder: string): Promise<void> {
  const aside = `${path}.stale-${randomBytes(6).toString("hex")}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  // When there is a new lock already, it is the one that counts.
  if ((await readFile(aside, "utf8")) !== holder) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}
