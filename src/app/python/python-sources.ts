import { readFile } from "node:fs/promises";
import type { WalkedFile } from "../../images/pack/index.ts";
import { findImports, type PythonImport } from "../../models/python-source/index.ts";

/** A Python file of a folder, read. */
export interface PythonSource {
  /** Relative to the folder that Python finds modules in. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly PythonImport[];
}

/** A file that can be read. */
interface SourceFile {
  readonly path: string;
  /** Absolute. */
  readonly source: string;
  /** Bytes. */
  readonly size: number;
}

/** A file of a project as a source. */
export function sourceFile({ path, source, guard }: WalkedFile): SourceFile {
  return { path, source, size: guard.size };
}

const MAX_BYTES = 2 ** 20;

/** Reads the Python files among others. What is longer than 1 MiB is no source that people wrote, and is left out. */
export async function readPythonSources(
  files: readonly SourceFile[],
): Promise<readonly PythonSource[]> {
  const sources: PythonSource[] = [];
  for (const { path, source, size } of files) {
    if (!path.endsWith(".py") || size > MAX_BYTES) continue;
    const text = await readFile(source, "utf8");
    sources.push({ path, text, imports: findImports(text) });
  }
  return sources;
}

/** The main file, and what it imports of the others, and what these import. The main file's folder is where modules are looked for, and the root. */
export function reachedFrom(
  mainFile: string,
  sources: readonly PythonSource[],
): readonly PythonSource[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const main = byPath.get(mainFile);
  const reached = new Map(main === undefined ? [] : [[mainFile, main]]);
  for (const source of reached.values())
    for (const one of source.imports)
      for (const path of pathsOf(one, [folderOf(mainFile), ""], folderOf(source.path))) {
        const found = byPath.get(path);
        if (found !== undefined) reached.set(path, found);
      }
  return [...reached.values()];
}

/** Paths that an import may mean, those of the packages above it included. */
function* pathsOf(
  { module, names }: PythonImport,
  roots: readonly string[],
  own: string,
): Generator<string, void, undefined> {
  const dots = /^\.*/.exec(module)?.[0].length ?? 0;
  const parts = module.slice(dots).split(".").filter(Boolean);
  const starts = dots === 0 ? [...roots, own] : [upwards(own, dots - 1)];
  for (const start of starts) {
    for (let count = 1; count <= parts.length; count += 1)
      yield* moduleFiles(start, parts.slice(0, count));
    for (const name of names) yield* moduleFiles(start, [...parts, name]);
  }
}

function* moduleFiles(start: string, parts: readonly string[]): Generator<string, void, undefined> {
  const stem = [...(start === "" ? [] : [start]), ...parts].join("/");
  yield `${stem}.py`;
  yield `${stem}/__init__.py`;
}

function upwards(folder: string, count: number): string {
  return folder
    .split("/")
    .slice(0, folder.split("/").length - count)
    .join("/");
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
}
