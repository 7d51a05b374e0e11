import type { CopiedFile } from "../../images/dockerfile/index.ts";
import { findPythonProblems, sayPythonProblem } from "../../models/python-source/index.ts";
import type { Caller } from "../session.ts";
import { readPythonSources } from "./python-sources.ts";

/** More say nothing new. */
const MAX_WARNINGS = 20;

/** Warns of every line of copied Python files that Python 3 does not run. On a base for Python 2 they are what is wanted. */
export async function warnOfPythonTwo(
  files: readonly CopiedFile[],
  base: string,
  { emit }: Caller,
): Promise<void> {
  if (/python[-_:]?2/i.test(base)) return;
  const warnings: string[] = [];
  for (const { path, text } of await readPythonSources(files))
    for (const problem of findPythonProblems(text))
      if (problem.stopsStart)
        warnings.push(
          sayPythonProblem(path, { ...problem, why: `Python 3 will not run it: ${problem.why}` }),
        );
  for (const text of warnings.slice(0, MAX_WARNINGS)) emit({ kind: "warning", text });
  if (warnings.length > MAX_WARNINGS)
    emit({
      kind: "warning",
      text: `${warnings.length - MAX_WARNINGS} more lines are for Python 2 as well`,
    });
}
