import { checksum, XATTR_PREFIX } from "./header.ts";
import { TarError } from "./tar-error.ts";

/** A header as written, before anything is made of it. */
export interface RawHeader {
  readonly path: string;
  readonly linkTarget: string;
  /** The type flag, one character. */
  readonly type: string;
  readonly mode: number;
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
}

/** @throws ToolError `ARCHIVE_INVALID` for a wrong checksum or number. */
export function decodeHeader(block: Uint8Array): RawHeader {
  if (number(block.subarray(148, 156), "checksum") !== checksum(block))
    throw new TarError("a header's checksum is wrong");
  const isUstar = text(block.subarray(257, 262)) === "ustar";
  const prefix = isUstar && block[262] === 0 ? text(block.subarray(345, 500)) : "";
  const name = text(block.subarray(0, 100));
  return {
    path: prefix === "" ? name : `${prefix}/${name}`,
    linkTarget: text(block.subarray(157, 257)),
    type: String.fromCharCode(block[156] ?? 0),
    mode: number(block.subarray(100, 108), "mode"),
    uid: number(block.subarray(108, 116), "uid"),
    gid: number(block.subarray(116, 124), "gid"),
    size: number(block.subarray(124, 136), "size"),
    ...deviceNumbers(block),
  };
}

/** Only devices have them; other writers leave anything there. */
function deviceNumbers(block: Uint8Array): Pick<RawHeader, "deviceMajor" | "deviceMinor"> {
  const isDevice = block[156] === 0x33 || block[156] === 0x34; // "3" and "4"
  if (!isDevice) return { deviceMajor: 0, deviceMinor: 0 };
  return {
    deviceMajor: number(block.subarray(329, 337), "device number"),
    deviceMinor: number(block.subarray(337, 345), "device number"),
  };
}

/** Reads a PAX body; what this project does not know is passed over. @throws ToolError `ARCHIVE_INVALID`. @see POSIX pax, "pax Extended Header" */
export function parsePax(body: Uint8Array): Partial<RawHeader> {
  const found: { -readonly [Key in keyof RawHeader]?: RawHeader[Key] } = {};
  for (let offset = 0; offset < body.byteLength;) {
    const space = body.indexOf(0x20, offset);
    const length = space < 0 ? Number.NaN : wholeNumber(text(body.subarray(offset, space)));
    const end = offset + length;
    if (!(end <= body.byteLength && end > space + 1) || body[end - 1] !== 0x0a)
      throw new TarError("a PAX record has a wrong length");
    const record = body.subarray(space + 1, end - 1);
    const equals = record.indexOf(0x3d);
    if (equals <= 0) throw new TarError("a PAX record has no key");
    apply(found, utf8(record.subarray(0, equals)), record.subarray(equals + 1));
    offset = end;
  }
  return found;
}

/** Text up to the first zero byte, as UTF-8 or, where it is none, as Latin-1. */
export function plainText(bytes: Uint8Array): string {
  return text(bytes);
}

function apply(
  found: { -readonly [Key in keyof RawHeader]?: RawHeader[Key] },
  key: string,
  bytes: Uint8Array,
): void {
  if (key.startsWith("GNU.sparse")) throw new TarError("it holds a sparse file");
  if (key.startsWith(XATTR_PREFIX)) {
    const name = key.slice(XATTR_PREFIX.length);
    if (name !== "" && name !== "__proto__")
      found.xattrs = { ...found.xattrs, [name]: Uint8Array.from(bytes) };
    return;
  }
  const value = utf8(bytes);
  if (key === "path") found.path = value;
  else if (key === "linkpath") found.linkTarget = value;
  else if (key === "size" || key === "uid" || key === "gid") {
    const parsed = wholeNumber(value);
    if (Number.isNaN(parsed)) throw new TarError(`the PAX ${key} is "${value.slice(0, 40)}"`);
    found[key] = parsed;
  }
}

function number(field: Uint8Array, what: string): number {
  if (((field[0] ?? 0) & 0x80) !== 0) return base256(field, what);
  const digits = text(field).trim();
  if (digits === "") return 0;
  if (!/^[0-7]+$/.test(digits)) throw new TarError(`a header's ${what} is "${digits}"`);
  return Number.parseInt(digits, 8);
}

function base256(field: Uint8Array, what: string): number {
  if ((field[0] ?? 0) !== 0x80) throw new TarError(`a header's ${what} is negative or too large`);
  let value = 0;
  for (const byte of field.subarray(1)) {
    value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw new TarError(`a header's ${what} is too large`);
  }
  return value;
}

function wholeNumber(digits: string): number {
  const value = /^[0-9]{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return utf8(end < 0 ? bytes : bytes.subarray(0, end));
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1"); // names of old archives
  }
}
