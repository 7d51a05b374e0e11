import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { noFile } from "../../ground/process/index.ts";

const MAX_FILES = 10_000;

/** Bytes of a file, or of the files of a folder and of those below it; 0 where there is nothing. */
export async function weightBytes(path: string | undefined): Promise<number> {
  if (path === undefined) return 0;
  let files = 0;
  const sum = async (at: string): Promise<number> => {
    files += 1;
    const about = await stat(at).catch(noFile);
    if (about === undefined || files > MAX_FILES) return 0;
    if (!about.isDirectory()) return about.size;
    const names = (await readdir(at).catch(noFile)) ?? [];
    let total = 0;
    for (const name of names) total += await sum(join(at, name));
    return total;
  };
  return sum(path);
}
