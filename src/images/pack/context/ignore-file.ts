import { lstat, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ToolError } from "../../../ground/errors/index.ts";

/** Ignore files by precedence: the first one that exists is the only one that counts. */
const IGNORE_FILES = [".slipwayignore", ".dockerignore"] as const;
/** No list of patterns is longer. */
const MAX_IGNORE_BYTES = 2 ** 20;

/**
 * Reads the ignore file of a folder. A file that exists and cannot be read is an error: what it lists would go into the image.
 * @returns its lines; none where the folder has no ignore file.
 * @throws ToolError `FILE_REFUSED` naming the file, for a link to nothing, a folder, a file without read permission, or one that
 * is neither UTF-8 nor UTF-16 with a byte order mark.
 */
export async function readIgnoreFile(root: string): Promise<readonly string[]> {
  for (const name of IGNORE_FILES) {
    const path = join(root, name);
    if (await isPresent(path)) return (await readPatterns(path, name)).split(/\r\n|\r|\n/);
  }
  return [];
}

async function isPresent(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

async function readPatterns(path: string, name: string): Promise<string> {
  const unreadable = (why: string, cause?: unknown): ToolError =>
    new ToolError("FILE_REFUSED", `read "${name}": ${why}`, {
      cause,
      hint: "mend or remove it; what it lists would go into the image",
    });
  const stats = await stat(path).catch((error: unknown) => {
    throw unreadable("it is a link to nothing", error);
  });
  if (!stats.isFile()) throw unreadable("it is not a file");
  if (stats.size > MAX_IGNORE_BYTES)
    throw unreadable(`it is longer than ${MAX_IGNORE_BYTES} bytes`);
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unreadable("it may not be read", error);
  });
  try {
    return decodeText(bytes);
  } catch (error) {
    throw unreadable("it is not text in UTF-8 or UTF-16", error);
  }
}

/** Text without its byte order mark; editors and shells of Windows write UTF-16. @throws TypeError for other bytes. */
function decodeText(bytes: Buffer): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? "utf-16le"
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? "utf-16be"
        : "utf-8";
  const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  if (text.includes("\0")) throw new TypeError("it holds zero bytes");
  return text;
}
