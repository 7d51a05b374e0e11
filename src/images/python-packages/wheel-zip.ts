import type { Entry, ZipFile } from "yauzl";
import { isToolError, ToolError } from "../../ground/errors/index.ts";

const MAX_ENTRIES = 1_000_000;
const MAX_BYTES = 64 * 2 ** 30;

/** Deflate reaches about 1032; a wheel of real files stays far below. */
const MAX_RATIO = 200;

/** Below this much even the best-packed wheel cannot hurt. */
const SMALL_BYTES = 256 * 2 ** 20;

const FILE_TYPE = 0o170000;
const HARMLESS_TYPES = new Set([0, 0o100000, 0o040000]);

/**
 * Looks at the directory of a wheel that lies on this machine before an installer gets it: installers leave hostile entries out in
 * silence, or unpack them into their cache first. Reads no file content.
 * @throws ToolError `ARCHIVE_INVALID` for what is no zip file; `FILE_REFUSED` for a path that leaves the folder, a link, a special
 *   file or two entries of one name; `LIMIT_EXCEEDED` for a bomb.
 * @see PEP 427; APPNOTE, section 4.4
 */
export async function inspectWheel(path: string): Promise<void> {
  const seen = new Set<string>();
  const sums = { plain: 0, packed: 0 };
  await eachEntry(path, (entry) => {
    refuseEntry(path, entry);
    if (seen.has(entry.fileName)) throw refused(path, `"${entry.fileName}" is in it twice`);
    seen.add(entry.fileName);
    sums.plain += entry.uncompressedSize;
    sums.packed += entry.compressedSize;
    const isBomb =
      sums.plain > MAX_BYTES ||
      seen.size > MAX_ENTRIES ||
      (sums.plain > SMALL_BYTES && sums.plain > sums.packed * MAX_RATIO);
    if (isBomb)
      throw new ToolError(
        "LIMIT_EXCEEDED",
        `inspect wheel "${path}": it would unpack to more than ${sums.plain} bytes in ${seen.size} files, from ${sums.packed}`,
      );
  });
}

function refuseEntry(path: string, entry: Entry): void {
  const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE;
  if (!HARMLESS_TYPES.has(type))
    throw refused(path, `"${entry.fileName}" is neither a file nor a folder`);
  const parts = entry.fileName.split(/[/\\]/);
  if (
    /^([/\\]|[A-Za-z]:)/.test(entry.fileName) ||
    parts.includes("..") ||
    entry.fileName.includes("\0")
  )
    throw refused(path, `"${entry.fileName}" leads out of it`);
}

function refused(path: string, why: string): ToolError {
  return new ToolError("FILE_REFUSED", `inspect wheel "${path}": ${why}`, {
    hint: "do not install it: it was not made by a build tool",
  });
}

/** Calls with every entry of the central directory; ends at the first error. */
async function eachEntry(path: string, visit: (entry: Entry) => void): Promise<void> {
  try {
    const zip = await open(path);
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown): void => {
        zip.close();
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      zip.on("error", fail);
      zip.on("end", resolve);
      zip.on("entry", (entry: Entry) => {
        try {
          visit(entry);
          zip.readEntry();
        } catch (error) {
          fail(error);
        }
      });
      zip.readEntry();
    });
  } catch (error) {
    if (isToolError(error)) throw error;
    throw explain(path, error);
  }
}

/** yauzl refuses hostile names itself, by message only. */
function explain(path: string, error: unknown): ToolError {
  const why = error instanceof Error ? error.message : String(error);
  if (/absolute path|invalid relative path|invalid characters in fileName/.test(why))
    return refused(path, why);
  return new ToolError("ARCHIVE_INVALID", `inspect wheel "${path}": ${why}`, { cause: error });
}

async function open(path: string): Promise<ZipFile> {
  const { default: yauzl } = await import("yauzl"); // only when a wheel lies here
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, strictFileNames: true }, (error, zip) =>
      error === null ? resolve(zip) : reject(error),
    );
  });
}
