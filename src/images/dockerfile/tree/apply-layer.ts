import { posix } from "node:path";
import type { IndexedEntry } from "./tar-index.ts";
import {
  folderNode,
  type Attributes,
  type FileContent,
  type FolderNode,
  type TarSource,
  type TreeNode,
} from "./tree-node.ts";
import { nodeAt } from "./tree-path.ts";

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
const FOLDER_MODE = 0o755;

/**
 * Puts a layer onto a tree, as a runtime stacks them: what the layer hides goes first, a folder joins one that is there, anything
 * else takes the place of what was there.
 * @see image-spec, layer.md#applying-changesets
 */
export async function applyLayer(
  root: FolderNode,
  entries: readonly IndexedEntry[],
  source: TarSource,
): Promise<void> {
  for (const { path } of entries) await hide(root, path);
  for (const entry of entries) {
    if (entry.path === "." || posix.basename(entry.path).startsWith(WHITEOUT)) continue;
    const folder = await folderAt(root, posix.dirname(entry.path));
    const names = await folder.entries();
    const name = posix.basename(entry.path);
    const node = await nodeOf(entry, { source, root, there: names.get(name) });
    if (node !== undefined) names.set(name, node);
  }
}

async function hide(root: FolderNode, path: string): Promise<void> {
  const name = posix.basename(path);
  if (!name.startsWith(WHITEOUT)) return;
  const folder = await nodeAt(root, partsIn(posix.dirname(path)));
  if (folder?.kind !== "folder") return;
  const entries = await folder.entries();
  if (name === OPAQUE) entries.clear();
  else entries.delete(name.slice(WHITEOUT.length));
}

/** The folder at a path without links; what is missing or in the way becomes a folder. */
async function folderAt(root: FolderNode, path: string): Promise<FolderNode> {
  let folder = root;
  for (const name of partsIn(path)) {
    const entries = await folder.entries();
    const there = entries.get(name);
    const next =
      there?.kind === "folder" ? there : folderNode({ mode: FOLDER_MODE, uid: 0, gid: 0 });
    if (next !== there) entries.set(name, next);
    folder = next;
  }
  return folder;
}

/** The node that an entry of a tar stands for. A hard link to nothing stands for nothing. */
export async function nodeOf(
  entry: IndexedEntry,
  about: {
    readonly source: TarSource;
    /** Where hard links find what they name. */
    readonly root: FolderNode;
    readonly there: TreeNode | undefined;
  },
): Promise<TreeNode | undefined> {
  const attributes = attributesOf(entry);
  switch (entry.type) {
    case "directory":
      return about.there?.kind === "folder"
        ? folderNode(attributes, await about.there.entries())
        : folderNode(attributes);
    case "symlink":
      return { ...attributes, kind: "link", target: entry.linkTarget ?? "" };
    case "device":
      return entry.device === undefined
        ? undefined
        : { ...attributes, kind: "device", device: entry.device };
    case "hardlink":
      return linkedNode(entry, about.root);
    case "file":
      return {
        ...attributes,
        kind: "file",
        size: entry.size,
        content: contentOf(entry, about.source),
      };
  }
}

function attributesOf({ mode, uid = 0, gid = 0, xattrs }: IndexedEntry): Attributes {
  return { mode, uid, gid, xattrs };
}

function contentOf({ size, index }: IndexedEntry, source: TarSource): FileContent {
  return size === 0 ? { kind: "bytes", bytes: new Uint8Array(0) } : { kind: "tar", source, index };
}

/** A name for what is there already; folders have one name only. */
async function linkedNode(
  { linkTarget = "" }: IndexedEntry,
  root: FolderNode,
): Promise<TreeNode | undefined> {
  const target = await nodeAt(root, partsIn(linkTarget));
  return target?.kind === "folder" ? undefined : target;
}

function partsIn(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
