/**
 * A plain ustar archive of small files, made without our own writer, so that tests of readers do not trust it.
 * Names are at most 100 bytes. `type` of an entry: "0" file, "1" hard link, "2" symbolic link, "3" device, "5" folder.
 */
export function tarOf(files: Readonly<Record<string, string | Uint8Array | TinyEntry>>): Buffer {
  const blocks = Object.entries(files).map(([name, file]) =>
    entryOf(
      name,
      typeof file === "string" || file instanceof Uint8Array ? { content: file } : file,
    ),
  );
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export interface TinyEntry {
  readonly content?: string | Uint8Array;
  readonly type?: string;
  readonly link?: string;
  /** Default 0o644. */
  readonly mode?: number;
  /** What the header claims, when it is not the truth. */
  readonly size?: number;
}

/** One entry: header, content, padding. */
export function entryOf(name: string, entry: TinyEntry): Buffer {
  const content = Buffer.from(entry.content ?? "");
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, "utf8");
  header.write(`${(entry.mode ?? 0o644).toString(8).padStart(7, "0")}\0`, 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${(entry.size ?? content.byteLength).toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write(entry.type ?? "0", 156);
  header.write(entry.link ?? "", 157, 100, "utf8");
  header.write("ustar\0" + "00", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.byteLength % 512)) % 512)]);
}
