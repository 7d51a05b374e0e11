import type { BigIntStats } from "node:fs";
import { readdir, realpath, stat, access, constants } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { ProjectError, ToolError } from "../../errors/index.ts";
import { guardOf, mapLimited, type CallOptions, type FileGuard } from "../../internal/index.ts";
import type { IgnoreRules } from "./ignore.ts";
import { readName } from "./names.ts";

/** A file that goes into the image. */
export interface ContextFile {
  /** Relative to the project's folder, parts joined by `/`. */
  readonly path: string;
  /** Absolute; behind links. */
  readonly location: string;
  /** Bytes. */
  readonly size: number;
  readonly guard: FileGuard;
  readonly isExecutable: boolean;
}

/** What a folder holds, in byte order of the paths. */
export interface Context {
  readonly files: readonly ContextFile[];
  /** Folders without any file in them. */
  readonly emptyFolders: readonly string[];
}

export interface WalkOptions extends CallOptions {
  readonly ignore: IgnoreRules;
  /** The most files. Default 200 000. */
  readonly maxFiles?: number | undefined;
}

interface Walk {
  readonly root: string;
  /** Folders that links may lead to. */
  readonly allowed: readonly string[];
  readonly options: WalkOptions;
  readonly files: ContextFile[];
  readonly emptyFolders: string[];
}

interface Folder {
  /** Relative; empty for the root. */
  readonly path: string;
  readonly location: string;
  /** Real paths of this folder and those around it. */
  readonly chain: readonly string[];
}

const STATS_AT_ONCE = 16;

/**
 * Lists the files of a folder for packing. Links are followed while they stay inside the folder (or inside a Hugging Face cache whose
 * snapshot the folder is), so that an image has files where the folder had links. The order is that of the paths' bytes, on every file system.
 * @throws ProjectError `PROJECT_NOT_FOUND`; `FILE_REFUSED` naming a link that leads out, loops or dangles, a device, socket or pipe, a file
 *   that cannot be read, a name that is not UTF-8. ToolError `LIMIT_EXCEEDED`.
 */
export async function walkContext(folder: string, options: WalkOptions): Promise<Context> {
  const root = await realpath(folder).catch((error: unknown) => {
    throw new ProjectError("PROJECT_NOT_FOUND", `open project "${folder}": there is no such folder`, { cause: error, file: folder });
  });
  if (!(await stat(root)).isDirectory()) throw new ProjectError("PROJECT_NOT_FOUND", `open project "${folder}": it is not a folder`, { file: folder, hint: "name the folder that holds the model" });
  const walk: Walk = { root, allowed: [root, ...cacheOfSnapshot(root)], options, files: [], emptyFolders: [] };
  await walkFolder(walk, { path: "", location: root, chain: [root] });
  return { files: inByteOrder(walk.files, ({ path }) => path), emptyFolders: inByteOrder(walk.emptyFolders, (path) => path) };
}

/** `…/models--org--name/snapshots/<revision>` links into `…/models--org--name/blobs`. */
function cacheOfSnapshot(root: string): readonly string[] {
  const isSnapshot = basename(dirname(root)) === "snapshots" && /^[0-9a-f]{40}$/.test(basename(root));
  return isSnapshot ? [join(dirname(dirname(root)), "blobs")] : [];
}

/** @returns true when the folder holds anything that is packed. */
async function walkFolder(walk: Walk, folder: Folder): Promise<boolean> {
  walk.options.signal?.throwIfAborted();
  const entries = await readdir(folder.location, { withFileTypes: true, encoding: "buffer" }).catch((error: unknown) => {
    throw unreadable(folder.path === "" ? "." : folder.path, error);
  });
  const wanted = entries.flatMap((entry) => {
    const rawName = entry.name as Uint8Array;
    const lossy = Buffer.from(rawName).toString("utf8");
    const lossyPath = folder.path === "" ? lossy : `${folder.path}/${lossy}`;
    const isIgnored = walk.options.ignore.ignores(lossyPath);
    if (isIgnored && !(entry.isDirectory() && walk.options.ignore.mayReinclude(lossyPath))) return [];
    const name = readName(rawName, folder.path);
    return [{ path: folder.path === "" ? name : `${folder.path}/${name}`, location: join(folder.location, name), isLink: entry.isSymbolicLink(), isIgnored }];
  });
  const found = await mapLimited(wanted, STATS_AT_ONCE, (entry) => inspect(walk, entry));
  let isFilled = false;
  for (const { entry, real, stats } of found) {
    if (stats.isDirectory()) {
      const isInner = await walkFolder(walk, { path: entry.path, location: real, chain: nextChain(folder.chain, entry.path, real) });
      if (!isInner && !entry.isIgnored) walk.emptyFolders.push(entry.path);
      isFilled ||= isInner || !entry.isIgnored;
    } else if (!entry.isIgnored) {
      addFile(walk, { path: entry.path, location: real, size: Number(stats.size), guard: guardOf(stats), isExecutable: (stats.mode & 0o100n) !== 0n });
      isFilled = true;
    }
  }
  return isFilled;
}

interface WantedEntry {
  readonly path: string;
  readonly location: string;
  readonly isLink: boolean;
  readonly isIgnored: boolean;
}

async function inspect(walk: Walk, entry: WantedEntry): Promise<{ readonly entry: WantedEntry; readonly real: string; readonly stats: BigIntStats }> {
  const real = entry.isLink ? await followLink(walk, entry) : entry.location;
  const stats = await stat(real, { bigint: true }).catch((error: unknown) => {
    throw unreadable(entry.path, error);
  });
  if (!stats.isFile() && !stats.isDirectory()) {
    throw new ProjectError("FILE_REFUSED", `pack "${entry.path}": it is ${kindOf(stats)}`, { file: entry.path, hint: "remove it, or add it to .slipwayignore" });
  }
  if (stats.isFile() && !entry.isIgnored) {
    await access(real, constants.R_OK).catch((error: unknown) => {
      throw unreadable(entry.path, error);
    });
  }
  return { entry, real, stats };
}

async function followLink(walk: Walk, { path, location }: WantedEntry): Promise<string> {
  const real = await realpath(location).catch((error: unknown) => {
    const why = (error as NodeJS.ErrnoException).code === "ELOOP" ? "it is a link in a circle" : "it is a link to nothing";
    throw new ProjectError("FILE_REFUSED", `pack "${path}": ${why}`, { file: path, cause: error, hint: "repair the link, or add it to .slipwayignore" });
  });
  if (walk.allowed.some((folder) => real === folder || real.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`))) return real;
  throw new ProjectError("FILE_REFUSED", `pack "${path}": it is a link that leads out of the project folder, to "${real}"`, { file: path, hint: "copy the file into the folder, or add it to .slipwayignore" });
}

function nextChain(chain: readonly string[], path: string, real: string): readonly string[] {
  if (chain.includes(real)) throw new ProjectError("FILE_REFUSED", `pack "${path}": it is a link to a folder that it lies in`, { file: path, hint: "remove the link, or add it to .slipwayignore" });
  return [...chain, real];
}

function addFile(walk: Walk, file: ContextFile): void {
  const maxFiles = walk.options.maxFiles ?? 200_000;
  if (walk.files.length >= maxFiles) throw new ToolError("LIMIT_EXCEEDED", `pack "${walk.root}": it has more than ${maxFiles} files`, { hint: "leave out what the image does not need, with .slipwayignore" });
  walk.files.push(file);
}

function kindOf(stats: BigIntStats): string {
  if (stats.isSocket()) return "a socket";
  if (stats.isFIFO()) return "a named pipe";
  return "a device";
}

function unreadable(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EPERM") return new ProjectError("FILE_REFUSED", `pack "${path}": it cannot be read: permission denied`, { file: path, cause: error, hint: "make it readable, or add it to .slipwayignore" });
  if (code === "ENOENT") return new ProjectError("FILE_CHANGED", `pack "${path}": it went away while the folder was read`, { file: path, cause: error, hint: "pack again when nothing writes to the folder" });
  return error;
}

function inByteOrder<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  return items
    .map((item) => ({ item, key: Buffer.from(keyOf(item)) }))
    .toSorted((one, other) => Buffer.compare(one.key, other.key))
    .map(({ item }) => item);
}
