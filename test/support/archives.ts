import { crc32, deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib";
import { encodeHeader, paddingOf } from "../../src/images/tar/header.ts";
import type { TarEntry } from "../../src/images/tar/index.ts";

/** Files of an archive, by path. Paths are written as they are. */
export type ArchiveFiles = Readonly<Record<string, string | Uint8Array>>;

/** What a zip may say of a file beside its content. */
export interface ZipExtra {
  /** Unix mode with its type bits. */
  readonly mode?: number;
  /** States this size in place of the content's own. */
  readonly statedSize?: number;
}

/** A zip archive, as any tool writes it. @param again - paths that stand in it a second time */
export function zipOf(
  files: ArchiveFiles,
  extras: Readonly<Record<string, ZipExtra>> = {},
  again: readonly string[] = [],
): Buffer {
  const names = [...Object.keys(files), ...again];
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const name of names) {
    const content = Buffer.from(files[name] ?? "");
    const packed = deflateRawSync(content);
    const { mode = 0o100644, statedSize = content.length } = extras[name] ?? {};
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(statedSize, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((mode << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([
        Buffer.from("PK\u0001\u0002"),
        Buffer.from([20, 3]),
        common,
        tail,
        Buffer.from(name),
      ]),
    );
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", 0, "latin1");
  end.writeUInt16LE(names.length, 8);
  end.writeUInt16LE(names.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}

/** A plain tar, of whatever entries: nothing is checked. @param others - entries that are no plain files, after the files */
export function tarOf(files: ArchiveFiles, others: readonly TarEntry[] = []): Buffer {
  const blocks = Object.entries(files).flatMap(([path, text]) => {
    const content = Buffer.from(text);
    const header = encodeHeader({ path, type: "file", mode: 0o644, size: content.length }, 0);
    return [header, content, Buffer.alloc(paddingOf(content.length))];
  });
  const rest = others.map((entry) => encodeHeader(entry, 0));
  return Buffer.concat([...blocks, ...rest, Buffer.alloc(1024)]);
}

/** The tar compressed. */
export function packed(tar: Buffer, how: "gzip" | "zstd"): Buffer {
  return how === "gzip" ? gzipSync(tar) : zstdCompressSync(tar);
}
