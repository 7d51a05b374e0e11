import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  skipBytes,
  writeBehind,
  type Bytes,
  type CallOptions,
} from "../../../ground/bytes/index.ts";
import { ToolError } from "../../../ground/errors/index.ts";
import { explainWriteError } from "../../../ground/process/index.ts";
import type { BudgetShare } from "./budget.ts";

const MAX_PATH_BYTES = 4096;
const MAX_NAME_BYTES = 255;
const MAX_DEPTH = 64;

/** Writes the files of a model into a folder, and nothing outside it: paths are hostile. */
export interface ContentWriter {
  readonly folder: string;
  /** @throws ToolError `FILE_REFUSED` naming the path; `LIMIT_EXCEEDED`, `DISK_FULL`, `STORE_UNWRITABLE` */
  writeFile(path: string, content: Bytes, options?: CallOptions): Promise<void>;
  makeFolder(path: string): Promise<void>;
}

/**
 * @param folder - absolute, and of this writer alone
 * @param kept - bytes by path of files whose beginning is there: it is not written again. Default none.
 */
export function createContentWriter(
  folder: string,
  budget: BudgetShare,
  kept: ReadonlyMap<string, number> = new Map(),
): ContentWriter {
  const left = new Map(kept);
  const made = new Set<string>();
  const makeFolder = async (path: string): Promise<void> => {
    if (path === "." || made.has(path)) return;
    await mkdir(join(folder, path), { recursive: true }).catch((error: unknown) => {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EEXIST" && code !== "ENOTDIR") throw explain(error, path, folder);
      throw new ToolError(
        "FILE_REFUSED",
        `unpack the model: "${path}" is refused: it is a file and a folder`,
        { cause: error },
      );
    });
    made.add(path);
  };
  return {
    folder,
    makeFolder: (path) => makeFolder(checkedPath(path)),
    async writeFile(path, content, options) {
      budget.addFile();
      const target = checkedPath(path);
      await makeFolder(dirname(target));
      try {
        const start = left.get(target) ?? 0;
        await using file = await open(join(folder, target), left.delete(target) ? "r+" : "wx");
        budget.addBytes(start);
        await writeBehind(file, skipBytes(content, start), {
          ...options,
          position: start,
          onChunk: (chunk) => budget.addBytes(chunk.byteLength),
        });
      } catch (error) {
        throw explain(error, target, folder);
      }
    },
  };
}

/** A path below a folder, as parts joined by `/`. @throws ToolError `FILE_REFUSED` */
export function checkedPath(path: string): string {
  const refuse = (why: string): never => {
    const shown = JSON.stringify(path.slice(0, 200));
    throw new ToolError("FILE_REFUSED", `unpack the model: ${shown} is refused: ${why}`, {
      hint: "make the archive again, from inside the folder that holds model/model",
    });
  };
  if (path.startsWith("/") || /^[A-Za-z]:[/\\]/.test(path)) return refuse("it is absolute");
  if (path.includes("\0")) return refuse("it is no path");
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || path.split("\\").includes(".."))
    return refuse('it leaves the archive by ".."');
  if (parts.length === 0) return refuse("it is empty");
  if (parts.length > MAX_DEPTH || Buffer.byteLength(path) > MAX_PATH_BYTES)
    return refuse("it is too long");
  if (parts.some((part) => Buffer.byteLength(part) > MAX_NAME_BYTES))
    return refuse("a name in it is too long");
  return parts.join("/");
}

function explain(error: unknown, path: string, folder: string): unknown {
  const { code = "" } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  const refused = (why: string): ToolError =>
    new ToolError("FILE_REFUSED", `unpack the model: "${path}" is refused: ${why}`, {
      cause: error,
    });
  if (code === "EEXIST" || code === "EISDIR") return refused("its name comes twice");
  if (code === "ENAMETOOLONG") return refused("its name is too long");
  return explainWriteError(error, folder);
}
