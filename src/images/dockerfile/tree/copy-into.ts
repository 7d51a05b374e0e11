import { posix } from "node:path";
import type { MatchInfo, PathPatterns } from "../ignore/path-patterns.ts";
import type { FileMode } from "../syntax/file-mode.ts";
import type { ImageTree } from "./image-tree.ts";
import { CopyError, makeFolders, type Owner } from "./make-folders.ts";
import { compareBytes } from "./source-paths.ts";
import {
  folderNode,
  withAttributes,
  type Attributes,
  type FolderNode,
  type TreeNode,
} from "./tree-node.ts";
import { findPath, nodeAt, plainParts } from "./tree-path.ts";

/** How files are copied. */
export interface CopyOptions {
  /** Owner of everything that is made; absent, each keeps its own. */
  readonly owner: Owner | undefined;
  readonly mode: FileMode | undefined;
  /** Only what matches, with the folders above it; absent, everything. */
  readonly included: PathPatterns | undefined;
  /** Never what matches. */
  readonly excluded: PathPatterns | undefined;
}

const FOLDER_MODE = 0o755;

/**
 * Copies one source of an instruction: a file to the target or into it, a folder's contents into it.
 * @param source - absolute path in the source tree; a link is followed
 * @param target - absolute path in the image, links in it followed; a slash or `/.` at its end says that it is a folder
 * @throws CopyError for a source that is not there, or a target that is in the way; TooManyLinksError.
 * @see tonistiigi/fsutil, copy/copy.go, which BuildKit copies with
 */
export async function copyInto(
  tree: ImageTree,
  from: { readonly root: FolderNode; readonly source: string },
  target: string,
  options: CopyOptions,
): Promise<void> {
  const folderMode = options.mode?.folderMode ?? FOLDER_MODE;
  const make = (path: readonly string[]): Promise<void> =>
    makeFolders(tree, path, { mode: folderMode, owner: options.owner });
  await make((await findPath(tree.root, `/${plainParts(folderOf(target)).join("/")}`, true)).path);
  const found = await findPath(from.root, from.source, true);
  if (found.node === undefined) throw new CopyError(`"${from.source}" not found`);
  const place = await findPath(tree.root, `/${plainParts(target).join("/")}`, true);
  const isFolder = found.node.kind === "folder";
  const path =
    !isFolder && place.node?.kind === "folder"
      ? [...place.path, posix.basename(from.source)]
      : place.path;
  await make(isFolder && place.node === undefined ? path : path.slice(0, -1));
  const copier: Copier = { tree, options, waiting: [] };
  await copyNode(copier, { node: found.node, path, names: [], replacesAttributes: false });
}

/** The folder that a target speaks of: itself when it ends as one, else the one above. */
function folderOf(target: string): string {
  const last = target.slice(target.lastIndexOf("/") + 1);
  return last === "" || last === "." ? target : target.slice(0, target.lastIndexOf("/") + 1);
}

interface Copier {
  readonly tree: ImageTree;
  readonly options: CopyOptions;
  /** Folders on the way down that nothing has been copied into yet. */
  readonly waiting: Waiting[];
}

interface Waiting {
  readonly node: FolderNode;
  readonly path: readonly string[];
  isMade: boolean;
}

interface Copied {
  readonly node: TreeNode;
  /** Where it goes. */
  readonly path: readonly string[];
  /** Names below the source; none for the source itself. */
  readonly names: readonly string[];
  /** Whether a folder that is there takes the source's mode and owner. */
  readonly replacesAttributes: boolean;
  readonly includedAbove?: MatchInfo | undefined;
  readonly excludedAbove?: MatchInfo | undefined;
}

interface Verdict {
  readonly isIncluded: boolean;
  readonly isExcluded: boolean;
  readonly included: MatchInfo | undefined;
  readonly excluded: MatchInfo | undefined;
}

async function copyNode(copier: Copier, copied: Copied): Promise<void> {
  const verdict = judge(copier.options, copied);
  const { node, path } = copied;
  if (node.kind === "folder") return copyFolder(copier, { ...copied, node }, verdict);
  if (!verdict.isIncluded) return;
  await makeWaiting(copier, copied.replacesAttributes);
  if (path.length === 0)
    throw new CopyError("the target is the root folder, and the source a file");
  const there = await nodeAt(copier.tree.root, path);
  if (there?.kind === "folder")
    throw new CopyError(`cannot replace the directory "/${path.join("/")}" with a file`);
  await copier.tree.set(path, withAttributes(node, attributesOf(node, copier.options)));
}

function judge(
  { included, excluded }: CopyOptions,
  { names, includedAbove, excludedAbove }: Copied,
): Verdict {
  if (names.length === 0)
    return { isIncluded: true, isExcluded: false, included: undefined, excluded: undefined };
  const path = names.join("/");
  const taken = included?.matches(path, includedAbove);
  const left = excluded?.matches(path, excludedAbove);
  const isExcluded = left?.isMatch === true;
  return {
    isIncluded: taken?.isMatch !== false && !isExcluded,
    isExcluded,
    included: taken?.info,
    excluded: left?.info,
  };
}

async function copyFolder(
  copier: Copier,
  copied: Copied & { readonly node: FolderNode },
  verdict: Verdict,
): Promise<void> {
  const { node, path, names } = copied;
  let isCreated = false;
  if (verdict.isIncluded) {
    await makeWaiting(copier, copied.replacesAttributes);
    isCreated = await makeFolder(copier, copied);
  }
  const waiting: Waiting = { node, path, isMade: verdict.isIncluded };
  copier.waiting.push(waiting);
  if (!verdict.isExcluded || copier.options.excluded?.hasExceptions === true) {
    const entries = await node.entries();
    for (const name of [...entries.keys()].sort(compareBytes))
      await copyNode(copier, {
        node: entries.get(name) as TreeNode, // the name is a key
        path: [...path, name],
        names: [...names, name],
        replacesAttributes: true,
        includedAbove: verdict.included,
        excludedAbove: verdict.excluded,
      });
  }
  copier.waiting.pop();
  const takesAttributes = copied.replacesAttributes ? verdict.isIncluded : isCreated;
  if (takesAttributes) await copier.tree.change(path, await mergedAttributes(copier, node, path));
}

/** @returns true when the folder was not there. */
async function makeFolder(
  { tree }: Copier,
  { node, path, replacesAttributes }: Copied & { readonly node: FolderNode },
): Promise<boolean> {
  const there = path.length === 0 ? tree.root : await nodeAt(tree.root, path);
  if (there === undefined) {
    await tree.set(path, folderNode({ mode: node.mode, uid: 0, gid: 0 }));
    return true;
  }
  if (there.kind !== "folder")
    throw new CopyError(`cannot copy to non-directory: "/${path.join("/")}"`);
  if (replacesAttributes) await tree.change(path, { ...there, mode: node.mode });
  return false;
}

/** Folders whose own name did not match are made once something below them does. */
async function makeWaiting(copier: Copier, replacesAttributes: boolean): Promise<void> {
  for (const waiting of copier.waiting) {
    if (waiting.isMade) continue;
    waiting.isMade = true;
    const about = { node: waiting.node, path: waiting.path, names: [], replacesAttributes };
    if (await makeFolder(copier, about))
      await copier.tree.change(
        waiting.path,
        await mergedAttributes(copier, waiting.node, waiting.path),
      );
  }
}

async function mergedAttributes(
  { tree, options }: Copier,
  node: FolderNode,
  path: readonly string[],
): Promise<Attributes> {
  const there = await nodeAt(tree.root, path);
  const xattrs = { ...there?.xattrs, ...node.xattrs };
  return { ...attributesOf(node, options), xattrs };
}

function attributesOf(node: TreeNode, { owner, mode }: CopyOptions): Attributes {
  return {
    uid: owner?.uid ?? node.uid,
    gid: owner?.gid ?? node.gid,
    mode:
      mode === undefined || node.kind === "link"
        ? node.mode
        : mode.change(node.mode, node.kind === "folder"),
    xattrs: node.xattrs,
  };
}
