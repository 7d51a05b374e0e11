import { open } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "smol-toml";
import { invalidLock, type LockedRequirements, type LockTable } from "./locks/locked-line.ts";
import { readPipfileLock } from "./locks/read-pipfile-lock.ts";
import { readPoetryLock } from "./locks/read-poetry-lock.ts";
import { readPylockFile } from "./locks/read-pylock-file.ts";
import { readUvLock } from "./locks/read-uv-lock.ts";
import { dependenciesOf, type Dependencies } from "./pyproject.ts";
import { normalizeName } from "./wheel-name.ts";

/** What a project says of its Python packages outside requirements files. */
export interface DeclaredPackages {
  /** Lines of a requirements file; none where nothing was read. */
  readonly lines: readonly string[];
  /** The file that they come from. */
  readonly source?: string;
  /** Files that name packages too and that nobody here reads. */
  readonly unread: readonly string[];
  /** What the user should know, as sentences: packages that are not installed, indexes to name. */
  readonly notes: readonly string[];
}

/** Files in which other tools keep packages, and which say them in a way of their own. */
const OTHER_FILES = ["Pipfile", "environment.yml", "environment.yaml", "setup.py", "setup.cfg"];
const MAX_BYTES = 16 * 2 ** 20;

/** Lock files that are read, best first: what one says holds, and the others are not looked at. */
const LOCKS: readonly (readonly [
  name: string,
  read: (text: string, file: string, project: Dependencies) => LockedRequirements,
])[] = [
  ["pylock.toml", (text, file) => readPylockFile(parseToml(text, file), file)],
  ["uv.lock", (text, file) => readUvLock(parseToml(text, file), file)],
  [
    "poetry.lock",
    (text, file, { lines }) =>
      readPoetryLock(parseToml(text, file), file, lines.map(requirementName)),
  ],
  ["Pipfile.lock", (text, file) => readPipfileLock(text, file)],
];

/**
 * Reads what a folder declares where it has no requirements file: a lock of PEP 751, uv, Poetry or Pipenv, else `pyproject.toml`.
 * @throws ProjectError `REQUIREMENTS_INVALID` for a file that cannot be understood, or is longer than 16 MiB.
 */
export async function readDeclaredPackages(folder: string): Promise<DeclaredPackages> {
  const path = join(folder, "pyproject.toml");
  const text = await readShort(path);
  const project = text === undefined ? { lines: [] } : dependenciesOf(parseToml(text, path), path);
  for (const [name, read] of LOCKS) {
    const file = join(folder, name);
    const lock = await readShort(file);
    if (lock === undefined) continue;
    const { lines, indexes, notes } = read(lock, file, project);
    return {
      lines,
      source: name,
      unread: [],
      notes: [...notes, ...indexNotes(indexes, name), ...staleNotes(lines, project, name)],
    };
  }
  if (project.lines.length > 0)
    return { lines: project.lines, source: "pyproject.toml", unread: [], notes: [] };
  const found = await Promise.all(
    OTHER_FILES.map(async (name) =>
      (await readShort(join(folder, name))) === undefined ? [] : [name],
    ),
  );
  return { lines: [], unread: found.flat(), notes: [] };
}

function indexNotes(indexes: readonly string[], name: string): readonly string[] {
  return indexes.length === 0
    ? []
    : [
        `${name} takes packages from ${indexes.join(" and ")}: name it with --index-url, or as python.extraIndexUrl in slipway.yaml`,
      ];
}

/** A package that the project asks for and its lock does not have: the lock is older. */
function staleNotes(
  lines: readonly string[],
  project: Dependencies,
  name: string,
): readonly string[] {
  const locked = new Set(lines.map(requirementName));
  const missing = project.lines.filter(
    (line) => !/;/.test(line) && !locked.has(requirementName(line)),
  );
  return missing.length === 0
    ? []
    : [
        `${name} is older than pyproject.toml: it has no ${missing.map(requirementName).join(", ")}; write the lock again`,
      ];
}

function requirementName(line: string): string {
  return normalizeName(/^[\w.-]+/.exec(line)?.[0] ?? "");
}

function parseToml(text: string, file: string): LockTable {
  try {
    return parse(text);
  } catch (error) {
    throw invalidLock(file, "it is not TOML", error);
  }
}

/** The text of a file; `undefined` when there is none. */
async function readShort(path: string): Promise<string | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  await using opened = file;
  const { size } = await opened.stat();
  if (size > MAX_BYTES) throw invalidLock(path, `it is longer than ${MAX_BYTES} bytes`);
  return (await opened.readFile("utf8")).replace(/^\ufeff/, "");
}
