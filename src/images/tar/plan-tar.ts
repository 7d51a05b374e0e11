import { ToolError } from "../../ground/errors/index.ts";
import type { TarEntry, TarEntryType } from "./entry.ts";
import { BLOCK_BYTES, encodeAlignedHeader, encodeHeader, paddingOf } from "./header.ts";
import { isWhiteoutName } from "./whiteout.ts";

export interface PlanTarOptions {
  /** Modification time of every entry, seconds since the epoch. Default 0. */
  readonly mtimeS?: number | undefined;
  /** The content of each file begins at a multiple of so many bytes, itself a multiple of 512. Default: wherever its header ends. */
  readonly alignment?: number | undefined;
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
 * Folders above an entry are the caller's to add, since only the caller knows the base's own attributes of them.
 * @throws ToolError `FILE_REFUSED` as `sortEntries`, and for devices; `USAGE` for a time that a tar cannot hold.
 */
export function planTar<E extends TarEntry>(
  entries: readonly E[],
  options: PlanTarOptions = {},
): TarPlan<E> {
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
    const hasContent = entry.type === "file" && entry.size > 0;
    add(headerAt(size, entry, hasContent ? options : { mtimeS: options.mtimeS }));
    if (!hasContent) continue;
    flush();
    segments.push({ kind: "content", entry, size: entry.size });
    size += entry.size;
    add(Buffer.alloc(paddingOf(entry.size)));
  }
  add(Buffer.alloc(2 * BLOCK_BYTES));
  flush();
  return { size, segments };
}

function headerAt(
  position: number,
  entry: TarEntry,
  { mtimeS = 0, alignment }: PlanTarOptions,
): Uint8Array {
  return alignment === undefined
    ? encodeHeader(entry, mtimeS)
    : encodeAlignedHeader(entry, mtimeS, { position, alignment });
}

/**
 * The order of entries in a tar: by bytes, except that a hard link never stands before the file it names.
 * @throws ToolError `FILE_REFUSED` naming the entry: a path that comes twice or is not plain, a whiteout's name on something that is
 * none, one below something that is no folder, a hard link to something that is no file of this tar, numbers that no tar holds.
 */
function sortEntries<E extends TarEntry>(entries: readonly E[]): readonly E[] {
  const keyed = entries.map((entry) => ({
    entry,
    key: Buffer.from(entry.type === "directory" ? `${entry.path}/` : entry.path),
  }));
  keyed.sort((one, other) => Buffer.compare(one.key, other.key));
  const types = new Map<string, TarEntryType>();
  for (const { entry } of keyed) {
    checkEntry(entry);
    if (types.has(entry.path)) throw refused(entry, "it comes twice");
    types.set(entry.path, entry.type);
  }
  for (const { entry } of keyed) checkPlace(entry, types);
  return linksAfterFiles(keyed.map(({ entry }) => entry));
}

function linksAfterFiles<E extends TarEntry>(sorted: readonly E[]): readonly E[] {
  const waiting = new Map<string, E[]>();
  const written = new Set<string>();
  return sorted.flatMap((entry) => {
    const { type, linkTarget = "" } = entry;
    if (type === "hardlink" && !written.has(linkTarget)) {
      waiting.set(linkTarget, [...(waiting.get(linkTarget) ?? []), entry]);
      return [];
    }
    if (type === "file") written.add(entry.path);
    return [entry, ...(waiting.get(entry.path) ?? [])];
  });
}

/** What can be said of an entry alone. */
function checkEntry(entry: TarEntry): void {
  const { type, linkTarget = "", size, uid = 0, gid = 0 } = entry;
  checkName(entry);
  if ((type === "symlink" || type === "hardlink") && (linkTarget === "" || !isText(linkTarget)))
    throw refused(entry, `it links to ${JSON.stringify(linkTarget)}`);
  for (const [what, value] of Object.entries({ size, uid, gid }))
    if (!Number.isSafeInteger(value) || value < 0) throw refused(entry, `its ${what} is ${value}`);
}

function checkName(entry: TarEntry): void {
  if (!isPlainPath(entry.path)) throw refused(entry, "it is not a plain relative path");
  if (entry.isWhiteout !== true && isWhiteoutName(entry.path))
    throw refused(entry, "a layer would read its name as the removal of another file");
}

/** What can be said of an entry among the others. */
function checkPlace(
  { path, type, linkTarget = "" }: TarEntry,
  types: ReadonlyMap<string, TarEntryType>,
): void {
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    const parent = types.get(path.slice(0, slash));
    if (parent !== undefined && parent !== "directory")
      throw refused({ path }, `it lies below "${path.slice(0, slash)}", which is no folder`);
  }
  if (type === "hardlink" && types.get(linkTarget) !== "file")
    throw refused(
      { path },
      `it is a hard link to "${linkTarget}", which is no file of the same tar`,
    );
}

function isPlainPath(path: string): boolean {
  return (
    isText(path) && path.split("/").every((part) => part !== "" && part !== "." && part !== "..")
  );
}

/** Halves of surrogate pairs have no bytes of their own; two names could become one. */
function isText(text: string): boolean {
  return !text.includes("\u0000") && text.isWellFormed();
}

function refused({ path }: Pick<TarEntry, "path">, why: string): ToolError {
  return new ToolError("FILE_REFUSED", `write tar: "${path}" is refused: ${why}`);
}
