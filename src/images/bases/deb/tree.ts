import { posix } from "node:path";
import { ToolError } from "../../../ground/errors/index.ts";
import type { OpenedPackage, TreeNode } from "./contracts.ts";
import { relationNames } from "./control.ts";

/** A file tree that packages are merged into, with Debian's merged `/usr`. */
export interface Tree {
  /** By path, without order. */
  readonly nodes: ReadonlyMap<string, TreeNode>;
  /** Adds or replaces an entry of our own making. Missing parents are made as plain folders. */
  set(path: string, node: TreeNode): void;
  /** Adds a package's entries as dpkg would. @throws ToolError `PACKAGE_UNAVAILABLE` when two packages ship one file. */
  addPackage(item: OpenedPackage): void;
  /** Adds the links `/bin`, `/lib` and so on into `/usr`, for those folders that are there. */
  linkUsr(owner: string): void;
  /** The entry at a path, links in it followed; `undefined` when there is none or the links lead nowhere. */
  find(path: string): { readonly path: string; readonly node: TreeNode } | undefined;
}

/** Top folders that are links into `/usr` on every Debian since bookworm. */
const MERGED = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
const MAX_LINKS = 32;

/** Makes a tree that holds nothing. */
export function createTree(): Tree {
  const nodes = new Map<string, TreeNode>();
  const packages = new Map<string, OpenedPackage>();
  const ensureParents = (path: string, owner: string): void => {
    for (let parent = posix.dirname(path); parent !== "."; parent = posix.dirname(parent)) {
      if (!nodes.has(parent))
        nodes.set(parent, { type: "directory", mode: 0o755, uid: 0, gid: 0, owner });
    }
  };
  const place = (path: string, node: TreeNode): void => {
    ensureParents(path, node.owner);
    nodes.set(path, node);
  };
  const merge = (path: string, node: TreeNode): void => {
    const existing = nodes.get(path);
    if (existing === undefined) return place(path, node);
    // As dpkg: a folder that is there keeps its attributes, and a link to a folder stands for it.
    if (existing.type === "directory" && node.type !== "file") return;
    if (existing.type === "symlink" && node.type === "directory") return;
    if (existing.type === "directory") throw conflict(path, existing.owner, node.owner);
    if (replaces(packages.get(node.owner), existing.owner)) return place(path, node);
    if (!replaces(packages.get(existing.owner), node.owner))
      throw conflict(path, existing.owner, node.owner);
  };
  return {
    nodes,
    set: (path, node) => place(resolveParents(nodes, mergedPath(path)), node),
    addPackage(item) {
      packages.set(item.name, item);
      for (const { path, node } of item.entries) {
        // Newer releases ship the links themselves; they are made by `linkUsr`.
        if (node.type !== "symlink" || !MERGED.includes(path))
          merge(resolveParents(nodes, mergedPath(path)), node);
      }
    },
    linkUsr(owner) {
      for (const name of MERGED.filter((folder) => nodes.has(`usr/${folder}`)))
        nodes.set(name, { type: "symlink", target: `usr/${name}`, uid: 0, gid: 0, owner });
    },
    find: (path) => follow(nodes, mergedPath(path)),
  };
}

/** Where a path of a package lies once `/bin`, `/lib` and their like are links into `/usr`. */
function mergedPath(path: string): string {
  return MERGED.includes(path.split("/", 1)[0] ?? "") ? `usr/${path}` : path;
}

/** Rewrites a path whose folders are links in the tree, as the kernel would when dpkg unpacks through them. */
function resolveParents(nodes: ReadonlyMap<string, TreeNode>, path: string): string {
  let current = path;
  for (let steps = 0; steps < MAX_LINKS; steps += 1) {
    const parts = current.split("/");
    const index = parts.findIndex(
      (_, position) =>
        position < parts.length - 1 &&
        nodes.get(parts.slice(0, position + 1).join("/"))?.type === "symlink",
    );
    if (index < 0) return current;
    const link = parts.slice(0, index + 1).join("/");
    const node = nodes.get(link);
    if (node?.type !== "symlink") return current;
    current = mergedPath([targetOf(link, node.target), ...parts.slice(index + 1)].join("/"));
  }
  throw new ToolError(
    "ARCHIVE_INVALID",
    `unpack Debian packages: "${path}" lies behind too many links`,
  );
}

function follow(
  nodes: ReadonlyMap<string, TreeNode>,
  path: string,
): { readonly path: string; readonly node: TreeNode } | undefined {
  let current = path;
  for (let steps = 0; steps < MAX_LINKS; steps += 1) {
    current = resolveParents(nodes, current);
    const node = nodes.get(current);
    if (node?.type !== "symlink") return node === undefined ? undefined : { path: current, node };
    current = mergedPath(targetOf(current, node.target));
  }
  return undefined;
}

/** A link's target as a path of the tree; `..` stops at the root, as in the kernel. */
function targetOf(link: string, target: string): string {
  return posix.resolve("/", posix.dirname(link), target).slice(1);
}

function replaces(item: OpenedPackage | undefined, other: string): boolean {
  return item !== undefined && relationNames(item.fields.get("replaces")).includes(other);
}

function conflict(path: string, one: string, other: string): ToolError {
  return new ToolError(
    "PACKAGE_UNAVAILABLE",
    `unpack Debian packages: "${one}" and "${other}" both ship "/${path}"`,
    {
      hint: "they cannot be installed together without their scripts; leave one out, or use --full",
    },
  );
}
