import type { ImageEntry } from "./image-entry.ts";
import {
  cloneFolder,
  emptyRoot,
  folderNode,
  type Attributes,
  type FolderNode,
  type TreeNode,
} from "./tree-node.ts";
import { nodeAt } from "./tree-path.ts";

/** The files of a stage, with the changes since the last layer remembered. Not safe for concurrent changes. */
export interface ImageTree {
  readonly root: FolderNode;
  /** Puts a node at a path without links; the folder above must be there. What was there is gone. */
  set(path: readonly string[], node: TreeNode): Promise<void>;
  /** Takes away what is at a path without links. A layer says nothing of it: something must take its place. */
  clear(path: readonly string[]): Promise<void>;
  /** Gives another mode, owner or attributes to what is at a path. */
  change(path: readonly string[], attributes: Attributes): Promise<void>;
  /** What changed since the last call, parents included, and forgets it. */
  takeChanges(): Promise<readonly ImageEntry[]>;
  /** A copy that goes its own way, without changes. */
  clone(): Promise<ImageTree>;
}

/** A tree over a root that nobody else changes. */
export function imageTree(root: FolderNode = emptyRoot()): ImageTree {
  let changed = new Set<string>();
  const parentOf = async (path: readonly string[]): Promise<Map<string, TreeNode>> => {
    const parent = await nodeAt(root, path.slice(0, -1));
    if (parent?.kind !== "folder" || path.length === 0)
      throw new TypeError(`there is no folder for ${path.join("/")}`);
    return parent.entries();
  };
  return {
    root,
    async set(path, node) {
      (await parentOf(path)).set(path.at(-1) ?? "", node);
      changed.add(path.join("/"));
    },
    async clear(path) {
      (await parentOf(path)).delete(path.at(-1) ?? "");
      changed.delete(path.join("/"));
    },
    async change(path, attributes) {
      if (path.length === 0) return; // the root's attributes are the runtime's own
      const entries = await parentOf(path);
      const node = entries.get(path.at(-1) ?? "");
      if (node === undefined) throw new TypeError(`there is nothing at ${path.join("/")}`);
      entries.set(
        path.at(-1) ?? "",
        node.kind === "folder"
          ? folderNode(attributes, await node.entries())
          : { ...node, ...attributes },
      );
      changed.add(path.join("/"));
    },
    async takeChanges() {
      const paths = changed;
      changed = new Set();
      return entriesOf(root, paths);
    },
    clone: async () => imageTree(await cloneFolder(root)),
  };
}

/** Entries for the paths and every folder above them, as they are now. */
async function entriesOf(
  root: FolderNode,
  paths: ReadonlySet<string>,
): Promise<readonly ImageEntry[]> {
  const all = new Set<string>();
  for (const path of paths)
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
      if (all.has(path.slice(0, end))) break;
      all.add(path.slice(0, end));
    }
  const entries: ImageEntry[] = [];
  for (const path of all) {
    const node = await nodeAt(root, path.split("/"));
    if (node !== undefined) entries.push({ path, node });
  }
  return entries;
}
