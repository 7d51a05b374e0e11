import type { Bytes, CallOptions } from "../internal/index.ts";

/** A file of an archive. */
export interface ArchiveMember {
  /** At most 100 ASCII characters. */
  readonly name: string;
  readonly size: number;
  /** Exactly `size` bytes, a fresh stream per call. */
  open(options: CallOptions): Bytes;
}

const BLOCK = 512;
const LARGEST_OCTAL = 0o77777777777;

/** Joins files to a tar stream. Equal members give equal bytes. */
export function tarOf(members: readonly ArchiveMember[]): { readonly size: number; open(options?: CallOptions): Bytes } {
  const size = members.reduce((sum, member) => sum + headerOf(member).byteLength + member.size + padding(member.size), 2 * BLOCK);
  return { size, open: (options = {}) => stream(members, options) };
}

async function* stream(members: readonly ArchiveMember[], options: CallOptions): AsyncGenerator<Uint8Array, void, undefined> {
  for (const member of members) {
    yield headerOf(member);
    yield* member.open(options);
    yield Buffer.alloc(padding(member.size));
  }
  yield Buffer.alloc(2 * BLOCK);
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** A ustar header, after a PAX one where the size does not fit. */
function headerOf(member: ArchiveMember): Buffer {
  if (member.size <= LARGEST_OCTAL) return block({ name: member.name, size: member.size, type: "0" });
  const record = paxRecord("size", String(member.size));
  const content = Buffer.alloc(record.length + padding(record.length), 0);
  content.write(record);
  return Buffer.concat([block({ name: "PaxHeaders/size", size: record.length, type: "x" }), content, block({ name: member.name, size: 0, type: "0" })]);
}

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length;
  return `${length}${rest}`;
}

function block(entry: { readonly name: string; readonly size: number; readonly type: string }): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, digits: number): void => void header.write(`${value.toString(8).padStart(digits, "0")}\0`, offset);
  header.write(entry.name, 0, 100);
  octal(0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(entry.size, 124, 11);
  octal(0, 136, 11);
  header.write("        ", 148);
  header.write(entry.type, 156);
  header.write("ustar\0" + "00", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
