import type { ImageTree } from "./image-tree.ts";
import { folderNode, type Attributes, type TreeNode } from "./tree-node.ts";
import { findPath, nodeAt } from "./tree-path.ts";

const SET_GROUP = 0o2000;

/** Who owns what is made. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What a step cannot do with the files it finds; the caller adds the place. */
export class CopyError extends Error {}

/**
 * Makes the folders of a path that are missing. Links on the way are followed.
 * @throws CopyError when something on the way is no folder.
 */
export async function makeFolders(
  tree: ImageTree,
  path: readonly string[],
  about: { readonly mode: number; readonly owner: Owner | undefined },
): Promise<void> {
  for (let length = 1; length <= path.length; length += 1) {
    const part = path.slice(0, length);
    const node = await nodeAt(tree.root, part);
    if (node?.kind === "folder") continue;
    if (node?.kind === "link") {
      const { node: target, path: real } = await findPath(tree.root, `/${part.join("/")}`, true);
      if (target?.kind === "folder")
        return makeFolders(tree, [...real, ...path.slice(length)], about);
    }
    if (node !== undefined)
      throw new CopyError(`"/${part.join("/")}" is there and is not a directory`);
    const above = await nodeAt(tree.root, part.slice(0, -1));
    await tree.set(part, folderNode(inherited(about, above)));
  }
}

/** A folder in one with the set-group bit gets that bit, and its group where nobody says otherwise. */
function inherited(
  { mode, owner }: { readonly mode: number; readonly owner: Owner | undefined },
  above: TreeNode | undefined,
): Attributes {
  const isShared = above !== undefined && (above.mode & SET_GROUP) !== 0;
  return {
    mode: isShared ? mode | SET_GROUP : mode,
    uid: owner?.uid ?? 0,
    gid: owner?.gid ?? (isShared ? above.gid : 0),
  };
}
