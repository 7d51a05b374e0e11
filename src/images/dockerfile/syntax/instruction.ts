import type { Heredoc } from "./heredoc.ts";
import type { SourcePosition } from "./place.ts";

interface Common {
  readonly place: SourcePosition;
  /** The instruction as written, continued lines joined. */
  readonly text: string;
}

/** `FROM`: begins a stage. Its texts may hold variables. */
export interface FromInstruction extends Common {
  readonly kind: "FROM";
  readonly base: string;
  readonly platform: string | undefined;
  /** In lower case. */
  readonly name: string | undefined;
}

/** A name and a value that may hold variables. */
export interface Pair {
  readonly name: string;
  readonly value: string;
}

interface Pairs<Kind> extends Common {
  readonly kind: Kind;
  readonly pairs: readonly Pair[];
}

/** `LABEL`: names and values of the image's labels. */
export type LabelInstruction = Pairs<"LABEL">;

/** `ARG`: names, some with a default. */
export interface ArgInstruction extends Common {
  readonly kind: "ARG";
  readonly args: readonly { readonly name: string; readonly value: string | undefined }[];
}

/** `COPY` or `ADD`. Texts may hold variables. */
export interface CopyInstruction extends Common {
  readonly kind: "COPY" | "ADD";
  /** Paths and heredoc words, in the order written. */
  readonly sources: readonly string[];
  readonly heredocs: readonly Heredoc[];
  readonly target: string;
  readonly from: string | undefined;
  readonly chown: string;
  readonly chmod: string;
  readonly isLinked: boolean;
  readonly keepsParents: boolean;
  readonly excludes: readonly string[];
  /** `--unpack`; undefined where nothing is said. */
  readonly unpacks: boolean | undefined;
  /** `--checksum` or `--keep-git-dir`, which speak of what is fetched. */
  readonly isForFetched: boolean;
}

/** `RUN`: the step that executes. */
export interface RunInstruction extends Common {
  readonly kind: "RUN";
  readonly flags: readonly string[];
  readonly heredocs: readonly Heredoc[];
  readonly rest: string;
}

/** A command: a list of words, or a line for the shell. */
export type CommandLine =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "shell"; readonly line: string };

/** `CMD` or `ENTRYPOINT`. */
export interface CommandInstruction extends Common {
  readonly kind: "CMD" | "ENTRYPOINT";
  readonly command: CommandLine;
}

/** `HEALTHCHECK`, as the image's config has it; times in nanoseconds. */
export interface HealthcheckInstruction extends Common {
  readonly kind: "HEALTHCHECK";
  readonly test: readonly string[];
  readonly intervalNs: number;
  readonly timeoutNs: number;
  readonly startPeriodNs: number;
  readonly startIntervalNs: number;
  readonly retries: number;
}

interface Text<Kind> extends Common {
  readonly kind: Kind;
  readonly value: string;
}

/** Instructions with one text, which may hold variables. */
export type TextInstruction = Text<"WORKDIR"> | Text<"USER"> | Text<"STOPSIGNAL">;

/** Instructions with a list of texts. Those of `EXPOSE` and `VOLUME` may hold variables. */
export interface ListInstruction extends Common {
  readonly kind: "EXPOSE" | "VOLUME" | "SHELL";
  readonly values: readonly string[];
}

/** `ONBUILD`: kept for the image that is built on this one. */
export interface OnbuildInstruction extends Common {
  readonly kind: "ONBUILD";
  readonly trigger: string;
}

/** One instruction with its arguments read. */
export type Instruction =
  | FromInstruction
  | Pairs<"ENV">
  | LabelInstruction
  | ArgInstruction
  | CopyInstruction
  | RunInstruction
  | CommandInstruction
  | HealthcheckInstruction
  | Text<"MAINTAINER">
  | TextInstruction
  | ListInstruction
  | OnbuildInstruction;

/** What stands inside a stage. */
export type Step = Exclude<Instruction, FromInstruction>;
