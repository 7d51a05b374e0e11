import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { walkTree, type PackProject } from "../../images/pack/index.ts";
import { missingImports } from "../python/missing-imports.ts";
import { readPythonSources, sourceFile } from "../python/python-sources.ts";
import type { Standpoint } from "../session.ts";

/** Says which imports of a class nothing brings on a known base, which has Python alone. @returns what was said. */
export async function warnOfMissingImports(
  { root, code, requirements, requirementLines }: PackProject,
  base: string,
  { emit, signal }: Standpoint,
): Promise<readonly string[]> {
  const { files } = await walkTree(root, { ignore: [], signal });
  const own = await Promise.all(requirements.map((file) => readFile(join(root, file), "utf8")));
  const lines = [...requirementLines, ...own.flatMap((text) => text.split("\n"))];
  const python = /python:(\d+\.\d+)/.exec(base)?.[1] ?? "3.11";
  const sources = await readPythonSources(files.map(sourceFile));
  const said = missingImports(code?.file ?? "", sources, { requirements: lines, python });
  for (const text of said) emit({ kind: "warning", text });
  return said;
}
