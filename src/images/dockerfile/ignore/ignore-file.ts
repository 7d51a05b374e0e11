import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { noFile } from "../../../ground/process/index.ts";
import { ToolError } from "../../../ground/errors/index.ts";
import { cleanPath } from "./clean-path.ts";
import { compilePatterns, type PathPatterns } from "./path-patterns.ts";

/** What a build leaves out of its context, and the file that says so. */
export interface IgnoreFile {
  /** Absent where there is no such file. */
  readonly path: string | undefined;
  readonly patterns: PathPatterns;
}

/**
 * Reads the ignore file of a build: `NAME.dockerignore` beside the Dockerfile, else `.dockerignore` of the context.
 * @throws ToolError `FILE_REFUSED` for one that cannot be read, or holds a pattern that is none.
 */
export async function readIgnoreFile(dockerfile: string, context: string): Promise<IgnoreFile> {
  for (const path of [`${dockerfile}.dockerignore`, join(context, ".dockerignore")]) {
    const text = await readIfThere(path);
    if (text === undefined) continue;
    try {
      return { path, patterns: compilePatterns(ignoreLines(text)) };
    } catch (error) {
      throw new ToolError("FILE_REFUSED", `read "${path}": ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  return { path: undefined, patterns: compilePatterns([]) };
}

/** An ignore file that is there and cannot be read must not count as none: what it lists would go into the image. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isThere = await lstat(path).catch(noFile); // a dangling link is there
    if ((code === "ENOENT" || code === "ENOTDIR") && isThere === undefined) return undefined;
    throw new ToolError("FILE_REFUSED", `read "${path}": the ignore file cannot be read`, {
      cause: error,
    });
  }
}

/**
 * The patterns of an ignore file: a byte order mark, comments and blank lines go, and so do white space around a pattern and slashes
 * before it.
 */
export function ignoreLines(text: string): readonly string[] {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .filter((line) => !line.startsWith("#") && line.trim() !== "")
    .map((line) => {
      const isException = line.trim().startsWith("!");
      const pattern = line
        .trim()
        .slice(isException ? 1 : 0)
        .trim();
      const clean = pattern === "" ? "" : cleanPath(pattern);
      return (isException ? "!" : "") + (clean.length > 1 ? clean.replace(/^\//, "") : clean);
    });
}
