import type { FileHandle } from "node:fs/promises";
import { ToolError } from "../errors/index.ts";
import type { CallOptions } from "../internal/index.ts";

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
const MAX_MEMBERS = 100_000;
const MAX_NAME_BYTES = 4096;
const MAX_EXTENSION_BYTES = 1 << 20;

/**
 * Lists the members of a tar file by reading its headers only, so that a member can be read later without what stands
 * before it. Knows ustar, PAX and GNU names and sizes. Everything is hostile: names that leave the archive, names that
 * come twice, devices, sparse files, sizes beyond the end, and anything that is not tar are refused.
 * @throws ToolError `ARCHIVE_INVALID` naming the member, `LIMIT_EXCEEDED` for more than 100 000 members.
 */
export async function scanTar(file: FileHandle, options: ScanTarOptions): Promise<ReadonlyMap<string, TarMember>> {
  const { size: fileSize } = await file.stat();
  const members = new Map<string, TarMember>();
  const reader = { file, fileSize, ...options };
  for (let position = 0; ; ) {
    options.signal?.throwIfAborted();
    const next = await readMember(reader, position);
    if (next === undefined) return members;
    position = next.end;
    if (next.member.name === "") continue;
    if (members.has(next.member.name)) throw invalid(options.path, `"${next.member.name}" comes twice`);
    if (members.size >= MAX_MEMBERS) throw new ToolError("LIMIT_EXCEEDED", `read "${options.path}": it has more than ${MAX_MEMBERS} members`);
    members.set(next.member.name, next.member);
  }
}

interface Reader extends ScanTarOptions {
  readonly file: FileHandle;
  readonly fileSize: number;
}

/** Names and sizes that an extension header gives the member after it. */
interface Extension {
  name?: string;
  linkTarget?: string;
  size?: number;
}

async function readMember(reader: Reader, start: number): Promise<{ readonly member: TarMember; readonly end: number } | undefined> {
  const extension: Extension = {};
  for (let position = start; ; ) {
    const header = await readHeader(reader, position);
    if (header === undefined) {
      if (position !== start) throw invalid(reader.path, "it ends after an extension header");
      return undefined;
    }
    const type = String.fromCharCode(header[156] ?? 0);
    const size = extension.size !== undefined && !isExtension(type) ? extension.size : readNumber(header.subarray(124, 136), reader.path);
    const offset = position + BLOCK;
    const end = offset + Math.ceil(size / BLOCK) * BLOCK;
    if (offset + size > reader.fileSize) throw invalid(reader.path, `it is cut short: a member of ${size} bytes begins at byte ${offset} of ${reader.fileSize}`);
    if (!isExtension(type)) return { member: memberOf(reader, { header, extension, type, size, offset }), end };
    await readExtension(reader, { type, size, offset, extension });
    position = end;
  }
}

async function readHeader(reader: Reader, position: number): Promise<Buffer | undefined> {
  const header = Buffer.alloc(BLOCK);
  const { bytesRead } = await reader.file.read(header, 0, BLOCK, position);
  // Writers that leave the closing zero blocks out are common enough.
  if (bytesRead === 0 || (bytesRead === BLOCK && header.every((byte) => byte === 0))) return undefined;
  if (bytesRead < BLOCK) throw invalid(reader.path, "it is cut short within a header");
  if (!hasChecksum(header)) throw invalid(reader.path, `it is not a tar file, or damaged at byte ${position}`);
  return header;
}

function isExtension(type: string): boolean {
  return type === "x" || type === "g" || type === "L" || type === "K";
}

async function readExtension(reader: Reader, options: { readonly type: string; readonly size: number; readonly offset: number; readonly extension: Extension }): Promise<void> {
  const { type, size, offset, extension } = options;
  if (size > MAX_EXTENSION_BYTES) throw invalid(reader.path, `an extension header has ${size} bytes`);
  const content = Buffer.alloc(size);
  await reader.file.read(content, 0, size, offset);
  if (type === "L") extension.name = textOf(content);
  else if (type === "K") extension.linkTarget = textOf(content);
  else if (type === "x") applyPax(reader.path, content, extension);
}

/** @see POSIX.1-2017, pax, "pax Extended Header": `LENGTH KEY=VALUE\n`, the length counting itself. */
function applyPax(path: string, content: Buffer, extension: Extension): void {
  for (let at = 0; at < content.byteLength; ) {
    const space = content.indexOf(0x20, at);
    const digits = space < 0 ? "" : content.toString("latin1", at, space);
    const length = /^\d{1,7}$/.test(digits) ? Number(digits) : 0;
    const record = content.toString("utf8", space + 1, at + length - 1);
    const equals = record.indexOf("=");
    if (length <= space - at + 1 || at + length > content.byteLength || equals < 1) throw invalid(path, "an extension header is damaged");
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (key === "path") extension.name = value;
    if (key === "linkpath") extension.linkTarget = value;
    if (key === "size") extension.size = paxSize(path, value);
    if (key.startsWith("GNU.sparse.")) throw invalid(path, "it holds a sparse file");
    at += length;
  }
}

function paxSize(path: string, value: string): number {
  const size = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(size)) throw invalid(path, `a size is ${JSON.stringify(value.slice(0, 40))}`);
  return size;
}

function memberOf(reader: Reader, parts: { readonly header: Buffer; readonly extension: Extension; readonly type: string; readonly size: number; readonly offset: number }): TarMember {
  const { header, extension, type, size, offset } = parts;
  const name = checkedName(reader.path, extension.name ?? headerName(header));
  switch (type) {
    case "0":
    case "\0":
    case "7":
      return { name, type: "file", offset, size };
    case "5":
      return { name, type: "directory", offset, size: 0 };
    case "1":
    case "2":
      return { name, type: "link", offset, size: 0, linkTarget: linkPath(name, type, extension.linkTarget ?? textOf(header.subarray(157, 257))) };
    default:
      throw invalid(reader.path, `"${name}" is neither a file nor a folder nor a link`);
  }
}

/** Names are checked when they are followed; here a symbolic one is only made relative to the archive, as a hard one is. */
function linkPath(name: string, type: string, target: string): string {
  return type === "1" ? target : [...name.split("/").slice(0, -1), target].join("/");
}

function headerName(header: Buffer): string {
  const name = textOf(header.subarray(0, 100));
  const isUstar = header.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isUstar ? textOf(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function checkedName(path: string, name: string): string {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw invalid(path, `a name has more than ${MAX_NAME_BYTES} bytes`);
  const plain = plainName(name);
  if (name.startsWith("/") || plain === undefined) throw invalid(path, `the name ${JSON.stringify(name.slice(0, 200))} leads out of it`);
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

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.byteLength : end);
}

function readNumber(field: Buffer, path: string): number {
  const first = field[0] ?? 0;
  if (first === 0x80) return readBase256(field.subarray(1), path);
  const text = field.toString("latin1").replace(/[\0 ]+$/, "").trimStart();
  if (text === "") return 0;
  if (!/^[0-7]+$/.test(text)) throw invalid(path, `a size is ${JSON.stringify(text)}`);
  return Number.parseInt(text, 8);
}

/** GNU's form for sizes of 8 GiB and more. */
function readBase256(bytes: Buffer, path: string): number {
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  if (!Number.isSafeInteger(value)) throw invalid(path, "a size is larger than any file");
  return value;
}

function hasChecksum(header: Buffer): boolean {
  const text = header.toString("latin1", 148, 156).replace(/[\0 ]+$/, "").trimStart();
  if (!/^[0-7]+$/.test(text)) return false;
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return sum === Number.parseInt(text, 8);
}

function invalid(path: string, why: string): ToolError {
  return new ToolError("ARCHIVE_INVALID", `read "${path}": ${why}`, { hint: "make the archive again" });
}
