import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that goes away with its owner. */
export interface TempDir extends AsyncDisposable {
  readonly path: string;
}

/** Makes a private folder below `parent` (default: the system's), removed on dispose. */
export async function createTempDir(prefix: string, parent: string = tmpdir()): Promise<TempDir> {
  await mkdir(parent, { recursive: true });
  const path = await mkdtemp(join(parent, `${prefix}-`));
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true });
    },
  };
}
