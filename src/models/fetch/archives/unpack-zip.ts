import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { Entry, ZipFile } from "yauzl";
import { isToolError, ToolError } from "../../../ground/errors/index.ts";
import type { FetchContext } from "../contracts.ts";
import type { ContentWriter } from "../place/content-writer.ts";
import { isJunk } from "../place/junk.ts";
import { bomb, MAX_RATIO, SMALL_BYTES } from "./inflate.ts";

const FILE_TYPE = 0o170000;
const HARMLESS_TYPES = new Set([0, 0o100000, 0o040000]);
/** Zipped files that are stored or deflated, which is all that yauzl reads. */
const METHODS = new Set([0, 8]);

/**
 * Unpacks a zip archive that lies in a file. Its directory is checked as a whole before a file is written: paths, kinds, sizes.
 * @throws ToolError `ARCHIVE_INVALID`, `LIMIT_EXCEEDED`, `FILE_REFUSED`, each naming the entry
 */
export async function unpackZip(
  path: string,
  writer: ContentWriter,
  context: FetchContext,
): Promise<void> {
  try {
    const zip = await openZip(path);
    try {
      const entries = await readDirectory(zip, context);
      checkSizes(entries, (await stat(path)).size, context);
      for (const entry of entries) await writeEntry(zip, entry, { writer, context });
    } finally {
      zip.close();
    }
  } catch (error) {
    throw explain(error);
  }
}

async function openZip(path: string): Promise<ZipFile> {
  const { default: yauzl } = await import("yauzl"); // only when a zip came
  return new Promise((resolve, reject) => {
    yauzl.open(
      path,
      { lazyEntries: true, autoClose: false, strictFileNames: true },
      (error, zip) => {
        if (error === null) resolve(zip);
        else reject(error);
      },
    );
  });
}

function readDirectory(zip: ZipFile, { limits }: FetchContext): Promise<readonly Entry[]> {
  return new Promise((resolve, reject) => {
    const entries: Entry[] = [];
    const seen = new Set<string>();
    zip.on("error", reject);
    zip.on("end", () => resolve(entries));
    zip.on("entry", (entry: Entry) => {
      try {
        const key = entry.fileName.replace(/\/$/, "");
        checkEntry(entry);
        if (seen.has(key)) throw refused(entry.fileName, "its name comes twice");
        seen.add(key);
        if (seen.size > limits.maxFiles * 2)
          throw new ToolError(
            "LIMIT_EXCEEDED",
            `unpack the archive: it has more than ${limits.maxFiles} files`,
          );
        if (!isJunk(entry.fileName)) entries.push(entry);
        zip.readEntry();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    zip.readEntry();
  });
}

function checkEntry(entry: Entry): void {
  const { fileName, externalFileAttributes, compressionMethod } = entry;
  const type = (externalFileAttributes >>> 16) & FILE_TYPE;
  if (!HARMLESS_TYPES.has(type)) throw refused(fileName, "it is a link or a device");
  if (entry.isEncrypted()) throw refused(fileName, "it is encrypted");
  if (!METHODS.has(compressionMethod))
    throw refused(
      fileName,
      `it is packed by method ${compressionMethod}, and stored or deflated is wanted`,
    );
}

/** Sizes as the directory states them; reading holds each file against its own. Entries that share bytes are how bombs are made. */
function checkSizes(
  entries: readonly Entry[],
  archiveBytes: number,
  { limits }: FetchContext,
): void {
  const plain = entries.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);
  const packed = entries.reduce((sum, { compressedSize }) => sum + compressedSize, 0);
  if (plain > SMALL_BYTES && plain > archiveBytes * MAX_RATIO) throw bomb(plain, archiveBytes);
  if (packed > archiveBytes) throw bomb(packed, archiveBytes);
  if (plain > limits.maxBytes)
    throw new ToolError(
      "LIMIT_EXCEEDED",
      `unpack the archive: it is too large: ${plain} bytes, over ${limits.maxBytes}`,
      {
        hint: "raise MODEL_MAX_BYTES when it is as large as that",
      },
    );
}

async function writeEntry(
  zip: ZipFile,
  entry: Entry,
  {
    writer,
    context: { signal },
  }: { readonly writer: ContentWriter; readonly context: FetchContext },
): Promise<void> {
  if (entry.fileName.endsWith("/")) return writer.makeFolder(entry.fileName);
  const content = contentOf(zip, entry);
  await writer.writeFile(entry.fileName, content, signal === undefined ? {} : { signal });
}

/** Opened when it is read: an error of a stream that nobody reads yet would be lost. */
async function* contentOf(zip: ZipFile, entry: Entry): AsyncGenerator<Uint8Array> {
  const stream = await openEntry(zip, entry);
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) yield chunk;
  } finally {
    stream.on("error", () => undefined); // what comes now is of a stream that was left
    stream.destroy();
  }
}

function openEntry(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error === null) resolve(stream);
      else reject(error);
    });
  });
}

function refused(name: string, why: string): ToolError {
  return new ToolError(
    "FILE_REFUSED",
    `unpack the archive: "${name.slice(0, 200)}" is refused: ${why}`,
  );
}

/** yauzl says what is wrong by message only. */
function explain(error: unknown): unknown {
  if (isToolError(error)) return error;
  const { code = "", message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) };
  if (/^(?:E[A-Z]+|ABORT_ERR)$/.test(code)) return error; // of the file system
  if (/absolute path|invalid relative path|invalid characters in fileName/.test(message))
    return new ToolError("FILE_REFUSED", `unpack the archive: a path in it leaves it: ${message}`, {
      cause: error,
    });
  if (error instanceof DOMException) return error;
  return new ToolError(
    "ARCHIVE_INVALID",
    `unpack the archive: the zip is damaged or cut short: ${message}`,
    {
      cause: error,
      hint: "make the archive again",
    },
  );
}
