import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/** A file of a wheel; a plain string or buffer is an ordinary file. */
export type WheelFile =
  | string
  | Buffer
  | { readonly content: string | Buffer; readonly mode: number };

export interface WheelSpec {
  readonly name: string;
  readonly version?: string;
  /** Default `py3-none-any`. */
  readonly tag?: string;
  /** By path; written in this order and listed in `RECORD`. */
  readonly files?: Readonly<Record<string, WheelFile>>;
  /** Lines of `Requires-Dist`. */
  readonly requires?: readonly string[];
  /** Text of `entry_points.txt`. */
  readonly entryPoints?: string;
  /** More lines of `METADATA`. */
  readonly metadata?: readonly string[];
  /** Entries that are not in `RECORD`: anything a hostile wheel may hold. */
  readonly extra?: readonly ZipEntry[];
  /** Lines of `RECORD` in place of the right ones. */
  readonly record?: string;
}

export interface ZipEntry {
  readonly name: string;
  readonly content: string | Buffer;
  /** Unix mode with file type; default a regular file, 0644. */
  readonly mode?: number;
}

/** Writes a wheel into `folder` and gives its path. @see PEP 427 */
export async function writeWheel(folder: string, spec: WheelSpec): Promise<string> {
  const version = spec.version ?? "1.0";
  const stem = `${spec.name.replaceAll("-", "_")}-${version}`;
  const info = `${stem}.dist-info`;
  const metadata = [
    "Metadata-Version: 2.1",
    `Name: ${spec.name}`,
    `Version: ${version}`,
    ...(spec.requires ?? []).map((line) => `Requires-Dist: ${line}`),
    ...(spec.metadata ?? []),
  ];
  const tag = spec.tag ?? "py3-none-any";
  const [python = "", abi = "", platforms = ""] = tag.split("-");
  const tags = platforms.split(".").map((platform) => `Tag: ${python}-${abi}-${platform}`);
  const files: ZipEntry[] = Object.entries(
    spec.files ?? { [`${spec.name.replaceAll("-", "_")}.py`]: `name = "${spec.name}"\n` },
  ).map(([name, file]) =>
    typeof file === "string" || Buffer.isBuffer(file)
      ? { name, content: file }
      : { name, content: file.content, mode: 0o100000 | file.mode },
  );
  files.push({ name: `${info}/METADATA`, content: `${metadata.join("\n")}\n` });
  files.push({
    name: `${info}/WHEEL`,
    content: `Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: ${platforms === "any"}\n${tags.join("\n")}\n`,
  });
  if (spec.entryPoints !== undefined)
    files.push({ name: `${info}/entry_points.txt`, content: spec.entryPoints });
  const record = spec.record ?? [...files.map(recordLine), `${info}/RECORD,,`, ""].join("\n");
  const path = join(folder, `${stem}-${tag}.whl`);
  await mkdir(folder, { recursive: true });
  await writeFile(
    path,
    zip([...files, ...(spec.extra ?? []), { name: `${info}/RECORD`, content: record }]),
  );
  return path;
}

function recordLine({ name, content }: ZipEntry): string {
  return `${name},sha256=${createHash("sha256").update(content).digest("base64url")},${Buffer.byteLength(content)}`;
}

/** A zip file with stored entries, written as they are given: names are not checked. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, mode } of entries) {
    const bytes = Buffer.from(content);
    const encoded = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x21, 8); // 1980-01-01
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.byteLength, 14);
    common.writeUInt32LE(bytes.byteLength, 18);
    common.writeUInt16LE(encoded.byteLength, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((mode ?? 0o100644) << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.from([0x50, 0x4b, 1, 2, 20, 3]), common, tail, encoded);
    const entry = [Buffer.from("PK\x03\x04", "latin1"), common, encoded, bytes];
    parts.push(...entry);
    offset += entry.reduce((sum, part) => sum + part.byteLength, 0);
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listing.byteLength, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, listing, end]);
}

/** A 64-bit ELF shared object that has nothing but a dynamic section. */
export function elf(names: {
  readonly needed: readonly string[];
  readonly soname?: string;
}): Buffer {
  const strings = Buffer.from(
    `\0${[...names.needed, ...(names.soname === undefined ? [] : [names.soname])].join("\0")}\0`,
    "latin1",
  );
  const offsetOf = (name: string): bigint => BigInt(strings.indexOf(`\0${name}\0`) + 1);
  const address = 0x10000n;
  const stringsAt = 64 + 2 * 56;
  const dynamicAt = stringsAt + strings.byteLength;
  const tags: [bigint, bigint][] = [
    ...names.needed.map((name): [bigint, bigint] => [1n, offsetOf(name)]),
    ...(names.soname === undefined ? [] : [[14n, offsetOf(names.soname)] as [bigint, bigint]]),
    [5n, address + BigInt(stringsAt)],
    [0n, 0n],
  ];
  const dynamic = Buffer.alloc(tags.length * 16);
  tags.forEach(([tag, value], index) => {
    dynamic.writeBigUInt64LE(tag, index * 16);
    dynamic.writeBigUInt64LE(value, index * 16 + 8);
  });
  const header = Buffer.alloc(64);
  header.write("\x7fELF", 0, "latin1");
  header.set([2, 1, 1], 4);
  header.writeUInt16LE(3, 16);
  header.writeUInt16LE(62, 18);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(2, 56);
  const segment = (type: number, offset: number, size: number): Buffer => {
    const bytes = Buffer.alloc(56);
    bytes.writeUInt32LE(type, 0);
    [BigInt(offset), address + BigInt(offset), 0n, BigInt(size), BigInt(size)].forEach(
      (value, index) => bytes.writeBigUInt64LE(value, 8 + index * 8),
    );
    return bytes;
  };
  const total = dynamicAt + dynamic.byteLength;
  return Buffer.concat([
    header,
    segment(1, 0, total),
    segment(2, dynamicAt, dynamic.byteLength),
    strings,
    dynamic,
  ]);
}
