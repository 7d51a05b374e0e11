import { readFile } from "node:fs/promises";
import type { CopiedFile } from "../../images/dockerfile/index.ts";
import { findPython2 } from "../../models/kinds/index.ts";
import type { Caller } from "../session.ts";

const MAX_BYTES = 2 ** 20;
/** More say nothing new. */
const MAX_WARNINGS = 10;

/** Warns of copied Python files that Python 3 does not run. On a base for Python 2 they are what is wanted. */
export async function warnOfPython2(
  files: readonly CopiedFile[],
  base: string,
  session: Caller,
): Promise<void> {
  if (/python[-_:]?2/i.test(base)) return;
  const warnings: string[] = [];
  for (const { path, source, size } of files) {
    if (!path.endsWith(".py") || size > MAX_BYTES) continue;
    const problem = findPython2(await readFile(source, "utf8"));
    if (problem !== undefined)
      warnings.push(`${path}:${problem.line}: Python 3 will not run it: ${problem.why}`);
  }
  for (const warning of warnings.slice(0, MAX_WARNINGS))
    session.emit({ kind: "warning", text: warning });
  if (warnings.length > MAX_WARNINGS)
    session.emit({
      kind: "warning",
      text: `${warnings.length - MAX_WARNINGS} more Python files are for Python 2 as well`,
    });
}
