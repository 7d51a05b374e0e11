import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isToolError } from "../../ground/errors/index.ts";
import { noFile, writeFileAtomic } from "../../ground/process/index.ts";
import { touch } from "./blobs.ts";
import type { StorePaths } from "./store-paths.ts";

/** Small JSON values that can be made again. Any entry may be gone at any time. */
export interface JsonCache {
  /** The value, or `undefined` when there is none or the file cannot be read. */
  get(key: string): Promise<unknown>;
  /** Keeps a value. Does nothing where the cache cannot be written; never fails for that reason. */
  set(key: string, value: unknown): Promise<void>;
}

const NAMESPACE = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Opens a cache below the cache folder. Touches no disk. `namespace`: lower-case letters, digits, dashes. */
export function createJsonCache(paths: StorePaths, namespace: string): JsonCache {
  if (!NAMESPACE.test(namespace)) throw new RangeError(`"${namespace}" is no name of a cache`);
  const folder = join(cacheFolderOf(paths), namespace);
  const fileOf = (key: string): string =>
    join(folder, `${createHash("sha256").update(key).digest("hex")}.json`);
  return {
    async get(key) {
      const path = fileOf(key);
      const entry = parseEntry(await readFile(path, "utf8").catch(noFile));
      if (entry === undefined || entry.key !== key) return undefined;
      await touch(path);
      return entry.value;
    },
    async set(key, value) {
      try {
        await writeFileAtomic(fileOf(key), JSON.stringify({ key, value }));
      } catch (error) {
        if (!isToolError(error)) throw error;
      }
    },
  };
}

/** The folder that holds all caches of this kind; `gc` removes entries from it that nobody asked for in a long time. */
export function cacheFolderOf(paths: StorePaths): string {
  return join(paths.cacheDir, "json");
}

function parseEntry(
  text: string | undefined,
): { readonly key: unknown; readonly value: unknown } | undefined {
  if (text === undefined) return undefined;
  try {
    const entry: unknown = JSON.parse(text);
    return typeof entry === "object" && entry !== null && "key" in entry && "value" in entry
      ? entry
      : undefined;
  } catch {
    // A damaged entry of a cache is no entry.
    return undefined;
  }
}
