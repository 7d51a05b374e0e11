import { ToolError } from "../errors/index.ts";
import type { TarEntry } from "./entry.ts";
import { BLOCK_BYTES, encodeHeader, paddingOf } from "./header.ts";

export interface PlanTarOptions {
  /** Modification time of every entry, seconds since the epoch. Default 0. */
  readonly mtimeS?: number | undefined;
}

/** A stretch of the tar: its own bytes, or the content of an entry, which the plan only refers to. */
export type TarSegment<E extends TarEntry = TarEntry> =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "content"; readonly entry: E; readonly size: number };

/** A tar as it will be, without any content in memory. */
export interface TarPlan<E extends TarEntry = TarEntry> {
  /** Bytes in all. */
  readonly size: number;
  readonly segments: readonly TarSegment<E>[];
}

/**
 * Lays a tar out: entries sorted bytewise (folders with their slash, so that parents come first), fixed times, ustar headers with
 * PAX only where needed, two zero blocks at the end. The same entries in any order give the same plan.
 * @throws ToolError `FILE_REFUSED` for a path that comes twice, is absolute or leaves the root, and for devices.
 */
export function planTar<E extends TarEntry>(entries: readonly E[], options: PlanTarOptions = {}): TarPlan<E> {
  const segments: TarSegment<E>[] = [];
  let pending: Uint8Array[] = [];
  let size = 0;
  const add = (bytes: Uint8Array): void => {
    if (bytes.byteLength > 0) pending.push(bytes);
    size += bytes.byteLength;
  };
  const flush = (): void => {
    if (pending.length > 0) segments.push({ kind: "bytes", bytes: Buffer.concat(pending) });
    pending = [];
  };
  for (const entry of sortEntries(entries)) {
    add(encodeHeader(entry, options.mtimeS ?? 0));
    if (entry.type !== "file" || entry.size === 0) continue;
    flush();
    segments.push({ kind: "content", entry, size: entry.size });
    size += entry.size;
    add(Buffer.alloc(paddingOf(entry.size)));
  }
  add(Buffer.alloc(2 * BLOCK_BYTES));
  flush();
  return { size, segments };
}

/** The order of entries in a tar. @throws ToolError `FILE_REFUSED`. */
export function sortEntries<E extends TarEntry>(entries: readonly E[]): readonly E[] {
  const keyed = entries.map((entry) => ({ entry, key: Buffer.from(entry.type === "directory" ? `${entry.path}/` : entry.path) }));
  keyed.sort((one, other) => Buffer.compare(one.key, other.key));
  const seen = new Set<string>();
  for (const { entry } of keyed) {
    checkPath(entry.path);
    if (entry.type === "hardlink") checkPath(entry.linkTarget ?? "");
    if (seen.has(entry.path)) throw new ToolError("FILE_REFUSED", `write tar: "${entry.path}" comes twice`);
    seen.add(entry.path);
  }
  return keyed.map(({ entry }) => entry);
}

function checkPath(path: string): void {
  const isBad = path === "" || path.includes("\u0000") || path.split("/").some((part) => part === "" || part === "." || part === "..");
  if (isBad) throw new ToolError("FILE_REFUSED", `write tar: "${path}" is not a plain relative path`);
}
