import { posix } from "node:path";
import type { FolderNode, TreeNode } from "./tree-node.ts";

/** Where a path really lies, and what is there. */
export interface ResolvedPath {
  /** Names from the root on, links resolved. */
  readonly path: readonly string[];
  readonly node: TreeNode | undefined;
}

const MAX_LINKS = 255;

/** Thrown for links that lead round in a circle. */
export class TooManyLinksError extends Error {
  constructor(path: string) {
    super(`too many links in "${path}"`);
  }
}

/**
 * Follows a path from a root that links cannot leave: `..` above it stays there. What does not exist is found where it would be.
 * @param followsLast - whether a link in the last part is followed too
 * @throws TooManyLinksError
 */
export async function findPath(
  root: FolderNode,
  path: string,
  followsLast: boolean,
): Promise<ResolvedPath> {
  let waiting = partsOf(path);
  let done: readonly string[] = [];
  let node: TreeNode | undefined = root;
  for (let links = 0; waiting.length > 0;) {
    const [name = "", ...rest]: readonly string[] = waiting;
    waiting = rest;
    if (name === "..") {
      done = done.slice(0, -1);
      node = await nodeAt(root, done);
      continue;
    }
    const next: TreeNode | undefined =
      node?.kind === "folder" ? (await node.entries()).get(name) : undefined;
    if (next?.kind !== "link" || (waiting.length === 0 && !followsLast)) {
      done = [...done, name];
      node = next;
      continue;
    }
    if (++links > MAX_LINKS) throw new TooManyLinksError(path);
    const isAbsolute = next.target.startsWith("/");
    waiting = [...partsOf(next.target), ...waiting];
    if (isAbsolute) {
      done = [];
      node = root;
    }
  }
  return { path: done, node };
}

/** What lies at a path without links. */
export async function nodeAt(
  root: FolderNode,
  path: readonly string[],
): Promise<TreeNode | undefined> {
  let node: TreeNode | undefined = root;
  for (const name of path) {
    if (node?.kind !== "folder") return undefined;
    node = (await node.entries()).get(name);
  }
  return node;
}

/** Names of an absolute or relative path; `..` stays for the one who follows links. */
export function partsOf(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** Names of a path whose steps up are taken as text, as a path that a person wrote is read. */
export function plainParts(path: string): readonly string[] {
  return partsOf(posix.join("/", path));
}
