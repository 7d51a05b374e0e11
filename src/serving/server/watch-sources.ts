import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Knows what was there when it was made. */
export interface SourceWatch {
  /**
   * Looks for changes from now on, until it is closed. `onChange` is called with the names of files that are new, changed or gone since
   * the watch was made; the next look comes after it has settled. Must not reject.
   */
  run(onChange: (files: readonly string[]) => Promise<void>): void;
  close(): void;
}

export interface WatchOptions {
  /** Folder of the user's code, and further files and folders. Those that do not exist are looked for again each time. */
  readonly paths: readonly string[];
  /** Time between two looks, in ms. Default 400. */
  readonly everyMs?: number;
}

const EVERY_MS = 400;
const MAX_FILES = 20_000;
const SOURCES = /\.(py|js|mjs|cjs|ts|ya?ml|toml|cfg|ini)$/i;
const SKIPPED = /^(\..*|__pycache__|node_modules|site-packages|.*\.egg-info)$/;

/**
 * Watches code by looking at times and sizes, which works on every file system, mounted ones included. Folders that hold no code of
 * the user's are left out (hidden ones, environments, caches), and files that running code tends to write (text, JSON, logs). What changes
 * while `onChange` runs counts when it is Python or JavaScript; other files may have been written by the code that was loaded.
 */
export async function watchSources({
  paths,
  everyMs = EVERY_MS,
}: WatchOptions): Promise<SourceWatch> {
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let known = await snapshot(paths);
  const look = async (onChange: (files: readonly string[]) => Promise<void>): Promise<void> => {
    const now = await snapshot(paths);
    const changed = difference(known, now);
    known = now;
    if (changed.length > 0 && !isClosed) {
      await onChange(changed);
      known = withoutCodeChanges(now, await snapshot(paths));
    }
    if (!isClosed) timer = setTimeout(() => void look(onChange), everyMs).unref(); // look() does not reject
  };
  return {
    run: (onChange) => void look(onChange),
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

const CODE = /\.(py|js|mjs|cjs|ts)$/i;

/** What is there now, but code as it was before. */
function withoutCodeChanges(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const code = [...before].filter(([file]) => CODE.test(file));
  const rest = [...now].filter(([file]) => !CODE.test(file));
  return new Map([...code, ...rest]);
}

function difference(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): readonly string[] {
  const changed = [...now]
    .filter(([file, mark]) => before.get(file) !== mark)
    .map(([file]) => file);
  return [...changed, ...[...before.keys()].filter((file) => !now.has(file))];
}

/** A mark for each file that would differ if the file did. */
async function snapshot(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const path of paths) await visit(path, found, true);
  return found;
}

async function visit(path: string, found: Map<string, string>, isNamed: boolean): Promise<void> {
  if (found.size >= MAX_FILES) return;
  const about = await stat(path, { bigint: true }).catch(() => undefined); // gone since it was listed, or not there yet
  if (about?.isFile() === true && (isNamed || SOURCES.test(path)))
    found.set(path, `${about.mtimeNs} ${about.size} ${about.ino}`);
  if (about?.isDirectory() !== true) return;
  const names = await readdir(path).catch((): string[] => []); // gone, or not ours to read: nothing to watch
  if (names.includes("pyvenv.cfg")) return; // an environment, whatever it is called
  for (const name of names) if (!SKIPPED.test(name)) await visit(join(path, name), found, false);
}
