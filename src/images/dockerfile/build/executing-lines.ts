import type { CopyInstruction, RunInstruction } from "../syntax/instruction.ts";
import { heredocText } from "../syntax/heredoc.ts";
import type { StageScope } from "./run-config.ts";

/** A step that a builder does. */
export type ExecutingStep = RunInstruction | CopyInstruction;

/** Lines that bring a builder to where the stage is: whose shell, user and folder the steps run with, and the variables they see. */
export function openingLines({ config, variables }: StageScope): readonly string[] {
  const env = new Set((config.Env ?? []).map((entry) => entry.slice(0, entry.indexOf("="))));
  const args = [...variables.keys()].filter((name) => !env.has(name) && /^\w+$/.test(name));
  return [
    ...args.map((name) => `ARG ${name}`),
    ...((config.Shell ?? []).length > 0 ? [`SHELL ${JSON.stringify(config.Shell)}`] : []),
    ...(config.User !== undefined && config.User !== "" ? [`USER ${quoted(config.User)}`] : []),
    ...(config.WorkingDir !== undefined && config.WorkingDir !== ""
      ? [`WORKDIR ${quoted(config.WorkingDir)}`]
      : []),
  ];
}

/** A text that no variable is put into. */
function quoted(text: string): string {
  return text.replaceAll(/[\\$'"]/g, String.raw`\$&`);
}

const MOUNT_FROM = /(--mount=\S*?\bfrom=)([^,\s"']+)/g;

/** The step as a builder reads it, heredocs turned into a form that every builder knows, stages under the names given. */
export function executingLine(
  step: ExecutingStep,
  shell: readonly string[],
  stageNames: ReadonlyMap<string, string>,
): string {
  const rename = (text: string): string =>
    text.replaceAll(
      MOUNT_FROM,
      (_: string, before: string, name: string) => before + (stageNames.get(name) ?? name),
    );
  if (step.heredocs.length === 0) return rename(step.text);
  const script = step.kind === "RUN" ? shellScript(step) : undefined;
  if (step.kind === "RUN" && script !== undefined)
    return [
      "RUN",
      ...step.flags.map((flag) => rename(flagText(flag))),
      JSON.stringify([...shell, script]),
    ].join(" ");
  return (
    rename(step.text) + step.heredocs.map(({ content, name }) => `\n${content}${name}`).join("")
  );
}

/** What the shell is given: the documents alone, or the command with its documents below. `undefined` for a program of another kind. */
function shellScript({ rest, heredocs }: RunInstruction): string | undefined {
  const [only] = heredocs;
  const isAlone = heredocs.length === 1 && /^<<-?\s*["']?[\w.-]+["']?$/.test(rest);
  if (!isAlone || only === undefined)
    return `${rest}\n${heredocs.map(({ content, name }) => `${content}${name}\n`).join("")}`;
  return only.content.startsWith("#!") ? undefined : heredocText(only);
}

function flagText(flag: string): string {
  return /\s/.test(flag) ? JSON.stringify(flag) : flag;
}

/** Names that `--mount=from=` of a step uses. */
export function mountSources(step: ExecutingStep): readonly string[] {
  if (step.kind !== "RUN") return [];
  return step.flags.flatMap((flag) =>
    [...flag.matchAll(MOUNT_FROM)].map(([, , name = ""]) => name),
  );
}
