import type { Entry, ZipFile } from "yauzl";
import { openReader, readerOf, type RandomReader } from "../../../ground/bytes/index.ts";
import type { ModelFile } from "../contracts.ts";
import { invalidModel } from "./model-file.ts";

/** Name of the first entry, from the first bytes of an archive; empty when they hold none. */
export function firstNameIn(head: Buffer): string {
  if (head.byteLength < 30) return "";
  return head.toString("utf8", 30, 30 + head.readUInt16LE(26));
}

/** One file in a zip archive. */
interface ZipEntry {
  readonly name: string;
  /** Bytes, unpacked. */
  readonly size: number;
}

/** A zip archive whose directory is read. The caller disposes it. */
export interface ZipDirectory extends AsyncDisposable {
  readonly entries: readonly ZipEntry[];
  /** Content of an entry. @throws ProjectError `MODEL_FILE_INVALID` when it has more than `maxBytes`, or is damaged. */
  read(name: string, maxBytes: number): Promise<Buffer>;
  /** The first bytes of an entry, `maxBytes` at the most. @throws ProjectError `MODEL_FILE_INVALID` when it is damaged. */
  readStart(name: string, maxBytes: number): Promise<Buffer>;
  /**
   * Random access to an entry: to its place in the archive when it is stored as it is, to a copy of at most `maxBytes` when it is packed.
   * The caller disposes it. @returns nothing when it is packed and longer.
   */
  openStored(name: string, maxBytes: number): Promise<RandomReader | undefined>;
}

const MAX_ENTRIES = 200_000;

/**
 * Reads the directory of a zip archive; content is read when it is asked for.
 * @throws ProjectError `MODEL_FILE_INVALID` when the archive is cut short or damaged.
 */
export async function openZip(file: ModelFile): Promise<ZipDirectory> {
  const zip = await openArchive(file);
  const entries = await readDirectory(zip).catch((error: unknown) => {
    zip.close();
    throw damaged(file, reasonOf(error), error);
  });
  const readStart = (name: string, maxBytes: number): Promise<Buffer> => {
    const entry = entries.get(name);
    if (entry === undefined) throw invalidModel(file.path, `it has no "${name}" in it`);
    return readEntry(file, { zip, entry, maxBytes });
  };
  return {
    entries: [...entries.values()].map(({ fileName, uncompressedSize }) => ({
      name: fileName,
      size: uncompressedSize,
    })),
    readStart,
    read(name, maxBytes) {
      const size = entries.get(name)?.uncompressedSize ?? 0;
      if (size > maxBytes)
        throw invalidModel(file.path, `"${name}" in it has ${size} bytes, over ${maxBytes}`);
      return readStart(name, maxBytes);
    },
    async openStored(name, maxBytes) {
      const entry = entries.get(name);
      if (entry === undefined) throw invalidModel(file.path, `it has no "${name}" in it`);
      if (entry.compressionMethod === 0 && !entry.isEncrypted()) return storedContent(file, entry);
      if (entry.uncompressedSize > maxBytes) return undefined;
      return readerOf(await readStart(name, maxBytes));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(zip.close()),
  };
}

async function openArchive(file: ModelFile): Promise<ZipFile> {
  const { default: yauzl } = await import("yauzl"); // only when an archive is looked into
  return new Promise((resolve, reject) => {
    yauzl.open(
      file.location,
      { lazyEntries: true, autoClose: false, strictFileNames: true },
      (error, zip) => {
        if (error === null) resolve(zip);
        else reject(damaged(file, reasonOf(error), error));
      },
    );
  });
}

function readDirectory(zip: ZipFile): Promise<ReadonlyMap<string, Entry>> {
  return new Promise((resolve, reject) => {
    const entries = new Map<string, Entry>();
    zip.on("error", reject);
    zip.on("end", () => resolve(entries));
    zip.on("entry", (entry: Entry) => {
      entries.set(entry.fileName, entry);
      if (entries.size > MAX_ENTRIES) reject(new Error(`it has over ${MAX_ENTRIES} entries`));
      else zip.readEntry();
    });
    zip.readEntry();
  });
}

function readEntry(
  file: ModelFile,
  place: { readonly zip: ZipFile; readonly entry: Entry; readonly maxBytes: number },
): Promise<Buffer> {
  const { zip, entry, maxBytes } = place;
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(damaged(file, reasonOf(error), error));
    zip.openReadStream(entry, (error, stream) => {
      if (error !== null) return fail(error);
      const chunks: Buffer[] = [];
      let length = 0;
      const finish = (): void => resolve(Buffer.concat(chunks).subarray(0, maxBytes));
      stream.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.byteLength;
        if (length < maxBytes) return;
        stream.destroy();
        finish();
      });
      stream.on("end", finish);
      stream.on("error", fail);
    });
  });
}

/** The content of an entry that is not packed. Its local header has lengths of its own. @see APPNOTE.TXT, section 4.3.7 */
function storedContent(file: ModelFile, entry: Entry): RandomReader {
  const whole = openReader(file.location, file.path);
  const header = Buffer.from(whole.at(entry.relativeOffsetOfLocalHeader, 30));
  if (header.byteLength < 30 || header.readUInt32LE(0) !== 0x04034b50) {
    whole[Symbol.dispose]();
    throw damaged(file, `"${entry.fileName}" has no header`);
  }
  const start =
    entry.relativeOffsetOfLocalHeader + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const size = entry.uncompressedSize;
  return {
    size: Math.max(0, Math.min(size, whole.size - start)),
    at: (offset, length) => whole.at(start + offset, Math.max(0, Math.min(length, size - offset))),
    [Symbol.dispose]: () => whole[Symbol.dispose](),
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function damaged(file: ModelFile, why: string, cause?: unknown): Error {
  return invalidModel(file.path, `its zip archive is damaged or incomplete: ${why}`, {
    hint: "the file was cut short or changed: copy it again",
    ...(cause !== undefined && { cause }),
  });
}
