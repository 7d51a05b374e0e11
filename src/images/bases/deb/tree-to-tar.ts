import { posix } from "node:path";
import type { TarInput } from "../../tar/index.ts";
import type { ContentReader } from "./content.ts";
import { contentSize, type Content, type TreeNode } from "./contracts.ts";
import type { Tree } from "./tree.ts";

/**
 * The entries of one layer of a tree: what the given owners have, and every folder above it with the attributes that
 * the whole tree gives it. Sorted bytewise; files that packages ship as hard links stay such.
 */
export function layerEntries(
  tree: Tree,
  owners: ReadonlySet<string>,
  reader: ContentReader,
): readonly TarInput[] {
  const paths = new Set<string>();
  for (const [path, { owner }] of tree.nodes) {
    if (!owners.has(owner)) continue;
    for (let current = path; current !== "."; current = posix.dirname(current)) paths.add(current);
  }
  const sorted = [...paths]
    .map((path) => ({ path, bytes: Buffer.from(path) }))
    .sort((one, other) => Buffer.compare(one.bytes, other.bytes));
  const first = new Map<Content, string>();
  return sorted.flatMap(({ path }) => {
    const node = tree.nodes.get(path);
    return node === undefined ? [] : [entryOf(path, node, { first, reader })];
  });
}

function entryOf(
  path: string,
  node: TreeNode,
  { first, reader }: { readonly first: Map<Content, string>; readonly reader: ContentReader },
): TarInput {
  const own = { path, uid: node.uid, gid: node.gid };
  switch (node.type) {
    case "directory":
      return { ...own, type: "directory", mode: node.mode, size: 0 };
    case "symlink":
      return { ...own, type: "symlink", mode: 0o777, size: 0, linkTarget: node.target };
    case "file": {
      const target = first.get(node.content);
      if (target !== undefined)
        return { ...own, type: "hardlink", mode: node.mode, size: 0, linkTarget: target };
      first.set(node.content, path);
      return {
        ...own,
        type: "file",
        mode: node.mode,
        size: contentSize(node.content),
        content: reader.open(node.content),
      };
    }
  }
}
