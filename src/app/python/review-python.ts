import { ToolError } from "../../ground/errors/index.ts";
import {
  findOldTensorFlow,
  findPythonProblems,
  sayPythonProblem,
} from "../../models/python-source/index.ts";
import type { Caller } from "../session.ts";
import { reachedFrom, type PythonSource } from "./python-sources.ts";

/** What Python 3 says to a folder of code, one line each, beginning with `FILE:LINE: `. */
export interface PythonReview {
  /** The main file, or one that it imports, cannot be started with these. */
  readonly problems: readonly string[];
  /** These fail when their line runs, or lie in files that the main one does not import. */
  readonly remarks: readonly string[];
  /** The first line of the main file, or of one that it imports, that only TensorFlow 1 runs. */
  readonly oldTensorFlow?: string | undefined;
}

/** How one makes Python 3 of Python 2, for hints. */
export const CONVERT_HINT =
  "write these lines anew, or pass --convert-py2: it writes a converted copy beside the folder and packs that";

/** More remarks say nothing new. */
const MAX_REMARKS = 10;

/** Holds sources against Python 3, by reading them. */
export function reviewPython(mainFile: string, sources: readonly PythonSource[]): PythonReview {
  const reached = reachedFrom(mainFile, sources);
  const problems: string[] = [];
  const remarks: string[] = [];
  for (const { path, text } of reached)
    for (const problem of findPythonProblems(text))
      (problem.stopsStart ? problems : remarks).push(sayPythonProblem(path, problem));
  const others = sources.filter(
    (source) =>
      !reached.includes(source) &&
      findPythonProblems(source.text).some(({ stopsStart }) => stopsStart),
  );
  if (others.length > 0)
    remarks.push(
      `Python 3 does not run ${sourceNames(others)}, which "${mainFile}" does not import`,
    );
  return { problems, remarks, oldTensorFlow: oldTensorFlowIn(reached) };
}

function oldTensorFlowIn(sources: readonly PythonSource[]): string | undefined {
  for (const { path, text } of sources)
    for (const { line, name } of findOldTensorFlow(text).slice(0, 1))
      return `${path}:${line}: ${name} is TensorFlow 1's`;
  return undefined;
}

/** Says that code of TensorFlow 1 meets TensorFlow 2, where nothing stands between them. */
export function warnOfOldTensorFlow({ oldTensorFlow }: PythonReview, { emit }: Caller): void {
  if (oldTensorFlow !== undefined)
    emit({
      kind: "warning",
      text: `${oldTensorFlow}; write \`import tensorflow.compat.v1 as tf\` and \`tf.disable_v2_behavior()\` for TensorFlow 2`,
    });
}

function sourceNames(sources: readonly PythonSource[]): string {
  const [first, second, ...more] = sources.map(({ path }) => path);
  const shown = [first, second].filter((path) => path !== undefined).join(", ");
  return more.length === 0 ? shown : `${shown} and ${more.length} more files`;
}

/** Says what does not keep the code from starting. */
export function warnOfRemarks({ remarks }: Pick<PythonReview, "remarks">, { emit }: Caller): void {
  for (const text of remarks.slice(0, MAX_REMARKS)) emit({ kind: "warning", text });
  if (remarks.length > MAX_REMARKS)
    emit({
      kind: "warning",
      text: `${remarks.length - MAX_REMARKS} more lines are for Python 2 as well`,
    });
}

/** Ends what is at work when the code cannot start on Python 3, and says the rest. @throws ToolError `PROJECT_INVALID` naming every line. */
export function refusePythonTwo(
  review: PythonReview,
  about: { readonly what: string; readonly caller: Caller },
): void {
  const { problems } = review;
  if (problems.length > 0)
    throw new ToolError("PROJECT_INVALID", problemList(about.what, problems), {
      hint: `nothing was made; ${CONVERT_HINT}`,
    });
  warnOfRemarks(review, about.caller);
}

function problemList(what: string, problems: readonly string[]): string {
  return problems.length === 1
    ? `${what}: Python 3 does not run ${problems[0] ?? ""}`
    : `${what}: Python 3 does not run ${problems.length} lines\n  ${problems.join("\n  ")}`;
}
