import { ProjectError } from "../../../ground/errors/index.ts";

/** A place in a Dockerfile. Line and column count from 1. */
export interface SourcePosition {
  /** As the user named the file. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What is wrong at a place of a Dockerfile. @returns ProjectError `DOCKERFILE_INVALID`. */
export function dockerfileError(
  { file, line, column }: SourcePosition,
  why: string,
  options: { readonly hint?: string; readonly cause?: unknown } = {},
): ProjectError {
  return new ProjectError("DOCKERFILE_INVALID", `build ${file}:${line}:${column}: ${why}`, {
    ...options,
    file,
    line,
    column,
  });
}
