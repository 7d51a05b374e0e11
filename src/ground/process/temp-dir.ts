import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainFullDisk } from "../errors/index.ts";

/** A folder that goes away with its owner. */
export interface TempDir extends AsyncDisposable {
  readonly path: string;
}

/** Makes a private folder below `parent` (default: the system's), removed on dispose. @throws ToolError `DISK_FULL`. */
export async function createTempDir(prefix: string, parent: string = tmpdir()): Promise<TempDir> {
  const path = await makeFolder(parent, prefix).catch((error: unknown) => {
    throw explainFullDisk(error, parent);
  });
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true });
    },
  };
}

async function makeFolder(parent: string, prefix: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  return mkdtemp(join(parent, `${prefix}-`));
}
