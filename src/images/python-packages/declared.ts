import { open } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "smol-toml";
import { ProjectError } from "../../ground/errors/index.ts";

/** What a project says of its Python packages outside requirements files. */
export interface DeclaredPackages {
  /** `[project] dependencies` of `pyproject.toml`, as lines of a requirements file. */
  readonly lines: readonly string[];
  /** Files that name packages too and that nobody here reads. */
  readonly unread: readonly string[];
}

/** Files in which other tools keep packages. */
const OTHER_FILES = [
  "uv.lock",
  "pylock.toml",
  "poetry.lock",
  "Pipfile.lock",
  "Pipfile",
  "environment.yml",
  "environment.yaml",
] as const;
const MAX_BYTES = 2 ** 20;

/**
 * Reads what a folder declares where it has no requirements file.
 * @throws ProjectError `REQUIREMENTS_INVALID` for a `pyproject.toml` that is no TOML, too long, or whose dependencies are no list.
 */
export async function readDeclaredPackages(folder: string): Promise<DeclaredPackages> {
  const path = join(folder, "pyproject.toml");
  const text = await readShort(path);
  const lines = text === undefined ? [] : dependenciesOf(text, path);
  if (lines.length > 0) return { lines, unread: [] };
  const found = await Promise.all(
    OTHER_FILES.map(async (name) => ((await isThere(join(folder, name))) ? [name] : [])),
  );
  return { lines, unread: found.flat() };
}

function dependenciesOf(text: string, file: string): readonly string[] {
  const invalid = (why: string, cause?: unknown): ProjectError =>
    new ProjectError("REQUIREMENTS_INVALID", `read "${file}": ${why}`, { file, cause });
  let document: Readonly<Record<string, unknown>>;
  try {
    document = parse(text);
  } catch (error) {
    throw invalid("it is not TOML", error);
  }
  const { project } = document;
  if (typeof project !== "object" || project === null || !("dependencies" in project)) return [];
  const { dependencies } = project;
  if (!Array.isArray(dependencies) || !dependencies.every((line) => typeof line === "string"))
    throw invalid("project.dependencies is not a list of texts");
  const odd = dependencies.find((line) => /^\s*-|[\r\n]/.test(line));
  if (odd !== undefined) throw invalid(`"${odd.slice(0, 100)}" is not a requirement`);
  return dependencies;
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
  if (size > MAX_BYTES)
    throw new ProjectError(
      "REQUIREMENTS_INVALID",
      `read "${path}": it is longer than ${MAX_BYTES} bytes`,
      {
        file: path,
      },
    );
  return await opened.readFile("utf8");
}

async function isThere(path: string): Promise<boolean> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  await file?.close();
  return file !== undefined;
}
