import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { explainFullDisk, ToolError } from "../errors/index.ts";
import type { Bytes, CallOptions } from "../bytes/index.ts";
import { writeBehind } from "../bytes/index.ts";

export interface AtomicFileOptions extends CallOptions {
  /** Permission bits. Default 0o644. */
  readonly mode?: number;
  /** Flush to the device before the rename. Default false. */
  readonly sync?: boolean;
}

/**
 * Writes a file under a temporary name in the same folder and renames it, so that readers see the old content or the
 * whole new one. After an error or an abort nothing is left.
 * @throws ToolError `DISK_FULL` or `STORE_UNWRITABLE` naming the path.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array | Bytes,
  options: AtomicFileOptions = {},
): Promise<void> {
  const temporary = join(dirname(path), `.tmp-${process.pid}-${randomBytes(6).toString("hex")}`);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeTemporary(temporary, content, options);
    await rename(temporary, path);
  } catch (error) {
    // What made the writing fail says more than that its rest stays.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw explainWriteError(error, path);
  }
}

/** Turns the file system's refusal to write into our own codes; other errors come back as they are. */
export function explainWriteError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const full = explainFullDisk(error, path);
  if (full !== error) return full;
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return new ToolError(
      "STORE_UNWRITABLE",
      `write "${path}": ${code === "EROFS" ? "the file system is read-only" : "permission denied"}`,
      {
        cause: error,
        hint: "choose a writable place with XDG_DATA_HOME and XDG_CACHE_HOME",
      },
    );
  }
  if (code === "ENOENT" && (error as NodeJS.ErrnoException).syscall === "mkdir") {
    // What Node makes of a read-only file system when it makes folders together with their parents.
    return new ToolError("STORE_UNWRITABLE", `write "${path}": its folder cannot be made`, {
      cause: error,
      hint: "choose a writable place with XDG_DATA_HOME and XDG_CACHE_HOME",
    });
  }
  if (code === "ENOTDIR" || code === "EISDIR") {
    return new ToolError(
      "STORE_UNWRITABLE",
      `write "${path}": a file stands where a folder should be, or the other way round`,
      { cause: error, hint: "move it away" },
    );
  }
  return error;
}

async function writeTemporary(
  path: string,
  content: string | Uint8Array | Bytes,
  options: AtomicFileOptions,
): Promise<void> {
  await using file = await open(path, "wx", options.mode ?? 0o644);
  if (typeof content === "string" || content instanceof Uint8Array) {
    await file.writeFile(content);
  } else {
    await writeBehind(file, content, options);
  }
  if (options.sync === true) await file.sync();
}
