import type { BigIntStats } from "node:fs";
import { access, constants, readdir, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { ToolError } from "../../../ground/errors/index.ts";
import { guardOf, type CallOptions, type FileGuard } from "../../../ground/bytes/index.ts";
import { isWhiteoutName } from "../../tar/index.ts";
import { readIgnoreFile } from "./ignore-file.ts";
import { compileIgnore, DEFAULT_IGNORES, hasExceptions, type Ignore } from "./ignore.ts";

/** One file of the project as it goes into the image. Links are resolved: `source` is what is read. */
export interface WalkedFile {
  /** Relative to the root, joined by `/`. */
  readonly path: string;
  /** Absolute; not the same as root + path when a link stands there. */
  readonly source: string;
  readonly isExecutable: boolean;
  readonly guard: FileGuard;
}

export interface WalkOptions extends CallOptions {
  /** Lines in the form of `.dockerignore`, after the ignore file's own. */
  readonly ignore?: readonly string[];
}

const MAX_FILES = 200_000;
const MAX_DEPTH = 64;

/**
 * Lists the files of a folder, bytewise sorted. `.slipwayignore`, else `.dockerignore`, says what stays out. Links are followed
 * inside the folder, and into the blob folder of a Hugging Face cache that the folder is a snapshot of.
 * @throws ToolError `FILE_REFUSED` naming an ignore file that cannot be read, a link out of the folder, a device, a socket, a name
 * that is not UTF-8, a name that a layer would read as a whiteout, or two names that differ by case only; `LIMIT_EXCEEDED`;
 * `PROJECT_NOT_FOUND`.
 */
export async function walkProject(
  root: string,
  options: WalkOptions = {},
): Promise<readonly WalkedFile[]> {
  return (await walkTree(root, options)).files;
}

/** What is in a project's folder, walked once: what is detected and what is packed are the same. */
export interface ProjectTree {
  readonly files: readonly WalkedFile[];
  /** Folders with nothing in them, relative to the root, bytewise sorted: code may want to write there. */
  readonly emptyFolders: readonly string[];
  /** Blobs of Hugging Face caches, by path: they go in under the names that link to them, and not a second time. */
  readonly linkedBlobs: readonly string[];
}

/** The files, and the folders that no file tells of. @throws as `walkProject`. */
export async function walkTree(root: string, options: WalkOptions = {}): Promise<ProjectTree> {
  const realRoot = await realpath(root).catch((error: unknown) => {
    throw new ToolError("PROJECT_NOT_FOUND", `read "${root}": there is no such folder`, {
      cause: error,
    });
  });
  const lines = [
    ...DEFAULT_IGNORES,
    ...(await readIgnoreFile(realRoot)),
    ...(options.ignore ?? []),
  ];
  const walk: Walk = {
    roots: rootsOf(realRoot),
    root: realRoot,
    isIgnored: compileIgnore(lines),
    seesIgnored: hasExceptions(lines),
    files: [],
    emptyFolders: [],
    signal: options.signal,
  };
  await walkFolder(walk, {
    path: "",
    source: realRoot,
    depth: 0,
    isIgnored: false,
    above: new Set([realRoot]),
  });
  const all = sortedBy(walk.files, ({ path }) => path);
  const linkedBlobs = linkedBlobsOf(all, realRoot);
  const files = all.filter(({ path }) => !linkedBlobs.has(path));
  refuseCaseClashes(files.map(({ path }) => path));
  const emptyFolders = sortedBy(walk.emptyFolders, (path) => path);
  return { files, emptyFolders, linkedBlobs: [...linkedBlobs] };
}

/** Where a Hugging Face cache keeps the content that its snapshots link to. */
const CACHE_BLOB = /(?:^|\/)(?:models|datasets|spaces)--[^/]+\/blobs\/[^/]+$/;

function linkedBlobsOf(files: readonly WalkedFile[], root: string): ReadonlySet<string> {
  const isLink = ({ path, source }: WalkedFile): boolean => source !== join(root, path);
  const linked = new Set(files.filter(isLink).map(({ source }) => source));
  return new Set(
    files
      .filter((file) => CACHE_BLOB.test(file.path) && !isLink(file) && linked.has(file.source))
      .map(({ path }) => path),
  );
}

function sortedBy<T>(items: readonly T[], pathOf: (item: T) => string): readonly T[] {
  return items
    .map((item) => ({ item, key: Buffer.from(pathOf(item)) }))
    .sort((one, other) => Buffer.compare(one.key, other.key))
    .map(({ item }) => item);
}

interface Walk extends CallOptions {
  readonly root: string;
  /** Folders that links may lead into. */
  readonly roots: readonly string[];
  readonly isIgnored: Ignore;
  readonly seesIgnored: boolean;
  readonly files: WalkedFile[];
  readonly emptyFolders: string[];
}

interface Folder {
  readonly path: string;
  readonly source: string;
  readonly depth: number;
  readonly isIgnored: boolean;
  /** Real paths of the folders we are in, to notice a link that leads back. */
  readonly above: ReadonlySet<string>;
}

async function walkFolder(walk: Walk, folder: Folder): Promise<void> {
  walk.signal?.throwIfAborted();
  if (folder.depth > MAX_DEPTH)
    throw new ToolError(
      "LIMIT_EXCEEDED",
      `read "${folder.path}": folders are nested deeper than ${MAX_DEPTH}`,
    );
  const names = await listFolder(folder);
  if (names.length === 0 && folder.path !== "" && !folder.isIgnored)
    walk.emptyFolders.push(folder.path);
  for (const raw of names) {
    const name = decodeName(raw, folder);
    const path = folder.path === "" ? name : `${folder.path}/${name}`;
    const isIgnored = walk.isIgnored(path);
    if (isIgnored && !walk.seesIgnored) continue;
    if (!isIgnored && isWhiteoutName(name))
      throw refused(path, "a layer would read its name as the removal of another file");
    await visit(walk, { path, folder, isIgnored, source: join(folder.source, name) });
  }
}

/** @throws ToolError `FILE_REFUSED`. */
function decodeName(raw: Buffer, folder: Folder): string {
  const name = raw.toString("utf8");
  if (Buffer.from(name).equals(raw)) return name;
  throw refused(join(folder.path, name), "its name is not UTF-8");
}

interface Visit {
  readonly path: string;
  readonly source: string;
  readonly folder: Folder;
  readonly isIgnored: boolean;
}

async function visit(walk: Walk, { path, source, folder, isIgnored }: Visit): Promise<void> {
  const target = await realpath(source).catch((error: unknown) =>
    isIgnored ? undefined : Promise.reject(refused(path, "it is a link to nothing", error)),
  );
  if (target === undefined) return;
  if (!isIgnored && !walk.roots.some((root) => isInside(root, target)))
    throw refused(path, `it is a link out of the folder, to "${target}"`);
  const stats = await stat(target, { bigint: true });
  if (stats.isDirectory()) {
    if (folder.above.has(target)) throw refused(path, "it is a link to a folder that it lies in");
    return walkFolder(walk, {
      path,
      source: target,
      depth: folder.depth + 1,
      isIgnored,
      above: new Set([...folder.above, target]),
    });
  }
  if (isIgnored) return;
  if (!stats.isFile()) throw refused(path, `it is ${kindOf(stats)}, not a file`);
  await access(target, constants.R_OK).catch((error: unknown) =>
    Promise.reject(refused(path, "it may not be read", error)),
  );
  if (walk.files.length >= MAX_FILES)
    throw new ToolError(
      "LIMIT_EXCEEDED",
      `read "${walk.root}": it has more than ${MAX_FILES} files`,
      { hint: "list what the image does not need in .slipwayignore" },
    );
  walk.files.push({
    path,
    source: target,
    isExecutable: (stats.mode & 0o111n) !== 0n,
    guard: guardOf(stats),
  });
}

async function listFolder(folder: Folder): Promise<readonly Buffer[]> {
  try {
    return await readdir(folder.source, { encoding: "buffer" });
  } catch (error) {
    throw refused(
      folder.path === "" ? folder.source : folder.path,
      "the folder may not be read",
      error,
    );
  }
}

/** A snapshot of a Hugging Face cache is a folder of links into `../../blobs`. */
function rootsOf(root: string): readonly string[] {
  const match = /^(.*\/(?:models|datasets)--[^/]+)\/snapshots\/[^/]+$/.exec(root);
  return match?.[1] === undefined ? [root] : [root, join(match[1], "blobs")];
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`));
}

function refuseCaseClashes(paths: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const path of paths) {
    const folded = path.normalize("NFC").toLowerCase();
    const other = seen.get(folded);
    if (other !== undefined && other.normalize("NFC") === path.normalize("NFC"))
      throw refused(path, `it and "${other}" are the same name in two spellings of Unicode`);
    seen.set(folded, path);
  }
}

function kindOf(stats: BigIntStats): string {
  if (stats.isSocket()) return "a socket";
  if (stats.isFIFO()) return "a named pipe";
  return stats.isCharacterDevice() || stats.isBlockDevice() ? "a device" : "something else";
}

function refused(path: string, why: string, cause?: unknown): ToolError {
  return new ToolError("FILE_REFUSED", `pack "${path}": ${why}`, {
    cause,
    hint: "remove it, or list it in .slipwayignore",
  });
}
