import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { ToolError } from "../../ground/errors/index.ts";
import {
  readRange,
  writeBehind,
  type Bytes,
  type CallOptions,
  type ReadRangeOptions,
} from "../../ground/bytes/index.ts";
import { createTempDir, explainWriteError } from "../../ground/process/index.ts";
import { plainName, scanTar, type TarMember } from "./scan-tar.ts";

/** An open archive file and its members. */
export interface ArchiveFile extends AsyncDisposable {
  /** For messages. */
  readonly path: string;
  readonly file: FileHandle;
  readonly members: ReadonlyMap<string, TarMember>;
}

export interface OpenArchiveOptions extends CallOptions {
  /** Where a stream is kept and a compressed archive is unpacked to. Default: the system's temporary folder. */
  readonly temporaryDir?: string | undefined;
  /** Bound on an unpacked archive, in bytes. Default 512 GiB. */
  readonly maxUnpackedBytes?: number | undefined;
}

/** How content begins that is compressed in a way we know. */
export type Compression = "gzip" | "zstd" | "none";

const DEFAULT_MAX_UNPACKED = 512 * 2 ** 30;
const MAX_LINKS = 10;

/**
 * Opens a tar file, plain or compressed as a whole, or a stream of one. Streams and compressed files are written to a
 * temporary file first, because members are read in any order. Disposing closes the file.
 */
export async function openArchiveFile(
  source: string | Bytes,
  options: OpenArchiveOptions = {},
): Promise<ArchiveFile> {
  const path = typeof source === "string" ? source : "the stream";
  const file = await openPlain(
    typeof source === "string" ? await openFile(source) : await spool(source, options),
    { ...options, path },
  );
  try {
    return {
      path,
      file,
      members: await scanTar(file, { path, signal: options.signal }),
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Tells by the first bytes how content is compressed. @throws ToolError `UNSUPPORTED` for bzip2 and xz. */
export async function compressionAt(file: FileHandle, offset: number): Promise<Compression> {
  const start = Buffer.alloc(6);
  await file.read(start, 0, 6, offset);
  const magic = start.toString("hex");
  if (magic.startsWith("1f8b")) return "gzip";
  if (magic.startsWith("28b52ffd")) return "zstd";
  if (magic.startsWith("425a68") || magic === "fd377a585a00") {
    throw new ToolError("UNSUPPORTED", "read an archive: it is compressed with bzip2 or xz", {
      hint: "unpack it first, with bunzip2 or unxz",
    });
  }
  return "none";
}

/** Reads a small member whole. @throws ToolError `ARCHIVE_INVALID` when it is missing, no file, or larger. */
export async function readWhole(
  archive: ArchiveFile,
  name: string,
  maxBytes: number,
): Promise<Buffer> {
  const member = fileMember(archive, name);
  if (member.size > maxBytes)
    throw invalidArchive(archive.path, `"${name}" has ${member.size} bytes, more than ${maxBytes}`);
  return Buffer.concat(await Array.fromAsync(readMember(archive, member)));
}

/** Streams a member, not verified. */
export function readMember(
  archive: ArchiveFile,
  member: TarMember,
  options: Pick<ReadRangeOptions, "signal" | "transient"> = {},
): Bytes {
  return readRange(archive.file, {
    ...options,
    start: member.offset,
    end: member.offset + member.size,
  });
}

/** Finds a file in the archive, through links as long as they stay in it. @throws ToolError `ARCHIVE_INVALID`. */
export function fileMember(archive: ArchiveFile, name: string): TarMember {
  let wanted = plainName(name);
  for (let links = 0; wanted !== undefined && links < MAX_LINKS; links += 1) {
    const member = archive.members.get(wanted);
    if (member?.type === "file") return member;
    wanted =
      member?.linkTarget === undefined || member.linkTarget.startsWith("/")
        ? undefined
        : plainName(member.linkTarget);
  }
  throw invalidArchive(
    archive.path,
    `there is no file ${JSON.stringify(name.slice(0, 200))} in it`,
  );
}

/** The answer to an archive that cannot be used. */
export function invalidArchive(path: string, why: string, cause?: unknown): ToolError {
  return new ToolError("ARCHIVE_INVALID", `read "${path}": ${why}`, {
    cause,
    hint: "make the archive again",
  });
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    const file = await open(path, "r");
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (error) {
    throw invalidArchive(
      path,
      `it cannot be opened (${(error as NodeJS.ErrnoException).code ?? "unknown reason"})`,
      error,
    );
  }
  throw invalidArchive(path, "it is not a file");
}

interface Unpack extends OpenArchiveOptions {
  readonly path: string;
  readonly compression: "gzip" | "zstd";
}

/** Gives the file itself, or what it unpacks to; then the packed one is closed. */
async function openPlain(
  packed: FileHandle,
  options: OpenArchiveOptions & { readonly path: string },
): Promise<FileHandle> {
  let isKept = false;
  try {
    const compression = await compressionAt(packed, 0);
    if (compression !== "none") {
      const content = readRange(packed, {
        start: 0,
        end: Number.MAX_SAFE_INTEGER,
        signal: options.signal,
      });
      return await spool(decompressed(content, { ...options, compression }), options);
    }
    isKept = true;
    return packed;
  } finally {
    if (!isKept) await packed.close();
  }
}

/**
 * Writes to a file that was already unlinked. The system frees it when this process ends, in
 * whatever way.
 */
async function spool(content: Bytes, options: OpenArchiveOptions): Promise<FileHandle> {
  await using folder = await createTempDir("slipway-archive", options.temporaryDir);
  const file = await open(join(folder.path, "archive.tar"), "wx+", 0o600);
  try {
    await writeBehind(file, content, { signal: options.signal });
    return file;
  } catch (error) {
    await file.close();
    throw explainWriteError(error, folder.path);
  }
}

async function* decompressed(
  content: Bytes,
  options: Unpack,
): AsyncGenerator<Uint8Array, void, undefined> {
  const maxBytes = options.maxUnpackedBytes ?? DEFAULT_MAX_UNPACKED;
  const decoder =
    options.compression === "gzip"
      ? createGunzip({ chunkSize: 1 << 18 })
      : createZstdDecompress({ chunkSize: 1 << 18 });
  const source = Readable.from(content, { objectMode: false });
  // A broken source must end the decoder too; `pipe` alone leaves it waiting.
  source.once("error", (error) => decoder.destroy(error));
  let size = 0;
  try {
    for await (const chunk of source.pipe(decoder) as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > maxBytes)
        throw new ToolError(
          "LIMIT_EXCEEDED",
          `read "${options.path}": it unpacks to more than ${maxBytes} bytes`,
        );
      yield chunk;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code === "string" && /^(Z_|ZSTD_)/.test(code))
      throw invalidArchive(options.path, `its ${options.compression} data is damaged`, error);
    throw error;
  } finally {
    source.destroy();
    decoder.destroy();
  }
}
