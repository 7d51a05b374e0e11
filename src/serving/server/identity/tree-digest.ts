import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";

/** A file as it was when it was looked at. */
interface SeenFile {
  /** From the folder, with slashes. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** Changes with every change of the file. */
  readonly state: string;
}

/** Folders that programs write beside code, and that are not code. */
const NOT_CODE: ReadonlySet<string> = new Set(["__pycache__", ".git", "node_modules", ".venv"]);
const CHUNK_BYTES = 1_048_576;

/** The files that a digest is about. */
export interface FileTree {
  readonly files: readonly SeenFile[];
  /** Of all files together. */
  readonly bytes: number;
}

/**
 * The files at a path, by name; a file is a tree of one whose name is empty, so that its digest is that of its bytes.
 * @param without - a path whose files belong to something else
 */
export async function listTree(path: string, without?: string): Promise<FileTree> {
  const files: SeenFile[] = [];
  const visit = async (at: string): Promise<void> => {
    if (at === without) return;
    const facts = await stat(at, { bigint: true });
    if (facts.isDirectory()) {
      const names = (await readdir(at)).filter((name) => !NOT_CODE.has(name));
      for (const name of names.sort()) await visit(join(at, name));
    } else if (facts.isFile()) {
      const { dev, ino, size, mtimeNs, ctimeNs } = facts;
      const name = relative(path, at).replaceAll("\\", "/");
      const state = [dev, ino, size, mtimeNs, ctimeNs].join(":");
      files.push({ name, path: at, bytes: Number(size), state });
    }
  };
  await visit(path);
  return { files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** True when no file of a tree has changed, come or gone. */
export function isSameTree(one: FileTree, other: FileTree): boolean {
  const states = ({ files }: FileTree): string =>
    JSON.stringify(files.map(({ name, state }) => [name, state]));
  return states(one) === states(other);
}

/**
 * The sha256 of a file, or of a folder: of its lines `<sha256>  <name>` sorted by name, as `sha256sum` prints them.
 * @param known - digests of files by their state; those that are read are added
 */
export async function treeDigest(
  { files }: FileTree,
  known: Map<string, string>,
): Promise<string | undefined> {
  const [only] = files;
  if (only === undefined) return undefined;
  if (files.length === 1 && only.name === "") return `sha256:${await fileDigest(only, known)}`;
  const whole = createHash("sha256");
  for (const file of files.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    whole.update(`${await fileDigest(file, known)}  ${file.name}\n`);
  return `sha256:${whole.digest("hex")}`;
}

async function fileDigest({ path, state }: SeenFile, known: Map<string, string>): Promise<string> {
  const before = known.get(state);
  if (before !== undefined) return before;
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), hash);
  const digest = hash.digest("hex");
  known.set(state, digest);
  return digest;
}
