import type { ArgInstruction, FromInstruction, Step } from "./instruction.ts";
import { parseInstruction } from "./parse-instruction.ts";
import { parseLines, parseTrigger } from "./parse-lines.ts";
import { dockerfileError, type SourcePosition } from "./place.ts";

/** A stage: how it begins, and its steps. */
export interface Stage {
  readonly from: FromInstruction;
  readonly steps: readonly Step[];
}

/** A Dockerfile, read. Nothing is expanded yet. */
export interface Dockerfile {
  /** As the user named the file. */
  readonly file: string;
  /** `ARG`s before the first `FROM`. */
  readonly globalArgs: readonly ArgInstruction[];
  /** At least one. */
  readonly stages: readonly Stage[];
  /** Its escape character: a backslash or a backtick. */
  readonly escape: string;
}

/**
 * Reads a Dockerfile.
 * @param file - the file as the user named it, for messages
 * @throws ProjectError `DOCKERFILE_INVALID` with line and column.
 */
export function parseDockerfile(text: string, file: string): Dockerfile {
  const { instructions, escape } = parseLines(text, file);
  const globalArgs: ArgInstruction[] = [];
  const stages: { readonly from: FromInstruction; readonly steps: Step[] }[] = [];
  for (const raw of instructions) {
    const instruction = parseInstruction(raw, escape);
    const stage = stages.at(-1);
    if (instruction.kind === "FROM") stages.push({ from: instruction, steps: [] });
    else if (stage !== undefined) stage.steps.push(instruction);
    else if (instruction.kind === "ARG") globalArgs.push(instruction);
    else
      throw dockerfileError(raw.place, `${instruction.kind}: no build stage in current context`, {
        hint: "begin with FROM",
      });
  }
  if (stages.length === 0)
    throw dockerfileError({ file, line: 1, column: 1 }, "dockerfile contains no stages to build", {
      hint: "add a FROM",
    });
  return { file, globalArgs, stages, escape };
}

/** Reads a trigger that a base image left behind. It gets the place of the `FROM` that brings it. @throws as `parseDockerfile`. */
export function parseOnbuildTrigger(text: string, place: SourcePosition): Step {
  const raw = parseTrigger(text, place);
  const step = parseInstruction(raw, "\\");
  if (step.kind === "FROM") throw dockerfileError(place, "ONBUILD: FROM is no trigger");
  return step;
}
