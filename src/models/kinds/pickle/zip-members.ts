import type { FileHandle } from "node:fs/promises";

/** Content of one member of an archive, as a range of the file. */
interface ZipMember {
  readonly name: string;
  readonly start: number;
  /** After the last byte. */
  readonly end: number;
  readonly isDeflated: boolean;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END_BYTES = 22;
const MAX_COMMENT = 65_535;
const MAX_MEMBERS = 100_000;
/** A member may be followed by its sizes and checksum. */
const MAX_GAP = 24;
const TOO_LARGE = 0xffff_ffff;

/** True when the last bytes are those of an archive, whatever the first ones are. */
export async function hasZipEnd(file: FileHandle, size: number): Promise<boolean> {
  return (await endOf(file, size)) !== undefined;
}

/** What an archive holds. */
export interface ZipContent {
  readonly members: readonly ZipMember[];
  /** What the directory lists, also where nothing stands. */
  readonly names: readonly string[];
  /** In words. */
  readonly faults: readonly string[];
}

/**
 * Members of an archive with everything in which its directory and its content disagree, since loaders differ in which they believe. Names,
 * flags and checksums decide nothing: every member is given.
 * @see PKWARE, APPNOTE.TXT 4.3
 */
export async function zipMembers(file: FileHandle, size: number): Promise<ZipContent> {
  const end = await endOf(file, size);
  const faults: string[] = [];
  if (end === undefined) return { members: [], names: [], faults: ["its directory is not there"] };
  const directory = await at(file, end.directory, end.directoryBytes);
  const listed = entriesIn(directory).toSorted((a, b) => a.offset - b.offset);
  if (listed.length !== end.count) faults.push("its directory is not whole");
  const placed = await Promise.all(listed.map((entry) => placeOf(file, entry)));
  if (hasGaps(placed, end.firstRecord)) faults.push("its directory and its content disagree");
  if (listed.some(({ method }) => method !== 0 && method !== 8))
    faults.push("a member cannot be unpacked");
  if (new Set(listed.map(({ name }) => name)).size < listed.length)
    faults.push("it has two members of one name");
  const members = placed
    .filter(({ isTrue }) => isTrue)
    .map(({ entry: { name, bytes, method }, start }) => {
      return { name, start, end: start + bytes, isDeflated: method === 8 };
    });
  return { members, names: listed.map(({ name }) => name), faults };
}

interface MemberPlace {
  readonly entry: Entry;
  /** Where the content begins. */
  readonly start: number;
  /** False when no member begins where the directory says. */
  readonly isTrue: boolean;
  /** True when the member calls itself what the directory calls it. */
  readonly isNamed: boolean;
}

async function placeOf(file: FileHandle, entry: Entry): Promise<MemberPlace> {
  const head = await at(file, entry.offset, 30);
  const isTrue = head.byteLength === 30 && head.readUInt32LE() === LOCAL;
  if (!isTrue) return { entry, start: entry.offset, isTrue, isNamed: false };
  const nameBytes = head.readUInt16LE(26);
  const name = await at(file, entry.offset + 30, nameBytes);
  const start = entry.offset + 30 + nameBytes + head.readUInt16LE(28);
  return { entry, start, isTrue, isNamed: name.toString("latin1") === entry.name };
}

/** True when bytes stand in the file that no member accounts for, or members overlap. */
function hasGaps(places: readonly MemberPlace[], end: number): boolean {
  let expected = 0;
  for (const { entry, start, isNamed } of places) {
    const gap = entry.offset - expected;
    if (!isNamed || gap < 0 || gap > (expected === 0 ? 0 : MAX_GAP)) return true;
    expected = start + entry.bytes;
  }
  return end < expected || end - expected > MAX_GAP;
}

interface Entry {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  readonly method: number;
}

function entriesIn(directory: Buffer): readonly Entry[] {
  const entries: Entry[] = [];
  for (let pos = 0; pos + 46 <= directory.byteLength && entries.length < MAX_MEMBERS;) {
    if (directory.readUInt32LE(pos) !== CENTRAL) break;
    const nameBytes = directory.readUInt16LE(pos + 28);
    const extraBytes = directory.readUInt16LE(pos + 30);
    const extra = directory.subarray(pos + 46 + nameBytes, pos + 46 + nameBytes + extraBytes);
    entries.push({
      name: directory.toString("latin1", pos + 46, pos + 46 + nameBytes),
      method: directory.readUInt16LE(pos + 10),
      ...sizesOf(directory.subarray(pos, pos + 46), extra),
    });
    pos += 46 + nameBytes + extraBytes + directory.readUInt16LE(pos + 32);
  }
  return entries;
}

/** Numbers that do not fit stand in the extra field, in the order of the header. @see APPNOTE.TXT 4.5.3 */
function sizesOf(head: Buffer, extra: Buffer): Pick<Entry, "bytes" | "offset"> {
  let wide = Buffer.alloc(0);
  for (let pos = 0; pos + 4 <= extra.byteLength; pos += 4 + extra.readUInt16LE(pos + 2))
    if (extra.readUInt16LE(pos) === 1) wide = Buffer.from(extra.subarray(pos + 4));
  const next = (value: number): number => {
    if (value !== TOO_LARGE || wide.byteLength < 8) return value;
    const found = Number(wide.readBigUInt64LE());
    wide = wide.subarray(8);
    return found;
  };
  next(head.readUInt32LE(24));
  const bytes = next(head.readUInt32LE(20));
  return { bytes, offset: next(head.readUInt32LE(42)) };
}

interface End {
  readonly directory: number;
  readonly directoryBytes: number;
  readonly count: number;
  /** Where the members end. */
  readonly firstRecord: number;
}

async function endOf(file: FileHandle, size: number): Promise<End | undefined> {
  const tailStart = Math.max(0, size - END_BYTES - MAX_COMMENT);
  const tail = await at(file, tailStart, size - tailStart);
  const found = tail.lastIndexOf("PK\x05\x06", undefined, "latin1");
  if (found < 0 || found + END_BYTES > tail.byteLength) return undefined;
  const directoryBytes = tail.readUInt32LE(found + 12);
  const directory = tail.readUInt32LE(found + 16);
  const plain = {
    directory,
    directoryBytes,
    count: tail.readUInt16LE(found + 10),
    firstRecord: directory,
  };
  const locator = found - 20;
  if (locator < 0 || tail.readUInt32LE(locator) !== 0x07064b50) return plain;
  const wide = await at(file, Number(tail.readBigUInt64LE(locator + 8)), 56);
  if (wide.byteLength < 56 || wide.readUInt32LE() !== 0x06064b50) return plain;
  const start = Number(wide.readBigUInt64LE(48));
  return {
    directory: start,
    directoryBytes: Number(wide.readBigUInt64LE(40)),
    count: Number(wide.readBigUInt64LE(32)),
    firstRecord: start,
  };
}

const MAX_DIRECTORY_BYTES = 64 * 2 ** 20;

async function at(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  if (!Number.isSafeInteger(offset) || length < 0 || length > MAX_DIRECTORY_BYTES)
    return Buffer.alloc(0);
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, offset);
  return buffer.subarray(0, bytesRead);
}
