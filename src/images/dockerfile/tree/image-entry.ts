import type { TreeNode } from "./tree-node.ts";

/** A path of a layer and what it holds. */
export interface ImageEntry {
  /** Without a leading slash. */
  readonly path: string;
  readonly node: TreeNode;
}
