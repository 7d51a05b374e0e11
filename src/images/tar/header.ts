import { ToolError } from "../../ground/errors/index.ts";
import type { TarDevice, TarEntry } from "./entry.ts";

/** Bytes of a tar block. */
export const BLOCK_BYTES = 512;
/** Largest number that eleven octal digits hold: sizes and times. */
const MAX_OCTAL_11 = 0o77777777777;
/** Largest number that seven octal digits hold: ids. */
const MAX_OCTAL_7 = 0o7777777;
const TYPE_FLAGS = { file: "0", hardlink: "1", symlink: "2", directory: "5" } as const;
/** What PAX keys of extended attributes begin with, for GNU tar, bsdtar and container engines alike. */
export const XATTR_PREFIX = "SCHILY.xattr.";
const DEVICE_FLAGS = { character: "3", block: "4", fifo: "6" } as const;
const ASCII = /^[\x20-\x7e]*$/;

/**
 * The header blocks of one entry: ustar, with a PAX header before it only where ustar cannot say it (8 GiB and more, long or
 * non-ASCII names and targets, ids above two million, extended attributes).
 * @param mtimeS - seconds since the epoch
 * @throws ToolError `FILE_REFUSED` for a device that nothing is known of, `USAGE` for a time before 1970 or beyond what ustar holds. @see POSIX pax, "ustar Interchange Format"
 */
export function encodeHeader(entry: TarEntry, mtimeS: number): Buffer {
  checkTime(mtimeS);
  const { uid = 0, gid = 0, linkTarget = "" } = entry;
  const size = entry.type === "file" ? entry.size : 0;
  const name = entry.type === "directory" ? `${entry.path}/` : entry.path;
  const split = splitName(name);
  const records = paxRecords(entry, name, split !== undefined);
  const block = encodeBlock({
    name: split?.name ?? fallbackName(name),
    prefix: split?.prefix ?? "",
    mode: entry.mode,
    uid: zeroAbove(MAX_OCTAL_7, uid),
    gid: zeroAbove(MAX_OCTAL_7, gid),
    size: zeroAbove(MAX_OCTAL_11, size),
    mtimeS,
    type: typeFlag(entry),
    target: fallbackName(linkTarget),
    device: entry.device,
  });
  return records.length === 0 ? block : Buffer.concat([encodePax(records, name), block]);
}

/**
 * As `encodeHeader`, with a PAX comment before it that makes the content begin at a multiple of `alignment` bytes. Readers pass comments
 * over.
 * @param place - `position`: where in the tar the header begins, a multiple of 512; `alignment`: a multiple of 512
 * @see POSIX pax, "pax Extended Header", the keyword `comment`
 */
export function encodeAlignedHeader(
  entry: TarEntry,
  mtimeS: number,
  { position, alignment }: { readonly position: number; readonly alignment: number },
): Buffer {
  const plain = encodeHeader(entry, mtimeS);
  if ((position + plain.byteLength) % alignment === 0) return plain;
  const block = plain.subarray(plain.byteLength - BLOCK_BYTES);
  const name = entry.path;
  const records = paxRecords(entry, name, splitName(name) !== undefined);
  const taken = records.reduce((sum, record) => sum + encodeRecord(...record).byteLength, 0);
  let bodyBytes = taken + MIN_COMMENT_BYTES;
  bodyBytes += paddingOf(bodyBytes);
  while ((position + bodyBytes + 2 * BLOCK_BYTES) % alignment !== 0) bodyBytes += BLOCK_BYTES;
  const comment: PaxRecord = ["comment", " ".repeat(commentLength(bodyBytes - taken))];
  return Buffer.concat([encodePax([...records, comment], name), block]);
}

/** Room for a record that says nothing. */
const MIN_COMMENT_BYTES = 16;

/** Length of the value of a comment whose whole record has so many bytes. */
function commentLength(recordBytes: number): number {
  return recordBytes - `${recordBytes} comment=\n`.length;
}

function typeFlag({ type, path, device }: TarEntry): string {
  if (type !== "device") return TYPE_FLAGS[type];
  if (device === undefined) throw new ToolError("FILE_REFUSED", `write tar: "${path}" is a device`);
  return DEVICE_FLAGS[device.kind];
}

function checkTime(mtimeS: number): void {
  if (Number.isSafeInteger(mtimeS) && mtimeS >= 0 && mtimeS <= MAX_OCTAL_11) return;
  throw new ToolError(
    "USAGE",
    `write tar: the time ${mtimeS} is no count of seconds since 1970 that a tar can hold`,
  );
}

/** A number that its field cannot hold stands in the PAX header, and the field is zero, as other writers leave it. */
function zeroAbove(most: number, value: number): number {
  return value > most ? 0 : value;
}

type PaxRecord = readonly [key: string, value: string | Uint8Array];

/** What ustar cannot say, in a fixed order. */
function paxRecords(entry: TarEntry, name: string, fitsName: boolean): readonly PaxRecord[] {
  const { linkTarget = "", size, uid = 0, gid = 0 } = entry;
  const records: PaxRecord[] = [];
  if (!fitsName) records.push(["path", name]);
  if (linkTarget.length > 100 || !ASCII.test(linkTarget)) records.push(["linkpath", linkTarget]);
  if (entry.type === "file" && size > MAX_OCTAL_11) records.push(["size", `${size}`]);
  if (uid > MAX_OCTAL_7) records.push(["uid", `${uid}`]);
  if (gid > MAX_OCTAL_7) records.push(["gid", `${gid}`]);
  return [...records, ...xattrRecords(entry)];
}

function xattrRecords({ xattrs = {} }: TarEntry): readonly PaxRecord[] {
  return Object.entries(xattrs)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => [`${XATTR_PREFIX}${key}`, value]);
}

/** How many zero bytes follow a content of `size` bytes. */
export function paddingOf(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

interface Block {
  readonly name: string;
  readonly prefix: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeS: number;
  readonly type: string;
  readonly target: string;
  readonly device?: TarDevice | undefined;
}

function encodeBlock(fields: Block): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, offset: number, digits: number): void =>
    void block.write(value.toString(8).padStart(digits, "0"), offset, "latin1");
  block.write(fields.name, 0, 100, "latin1");
  octal(fields.mode & 0o7777, 100, 7);
  octal(fields.uid, 108, 7);
  octal(fields.gid, 116, 7);
  octal(fields.size, 124, 11);
  octal(fields.mtimeS, 136, 11);
  block.write("        ", 148, "latin1");
  block.write(fields.type, 156, "latin1");
  block.write(fields.target, 157, 100, "latin1");
  block.write("ustar\u000000", 257, "latin1");
  octal(fields.device?.major ?? 0, 329, 7);
  octal(fields.device?.minor ?? 0, 337, 7);
  block.write(fields.prefix, 345, 155, "latin1");
  block.write(`${checksum(block).toString(8).padStart(6, "0")}\u0000 `, 148, "latin1");
  return block;
}

/** Sum of a header's bytes with its checksum field read as spaces. */
export function checksum(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let index = 0; index < BLOCK_BYTES; index += 1)
    if (index < 148 || index >= 156) sum += block[index] ?? 0;
  return sum;
}

function encodePax(records: readonly PaxRecord[], name: string): Buffer {
  const body = Buffer.concat(records.map(([key, value]) => encodeRecord(key, value)));
  const header = encodeBlock({
    name: fallbackName(`PaxHeaders.0/${name.split("/").filter(Boolean).at(-1) ?? ""}`),
    prefix: "",
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: body.byteLength,
    mtimeS: 0,
    type: "x",
    target: "",
  });
  return Buffer.concat([header, body, Buffer.alloc(paddingOf(body.byteLength))]);
}

/** `<length> <key>=<value>\n`, where the length counts its own digits. */
function encodeRecord(key: string, value: string | Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")]);
  let length = rest.byteLength + 1;
  while (`${length}`.length + rest.byteLength !== length)
    length = `${length}`.length + rest.byteLength;
  return Buffer.concat([Buffer.from(`${length}`), rest]);
}

/** Splits a long name at a slash into prefix (155) and name (100); `undefined` when it does not fit or is not ASCII. */
function splitName(name: string): { readonly prefix: string; readonly name: string } | undefined {
  if (!ASCII.test(name)) return undefined;
  if (name.length <= 100) return { prefix: "", name };
  const slash = name.indexOf("/", name.length - 101);
  if (slash <= 0 || slash > 155 || slash === name.length - 1) return undefined;
  return { prefix: name.slice(0, slash), name: name.slice(slash + 1) };
}

/** What a reader without PAX sees. */
function fallbackName(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/gu, "_").slice(0, 100);
}
