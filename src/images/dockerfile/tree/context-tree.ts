import type { BigIntStats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { ToolError } from "../../../ground/errors/index.ts";
import { guardOf, type CallOptions } from "../../../ground/bytes/index.ts";
import { mapLimited } from "../../../ground/process/index.ts";
import type { MatchInfo, PathPatterns } from "../ignore/path-patterns.ts";
import { folderNode, type FolderNode, type TreeNode } from "./tree-node.ts";

/** What reading a context needs. */
export interface ContextOptions extends CallOptions {
  /** What stays out. */
  readonly ignored: PathPatterns;
}

/** Files looked at together; more does not help a disk. */
const LOOKERS = 16;
const MAX_FILES = 1_000_000;

/**
 * A build context as a tree: everything belongs to root, extended attributes stay behind, links stay links, ignored paths are not there. A folder is read when it is
 * asked for. A folder that is ignored itself is there only as far as exceptions bring something below it back.
 */
export function contextTree(root: string, options: ContextOptions): FolderNode {
  const count = { files: 0 };
  return folder(
    { ...options, root, count },
    { path: "", mode: 0o755, info: undefined, isIgnored: false },
  );
}

interface Reading extends ContextOptions {
  readonly root: string;
  readonly count: { files: number };
}

interface FolderEntry {
  /** Relative to the context. */
  readonly path: string;
  readonly mode: number;
  readonly info: MatchInfo | undefined;
  readonly isIgnored: boolean;
}

function folder(reading: Reading, place: FolderEntry): FolderNode {
  let entries: Promise<Map<string, TreeNode>> | undefined;
  return {
    kind: "folder",
    mode: place.mode,
    uid: 0,
    gid: 0,
    entries: () => (entries ??= readFolder(reading, place)),
  };
}

async function readFolder(reading: Reading, place: FolderEntry): Promise<Map<string, TreeNode>> {
  reading.signal?.throwIfAborted();
  const names = await namesIn(join(reading.root, place.path));
  reading.count.files += names.length;
  if (reading.count.files > MAX_FILES)
    throw new ToolError(
      "LIMIT_EXCEEDED",
      `read "${reading.root}": the build context has more than ${MAX_FILES} files`,
      { hint: "list what the image does not need in .dockerignore" },
    );
  const nodes = await mapLimited(names, LOOKERS, (name) => visit(reading, place, name));
  return new Map(
    names.flatMap((name, index) => {
      const node = nodes[index];
      return node === undefined ? [] : [[name, node]];
    }),
  );
}

async function namesIn(path: string): Promise<readonly string[]> {
  const names = await readdir(path, { encoding: "buffer" }).catch((error: unknown) => {
    throw new ToolError("FILE_REFUSED", `read "${path}": the folder may not be read`, {
      cause: error,
    });
  });
  return names
    .sort((one, other) => Buffer.compare(one, other))
    .map((raw) => {
      const name = raw.toString("utf8");
      if (!Buffer.from(name).equals(raw))
        throw new ToolError("FILE_REFUSED", `read "${join(path, name)}": its name is not UTF-8`);
      return name;
    });
}

async function visit(
  reading: Reading,
  folderPlace: FolderEntry,
  name: string,
): Promise<TreeNode | undefined> {
  const path = folderPlace.path === "" ? name : `${folderPlace.path}/${name}`;
  const { isMatch, info } = reading.ignored.matches(path, folderPlace.info);
  if (isMatch && !reading.ignored.hasExceptions) return undefined;
  const absolute = join(reading.root, path);
  const stats = await lstat(absolute, { bigint: true });
  if (stats.isDirectory()) {
    const node = folder(reading, { path, mode: modeOf(stats), info, isIgnored: isMatch });
    return isMatch && (await isBarren(node)) ? undefined : node;
  }
  return isMatch ? undefined : leaf(absolute, stats);
}

/** An ignored folder exists only for what exceptions bring back; below it every folder that is left holds something. */
async function isBarren(node: FolderNode): Promise<boolean> {
  return (await node.entries()).size === 0;
}

async function leaf(path: string, stats: BigIntStats): Promise<TreeNode> {
  const attributes = { mode: modeOf(stats), uid: 0, gid: 0 };
  if (stats.isFile()) {
    const guard = guardOf(stats);
    return {
      ...attributes,
      kind: "file",
      size: guard.size,
      content: { kind: "file", path, guard },
    };
  }
  if (stats.isSymbolicLink()) return { ...attributes, kind: "link", target: await readlink(path) };
  if (stats.isSocket())
    // A socket is a name that only a running program gives a meaning; Docker keeps an empty file of it.
    return {
      ...attributes,
      kind: "file",
      size: 0,
      content: { kind: "bytes", bytes: new Uint8Array(0) },
    };
  return { ...attributes, kind: "device", device: deviceOf(stats) };
}

function deviceOf(stats: BigIntStats): Extract<TreeNode, { kind: "device" }>["device"] {
  if (stats.isFIFO()) return { kind: "fifo", major: 0, minor: 0 };
  const device = stats.rdev;
  return {
    kind: stats.isBlockDevice() ? "block" : "character",
    major: Number((device >> 8n) & 0xfffn),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xfff00n)),
  };
}

function modeOf(stats: BigIntStats): number {
  return Number(stats.mode & 0o7777n);
}

/** A tree of files at hand, such as the heredocs of an instruction, by name. */
export function bytesTree(files: ReadonlyMap<string, Uint8Array>): FolderNode {
  return folderNode(
    { mode: 0o755, uid: 0, gid: 0 },
    new Map(
      [...files].map(([name, bytes]) => [
        name,
        {
          kind: "file",
          mode: 0o644,
          uid: 0,
          gid: 0,
          size: bytes.byteLength,
          content: { kind: "bytes", bytes },
        },
      ]),
    ),
  );
}
