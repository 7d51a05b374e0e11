/** What a shared library says about itself and its needs. */
export interface ElfFacts {
  /** `DT_NEEDED`: file names of libraries it is linked with, in order. */
  readonly needed: readonly string[];
  /** `DT_SONAME`. */
  readonly soname?: string;
}

/** Gives `length` bytes from `offset`, or fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Buffer;

const HEADER_BYTES = 64;
const MAX_PROGRAM_HEADERS = 512;
const MAX_DYNAMIC_BYTES = 2 ** 20;
const MAX_OFFSET = 2n ** 48n;
const MAX_NAME_BYTES = 1024;
const [PT_LOAD, PT_DYNAMIC] = [1, 2];
const [DT_NULL, DT_NEEDED, DT_STRTAB, DT_SONAME] = [0, 1, 5, 14];

interface ProgramHeader {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
}

/**
 * Reads the dynamic section of a 64-bit little-endian ELF file: a few hundred bytes of it, whatever its size.
 * The file is hostile: counts are bounded and every offset is checked.
 * @returns undefined for anything that is no such file, is statically linked, or contradicts itself.
 * @see System V ABI, chapters 4 and 5
 */
export function readElf(readAt: ReadAt): ElfFacts | undefined {
  const header = readAt(0, HEADER_BYTES);
  if (
    header.byteLength < HEADER_BYTES ||
    header.toString("latin1", 0, 4) !== "\x7fELF" ||
    header[4] !== 2 ||
    header[5] !== 1
  )
    return undefined;
  const headers = readProgramHeaders(header, readAt);
  const dynamic = headers?.find(({ type }) => type === PT_DYNAMIC);
  if (headers === undefined || dynamic === undefined || dynamic.fileSize > MAX_DYNAMIC_BYTES)
    return undefined;
  return readDynamic(readAt(dynamic.offset, dynamic.fileSize), headers, readAt);
}

function readProgramHeaders(header: Buffer, readAt: ReadAt): readonly ProgramHeader[] | undefined {
  const offset = toNumber(header.readBigUInt64LE(32));
  const entrySize = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  if (offset === undefined || entrySize < 56 || entrySize > 1024 || count > MAX_PROGRAM_HEADERS)
    return undefined;
  const table = readAt(offset, entrySize * count);
  if (table.byteLength < entrySize * count) return undefined;
  const headers: ProgramHeader[] = [];
  for (let at = 0; at < table.byteLength; at += entrySize) {
    const [place, address, fileSize] = [8, 16, 32].map((field) =>
      toNumber(table.readBigUInt64LE(at + field)),
    );
    if (place !== undefined && address !== undefined && fileSize !== undefined)
      headers.push({ type: table.readUInt32LE(at), offset: place, address, fileSize });
  }
  return headers;
}

function readDynamic(
  dynamic: Buffer,
  headers: readonly ProgramHeader[],
  readAt: ReadAt,
): ElfFacts | undefined {
  const needed: number[] = [];
  let soname: number | undefined;
  let strings: number | undefined;
  for (let at = 0; at + 16 <= dynamic.byteLength; at += 16) {
    const tag = toNumber(dynamic.readBigUInt64LE(at));
    const value = toNumber(dynamic.readBigUInt64LE(at + 8));
    if (tag === DT_NULL) break;
    if (value === undefined) continue;
    if (tag === DT_NEEDED) needed.push(value);
    if (tag === DT_SONAME) soname = value;
    if (tag === DT_STRTAB) strings = fileOffsetOf(value, headers);
  }
  if (strings === undefined) return undefined;
  const table = strings;
  const name = (offset: number): string | undefined =>
    readName(readAt(table + offset, MAX_NAME_BYTES));
  const ownName = soname === undefined ? undefined : name(soname);
  return {
    needed: needed.map(name).filter((entry) => entry !== undefined),
    ...(ownName === undefined ? {} : { soname: ownName }),
  };
}

/** Addresses in the dynamic section are those of memory; the segment that holds one says where it is in the file. */
function fileOffsetOf(address: number, headers: readonly ProgramHeader[]): number | undefined {
  const segment = headers.find(
    (header) =>
      header.type === PT_LOAD &&
      address >= header.address &&
      address < header.address + header.fileSize,
  );
  return segment === undefined ? undefined : address - segment.address + segment.offset;
}

function readName(bytes: Buffer): string | undefined {
  const end = bytes.indexOf(0);
  const name = end > 0 ? bytes.toString("latin1", 0, end) : "";
  return /^[\w.+@~-]+$/.test(name) ? name : undefined;
}

function toNumber(value: bigint): number | undefined {
  return value <= MAX_OFFSET ? Number(value) : undefined;
}
