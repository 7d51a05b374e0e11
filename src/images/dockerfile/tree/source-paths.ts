import { matchesGlob, parseGlob, BadPatternError, type GlobToken } from "../ignore/glob.ts";
import { CopyError } from "./make-folders.ts";
import type { FolderNode } from "./tree-node.ts";
import { findPath, partsOf } from "./tree-path.ts";

/** True for a name that holds `*`, `?` or `[`, a backslash before one of them aside. */
export function hasWildcards(text: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/s.test(text);
}

/**
 * The paths that a source names: itself, or for a pattern those that match, sorted. A star stands for names that begin with a dot
 * too, and never for a slash; links are followed in front of the first pattern only.
 * @param source - absolute, without steps up
 * @throws CopyError when the folder in front of the first pattern is not there.
 */
export async function resolveSources(root: FolderNode, source: string): Promise<readonly string[]> {
  const parts = partsOf(source);
  const first = parts.findIndex(hasWildcards);
  if (first < 0) return [`/${parts.join("/")}`];
  const start = await findPath(root, `/${parts.slice(0, first).join("/")}`, true);
  if (start.node === undefined)
    throw new CopyError(`"/${parts.slice(0, first).join("/")}" not found`);
  if (start.node.kind !== "folder") return [];
  const patterns = globsOf(parts.slice(first));
  if (patterns === undefined) return [];
  const found = await expandPattern(start.node, patterns);
  return found.map((names) => `/${[...start.path, ...names].join("/")}`);
}

/** A pattern that is none matches nothing. */
function globsOf(parts: readonly string[]): readonly (readonly GlobToken[])[] | undefined {
  try {
    return parts.map((part) => parseGlob(part, false));
  } catch (error) {
    if (error instanceof BadPatternError) return undefined;
    throw error;
  }
}

async function expandPattern(
  folder: FolderNode,
  [pattern, ...rest]: readonly (readonly GlobToken[])[],
): Promise<readonly (readonly string[])[]> {
  if (pattern === undefined) return [[]];
  const found: (readonly string[])[] = [];
  const entries = await folder.entries();
  for (const name of [...entries.keys()].sort(compareBytes)) {
    if (!matchesGlob(pattern, name)) continue;
    const node = entries.get(name);
    if (rest.length === 0) found.push([name]);
    else if (node?.kind === "folder")
      for (const names of await expandPattern(node, rest)) found.push([name, ...names]);
  }
  return found;
}

/** Order of names by their bytes. */
export function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
