import type { FileHandle } from "node:fs/promises";
import { ToolError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";
import { decodeHeader, parsePax, plainText, TarError, type RawHeader } from "../tar/index.ts";

/** One member of a tar file and where its content lies. */
export interface TarMember {
  /** Relative, without `.` and `..`, separated by `/`. */
  readonly name: string;
  readonly type: "file" | "directory" | "link";
  /** First byte of the content in the file. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** What a link points at, as written. */
  readonly linkTarget?: string;
}

export interface ScanTarOptions extends CallOptions {
  /** For messages. */
  readonly path: string;
}

const BLOCK = 512;
const EXTENSIONS: ReadonlySet<string> = new Set(["x", "g", "L", "K"]);
const MAX_MEMBERS = 20_000;
const MAX_NAME_BYTES = 4096;
const MAX_EXTENSION_BYTES = 1 << 20;

/**
 * Lists the members of a tar file by reading its headers only, so that a member can be read later without what stands
 * before it. Knows ustar, PAX and GNU names and sizes. Everything is hostile: names that leave the archive, names that
 * come twice, devices, sparse files, sizes beyond the end, and anything that is not tar are refused.
 * @throws ToolError `ARCHIVE_INVALID` naming the member, `LIMIT_EXCEEDED` for more than 20 000 members.
 */
export async function scanTar(
  file: FileHandle,
  options: ScanTarOptions,
): Promise<ReadonlyMap<string, TarMember>> {
  const { size: fileSize } = await file.stat();
  const members = new Map<string, TarMember>();
  const reader = { file, fileSize, ...options };
  for (let position = 0; ;) {
    options.signal?.throwIfAborted();
    const next = await readMember(reader, position).catch((error: unknown) => {
      throw inFile(options.path, error, position);
    });
    if (next === undefined) return members;
    position = next.end;
    if (next.member.name === "") continue;
    if (members.has(next.member.name))
      throw invalidArchive(options.path, `"${next.member.name}" comes twice`);
    if (members.size >= MAX_MEMBERS)
      throw new ToolError(
        "LIMIT_EXCEEDED",
        `read "${options.path}": it has more than ${MAX_MEMBERS} members`,
      );
    members.set(next.member.name, next.member);
  }
}

interface Reader extends ScanTarOptions {
  readonly file: FileHandle;
  readonly fileSize: number;
}

/** A header with the extensions before it applied. */
interface Located {
  readonly header: RawHeader;
  readonly offset: number;
  readonly end: number;
}

async function readMember(
  reader: Reader,
  start: number,
): Promise<{ readonly member: TarMember; readonly end: number } | undefined> {
  let extension: Partial<RawHeader> = {};
  for (let position = start; ;) {
    const located = await readHeader(reader, position, extension);
    if (located === undefined) {
      if (position !== start)
        throw invalidArchive(reader.path, "it ends after an extension header");
      return undefined;
    }
    const { header, offset, end } = located;
    if (!EXTENSIONS.has(header.type)) return { member: memberOf(reader, header, offset), end };
    extension = {
      ...extension,
      ...parseExtension(header.type, await readExtension(reader, header.size, offset)),
    };
    position = end;
  }
}

async function readHeader(
  reader: Reader,
  position: number,
  extension: Partial<RawHeader>,
): Promise<Located | undefined> {
  const block = Buffer.alloc(BLOCK);
  const { bytesRead } = await reader.file.read(block, 0, BLOCK, position);
  // Writers that leave the closing zero blocks out are common enough.
  if (bytesRead === 0 || (bytesRead === BLOCK && block.every((byte) => byte === 0)))
    return undefined;
  if (bytesRead < BLOCK) throw invalidArchive(reader.path, "it is cut short within a header");
  const raw = decodeHeader(block);
  const header = EXTENSIONS.has(raw.type) ? raw : { ...raw, ...extension };
  const offset = position + BLOCK;
  if (offset + header.size > reader.fileSize)
    throw invalidArchive(
      reader.path,
      `it is cut short: a member of ${header.size} bytes begins at byte ${offset} of ${reader.fileSize}`,
    );
  return { header, offset, end: offset + Math.ceil(header.size / BLOCK) * BLOCK };
}

async function readExtension(reader: Reader, size: number, offset: number): Promise<Buffer> {
  if (size > MAX_EXTENSION_BYTES)
    throw invalidArchive(reader.path, `an extension header has ${size} bytes`);
  const content = Buffer.alloc(size);
  await reader.file.read(content, 0, size, offset);
  return content;
}

function parseExtension(type: string, content: Buffer): Partial<RawHeader> {
  if (type === "L") return { path: plainText(content) };
  if (type === "K") return { linkTarget: plainText(content) };
  const records = parsePax(content);
  return type === "x" ? records : {};
}

function memberOf(reader: Reader, header: RawHeader, offset: number): TarMember {
  const name = checkedName(reader.path, header.path);
  switch (header.type) {
    case "0":
    case "\0":
    case "7":
      return { name, type: "file", offset, size: header.size };
    case "5":
      return { name, type: "directory", offset, size: 0 };
    case "1":
    case "2":
      return { name, type: "link", offset, size: 0, linkTarget: linkPath(name, header) };
    default:
      throw invalidArchive(reader.path, `"${name}" is neither a file nor a folder nor a link`);
  }
}

/** Names are checked when they are followed; here a symbolic one is only made relative to the archive, as a hard one is. */
function linkPath(name: string, header: RawHeader): string {
  return header.type === "1"
    ? header.linkTarget
    : [...name.split("/").slice(0, -1), header.linkTarget].join("/");
}

function checkedName(path: string, name: string): string {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw invalidArchive(path, `a name has more than ${MAX_NAME_BYTES} bytes`);
  const plain = plainName(name);
  if (name.startsWith("/") || plain === undefined)
    throw invalidArchive(path, `the name ${JSON.stringify(name.slice(0, 200))} leads out of it`);
  return plain;
}

/** A name without `.` and empty parts, `..` resolved; `undefined` when it leads above the archive. */
export function plainName(name: string): string | undefined {
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === ".." && parts.pop() === undefined) return undefined;
    if (part !== "" && part !== "." && part !== "..") parts.push(part);
  }
  return name.includes("\0") ? undefined : parts.join("/");
}

/** The reading of headers knows no file; its refusals get the name here. */
function inFile(path: string, error: unknown, position: number): unknown {
  if (!(error instanceof TarError)) return error;
  const { why } = error;
  return new ToolError(
    "ARCHIVE_INVALID",
    `read "${path}": ${position === 0 ? `it is no tar file, or damaged: ${why}` : `${why}, behind byte ${position}`}`,
    { cause: error, hint: "make the archive again" },
  );
}

function invalidArchive(path: string, why: string): ToolError {
  return new ToolError("ARCHIVE_INVALID", `read "${path}": ${why}`, {
    hint: "make the archive again",
  });
}
