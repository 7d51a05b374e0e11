import { inByteOrder } from "./path-order.ts";

/** A line of a wheel's `RECORD`. @see PEP 376, PEP 427 */
export interface RecordEntry {
  readonly path: string;
  /** Urlsafe base64 without padding; absent for the record itself and for what an installer made. */
  readonly sha256?: string;
  /** Bytes. */
  readonly size?: number;
}

/** Reads a `RECORD`: CSV of path, hash and size. Lines that are no such thing are left out; the last of a path counts. */
export function parseRecord(text: string): ReadonlyMap<string, RecordEntry> {
  const entries = new Map<string, RecordEntry>();
  for (const line of text.split(/\r?\n/)) {
    const [raw = "", hash = "", size = ""] = splitCsv(line);
    const path = raw.replaceAll("\\", "/").replace(/^(?:\.{1,2}\/)+/, "");
    if (path === "") continue;
    const sha256 = /^sha256=([\w-]{43})=?$/.exec(hash)?.[1];
    entries.set(path, {
      path,
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(/^\d{1,15}$/.test(size) ? { size: Number(size) } : {}),
    });
  }
  return entries;
}

/** Writes a `RECORD`, sorted by the bytes of the paths, so that it does not depend on who unpacked the wheel. */
export function formatRecord(entries: readonly RecordEntry[]): string {
  return inByteOrder(entries)
    .map(
      ({ path, sha256, size }) =>
        `${quoteCsv(path)},${sha256 === undefined ? "" : `sha256=${sha256}`},${size ?? ""}\n`,
    )
    .join("");
}

function splitCsv(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(",");
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((match) =>
    match[1] === undefined ? (match[2] ?? "") : match[1].replaceAll('""', '"'),
  );
}

function quoteCsv(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
