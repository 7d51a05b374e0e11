/** Why Python 3 does not run a line as it stands. */
export interface PythonProblem {
  /** From 1. */
  readonly line: number;
  readonly why: string;
  /** How Python 3 writes it: the whole statement, or the word that takes its place. Absent where there is no one answer. */
  readonly instead?: string | undefined;
  /** False for what fails only when the line runs. */
  readonly stopsStart: boolean;
}

/** `FILE:LINE: why; write …`, as people read it. */
export function sayPythonProblem(file: string, { line, why, instead }: PythonProblem): string {
  return `${file}:${line}: ${why}${instead === undefined ? "" : `; write ${instead}`}`;
}
