import type { CallOptions } from "../../../ground/bytes/index.ts";
import { readTar, type ReadTarOptions, type TarEntry } from "../../tar/index.ts";
import type { JsonCache } from "../../recipe/index.ts";
import type { TarSource } from "./tree-node.ts";

/** An entry of a tar and its number, counted from 0. */
export type IndexedEntry = TarEntry & { readonly index: number };

/** The attribute that images keep; all others are left behind, as container runtimes leave them. */
const KEPT_XATTR = "security.capability";
const VERSION = 1;

/**
 * The entries of a tar, without their content. Remembered by the tar's key, so that the next build reads nothing.
 * @throws ToolError `ARCHIVE_INVALID`, `LIMIT_EXCEEDED`, and what opening the tar throws.
 */
export async function tarIndex(
  source: TarSource,
  cache: JsonCache,
  options: ReadTarOptions = {},
): Promise<readonly IndexedEntry[]> {
  const key = `tar ${VERSION} ${source.key}`;
  const known = parseIndex(await cache.get(key));
  if (known !== undefined) return known;
  const entries: IndexedEntry[] = [];
  for await (const { entry } of readTar(source.open(options), options))
    entries.push({ ...onlyKept(entry), index: entries.length });
  await cache.set(key, entries.map(toRow));
  return entries;
}

/** The first entry of a tar, or undefined for content that is none. Reads no more than that. */
export async function firstTarEntry(
  source: Pick<TarSource, "open">,
  options: CallOptions = {},
): Promise<TarEntry | undefined> {
  try {
    for await (const { entry } of readTar(source.open(options), {
      ...options,
      clampsPaths: true,
    }))
      return entry;
  } catch (error) {
    options.signal?.throwIfAborted();
    void error; // whatever is wrong with it, it is no archive
  }
  return undefined;
}

function onlyKept({ xattrs, ...entry }: TarEntry): TarEntry {
  const value = xattrs?.[KEPT_XATTR];
  return value === undefined ? entry : { ...entry, xattrs: { [KEPT_XATTR]: value } };
}

type Row = readonly [
  path: string,
  type: TarEntry["type"],
  mode: number,
  uid: number,
  gid: number,
  size: number,
  extra?: { readonly l?: string; readonly c?: string; readonly d?: TarEntry["device"] },
];

function toRow(entry: TarEntry): Row {
  const { path, type, mode, uid = 0, gid = 0, size, linkTarget, xattrs, device } = entry;
  const capability = xattrs?.[KEPT_XATTR];
  const extra = {
    ...(linkTarget === undefined ? {} : { l: linkTarget }),
    ...(capability === undefined ? {} : { c: Buffer.from(capability).toString("hex") }),
    ...(device === undefined ? {} : { d: device }),
  };
  return Object.keys(extra).length === 0
    ? [path, type, mode, uid, gid, size]
    : [path, type, mode, uid, gid, size, extra];
}

/** The cache is our own; a value of another shape is made again. */
function parseIndex(value: unknown): readonly IndexedEntry[] | undefined {
  if (!Array.isArray(value) || !value.every((row) => Array.isArray(row) && row.length >= 6))
    return undefined;
  return (value as readonly Row[]).map(([path, type, mode, uid, gid, size, extra], index) => ({
    path,
    type,
    mode,
    uid,
    gid,
    size,
    index,
    ...(extra?.l === undefined ? {} : { linkTarget: extra.l }),
    ...(extra?.c === undefined ? {} : { xattrs: { [KEPT_XATTR]: Buffer.from(extra.c, "hex") } }),
    ...(extra?.d === undefined ? {} : { device: extra.d }),
  }));
}
