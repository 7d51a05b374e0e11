import { constants } from "node:fs";
import {
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import { createTempDir, noFile, run } from "../../ground/process/index.ts";
import { expandTabs } from "../../models/python-source/index.ts";
import type { Surroundings } from "../session.ts";

/** lib2to3's successor, kept by the Python community since Python dropped its own. */
const CONVERTER = "fissix==24.4.24";
const LEFT_OUT = new Set([".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__"]);
/** Larger files are linked, not copied: they are data, and nobody converts them. */
const LINKED_BYTES = 2 ** 20;
const TIMEOUT_MS = 600_000;

/**
 * Writes a copy of a folder beside it, `NAME-py3`, with its Python files made Python 3, by a converter in an environment of its own
 * that goes away again. The folder itself stays as it is.
 * @returns the copy's absolute path.
 * @throws ToolError `USAGE` when there is such a copy, `TOOL_MISSING` without uv, `PROJECT_INVALID` naming what cannot be converted.
 */
export async function convertPythonTwo(folder: string, session: Surroundings): Promise<string> {
  const root = resolve(session.cwd, folder);
  const target = `${root}-py3`;
  if ((await stat(target).catch(noFile)) !== undefined)
    throw new ToolError("USAGE", `convert "${folder}": "${target}" is there already`, {
      hint: "name that folder in this one's place, or remove it to have it written anew",
    });
  await using made = await createTempDir(`.${basename(root)}-py3`, dirname(root));
  const copy = join(made.path, basename(target));
  const sources = await copyFolder(root, copy, session.signal);
  await convert(sources, copy, session);
  await rename(copy, target);
  session.emit({
    kind: "step",
    text: `${relative(session.cwd, target) || target} is a copy of ${folder} with ${sources.length} Python files made Python 3; look it through: a converter knows grammar, not meaning`,
  });
  return target;
}

/** @returns the Python files of the copy, absolute. */
async function copyFolder(
  from: string,
  to: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  signal.throwIfAborted();
  await mkdir(to, { recursive: true });
  const sources: string[] = [];
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory() && !LEFT_OUT.has(entry.name))
      sources.push(...(await copyFolder(source, target, signal)));
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (entry.isFile()) {
      await copyOne(source, target);
      if (entry.name.endsWith(".py")) sources.push(target);
    }
  }
  return sources;
}

async function copyOne(source: string, target: string): Promise<void> {
  const { size } = await stat(source);
  if (size < LINKED_BYTES || source.endsWith(".py"))
    return copyFile(source, target, constants.COPYFILE_FICLONE);
  // whatever keeps a link from being made, a copy is as good
  await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE));
}

async function convert(
  sources: readonly string[],
  copy: string,
  { environment, signal }: Surroundings,
): Promise<void> {
  for (const path of sources) {
    // Byte for byte, whatever encoding the file says that it has.
    const text = await readFile(path, "latin1");
    const expanded = expandTabs(text);
    if (expanded !== text) await writeFile(path, expanded, "latin1");
  }
  if (sources.length === 0) return;
  const names = sources.map((path) => relative(copy, path));
  const command = ["run", "--no-project", "--isolated", "--no-config", "--with", CONVERTER];
  const { exitCode, stderrTail } = await run(
    ["uv", ...command, "python", "-m", "fissix", "-w", "-n", "--no-diffs", ...names],
    { cwd: copy, env: environment, signal, timeoutMs: TIMEOUT_MS, allowFailure: true },
  ).catch((error: unknown) => {
    throw isToolError(error) && error.code === "TOOL_MISSING"
      ? new ToolError("TOOL_MISSING", 'convert Python 2: the converter is run by "uv"', {
          cause: error,
          hint: "install uv (`pip install uv`)",
        })
      : error;
  });
  await rm(join(copy, "__pycache__"), { recursive: true, force: true });
  if (exitCode === 0) return;
  const why =
    /(?:Can't parse [^\n]+|error: [^\n]+)/.exec(stderrTail)?.[0] ??
    stderrTail.trim().split("\n").at(-1);
  throw new ToolError("PROJECT_INVALID", `convert Python 2: the converter failed: ${why ?? ""}`, {
    hint: "mend that by hand; nothing was written",
  });
}
