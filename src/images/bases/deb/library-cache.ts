import { posix } from "node:path";
import type { ArchitectureFacts } from "../architecture.ts";
import type { ContentReader } from "./content.ts";
import type { Tree } from "./tree.ts";

/** A shared library as the loader's cache lists it. */
export interface CachedLibrary {
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
}

/** What ldconfig marks libraries of each architecture with. @see glibc, sysdeps/generic/ldconfig.h */
const FLAGS = { amd64: 0x0303, arm64: 0x0a03 } as const;
const MAGIC = "glibc-ld.so.cache1.1";
const HEADER_BYTES = 48;
const ENTRY_BYTES = 24;
const LITTLE_ENDIAN = 2;
const LIBRARY = /^(lib[^/]*|ld-[^/]*)\.so(\.|$)/;

/**
 * Finds the libraries that ldconfig would list: those in the folders of `/etc/ld.so.conf.d`, then in the loader's own.
 * A name that comes twice is taken from the first folder.
 */
export async function findLibraries(
  tree: Tree,
  reader: ContentReader,
  architecture: ArchitectureFacts,
): Promise<readonly CachedLibrary[]> {
  const folders = [
    ...(await configuredFolders(tree, reader)),
    `/usr/lib/${architecture.triplet}`,
    "/usr/lib",
    "/usr/lib64",
  ].map((folder) => realFolder(tree, folder));
  const found = new Map<string, string>();
  const byFolder = librariesByFolder(tree);
  for (const folder of new Set(folders))
    for (const name of byFolder.get(folder) ?? [])
      if (!found.has(name)) found.set(name, `/${folder}/${name}`);
  return [...found].map(([name, path]) => ({ name, path }));
}

/**
 * Names of libraries by the folder they are in. A file that a link beside it points to is left out: programs ask for it
 * by the link's name.
 */
export function librariesByFolder(tree: Tree): ReadonlyMap<string, readonly string[]> {
  const byFolder = new Map<string, string[]>();
  const behindLinks = new Set(
    [...tree.nodes].flatMap(([path, node]) =>
      node.type === "symlink" && LIBRARY.test(posix.basename(path))
        ? [posix.join(posix.dirname(path), node.target)]
        : [],
    ),
  );
  for (const [path, { type }] of tree.nodes) {
    if (type === "directory" || behindLinks.has(path) || !LIBRARY.test(posix.basename(path)))
      continue;
    const names = byFolder.get(posix.dirname(path));
    if (names === undefined) byFolder.set(posix.dirname(path), [posix.basename(path)]);
    else names.push(posix.basename(path));
  }
  return byFolder;
}

/** The bytes of `/etc/ld.so.cache`. Libraries may come in any order. @see glibc, elf/cache.c and dl-cache.h */
export function encodeLibraryCache(
  libraries: readonly CachedLibrary[],
  architecture: ArchitectureFacts["name"],
): Uint8Array {
  const sorted = libraries.toSorted(
    (one, other) => compareLibraries(other.name, one.name) || (one.path < other.path ? -1 : 1),
  );
  const strings: string[] = [];
  let position = HEADER_BYTES + sorted.length * ENTRY_BYTES;
  const start = position;
  const add = (text: string): number => {
    const at = position;
    strings.push(text);
    position += Buffer.byteLength(text) + 1;
    return at;
  };
  const table = Buffer.alloc(start);
  sorted.forEach(({ name, path }, index) => {
    const at = HEADER_BYTES + index * ENTRY_BYTES;
    table.writeInt32LE(FLAGS[architecture], at);
    table.writeUInt32LE(add(name), at + 4);
    table.writeUInt32LE(add(path), at + 8);
  });
  table.write(MAGIC, 0, "latin1");
  table.writeUInt32LE(sorted.length, 20);
  table.writeUInt32LE(position - start, 24);
  table.writeUInt8(LITTLE_ENDIAN, 28);
  return Buffer.concat([table, Buffer.from(strings.map((text) => `${text}\0`).join(""))]);
}

/** The order that the loader's binary search expects: numbers in names count as numbers. @see glibc, _dl_cache_libcmp */
export function compareLibraries(one: string, other: string): number {
  const parts = (name: string): readonly string[] => name.match(/\d+|\D/g) ?? [];
  const [left, right] = [parts(one), parts(other)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const [a, b] = [left[index], right[index]];
    if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
    const [isNumber, isOtherNumber] = [/\d/.test(a), /\d/.test(b)];
    if (isNumber !== isOtherNumber) return isNumber ? 1 : -1;
    const difference = isNumber
      ? Number(a) - Number(b)
      : Buffer.compare(Buffer.from(a), Buffer.from(b));
    if (difference !== 0) return difference;
  }
  return 0;
}

async function configuredFolders(tree: Tree, reader: ContentReader): Promise<readonly string[]> {
  const files = [...tree.nodes.keys()]
    .filter((path) => path.startsWith("etc/ld.so.conf.d/") && path.endsWith(".conf"))
    .sort();
  const folders: string[] = [];
  for (const path of files) {
    const node = tree.nodes.get(path);
    if (node?.type !== "file") continue;
    const text = Buffer.from(await reader.bytes(node.content)).toString("utf8");
    folders.push(
      ...text
        .split("\n")
        .map((line) => line.replace(/#.*/, "").trim())
        .filter((line) => line.startsWith("/")),
    );
  }
  return folders;
}

function realFolder(tree: Tree, folder: string): string {
  return tree.find(folder.slice(1))?.path ?? folder.slice(1);
}
