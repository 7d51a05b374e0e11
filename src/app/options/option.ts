import type { Surroundings } from "../session.ts";

/** One option or argument of a command, as it is written and shown. */
export interface Flag {
  /** An option is `-t, --tag <name>`, `--push` or `--no-push`; an argument is `<source>`, `[folder]` or `[words...]`. */
  readonly form: string;
  /** What `--help` says of it. */
  readonly help: string;
  /** The only values that it takes. */
  readonly choices?: readonly string[] | undefined;
  /** The value where none is given, as one would write it; `--help` shows it. */
  readonly byDefault?: string | number | undefined;
  /** True when it may come more than once. Default false: the last one counts. */
  readonly isRepeated?: boolean | undefined;
  /** True when the command does nothing without it. Default false. */
  readonly isRequired?: boolean | undefined;
  /** True when it is taken and not shown. Default false. */
  readonly isHidden?: boolean | undefined;
  /** Another spelling, such as `--main-class`, which is not shown. */
  readonly alias?: string | undefined;
  /** Title that `--help` shows it under. Default `Options:`. */
  readonly heading?: string | undefined;
}

/** What values may be relative to: a path to the working folder, a variable to the environment. */
export type OptionContext = Pick<Surroundings, "cwd" | "environment">;

/** One field of a request: the flags that give it, and how it is read from what was written. */
export interface Option<Value> {
  readonly flags: readonly Flag[];
  /**
   * Makes the value. @param given - what was written for each of the flags: empty when the flag was not given, one empty text for a flag
   * without a value.
   * @throws ToolError `USAGE` for a text that has not the form.
   */
  readonly read: (given: readonly (readonly string[])[], context: OptionContext) => Value;
}

/** An option for each field of a request; fields that may be absent need none. */
export type Options<Request> = {
  readonly [Key in keyof Request]: Option<
    object extends Pick<Request, Key> ? Request[Key] | undefined : Request[Key]
  >;
};

/** That a command talks to registries, and so takes the options that say how they are reached. */
export interface RegistryUse<Request> {
  /** True when it uploads. Default false. */
  readonly sends?: boolean | undefined;
  /** Title that `--help` shows its options under. Default `Registry options:`. */
  readonly heading?: string | undefined;
  /** Names of images whose registry a credential for this one command is for; absent when the command takes none. */
  readonly login?: ((request: Request) => readonly (string | undefined)[]) | undefined;
}

/** Programs of this machine that a command calls; it needs one of them. */
export interface Need {
  /** The first that is there is used. */
  readonly programs: readonly [string, ...string[]];
  /** What it is called for, and what does without: `runs the image; --unpacked does without`. */
  readonly what: string;
  /** True when the command can do nothing without it. Default false. */
  readonly isRequired?: boolean | undefined;
}

/** Of a command that only has others below it. */
export type NoRequest = Readonly<Record<string, never>>;

/** A command as data: its request's options, and what `--help` says beside them. */
export interface CommandSpec<Request> {
  readonly options: Options<Request>;
  readonly registry?: RegistryUse<Request> | undefined;
  /** Programs that it calls. Default: none. */
  readonly needs?: readonly Need[] | undefined;
  /** Titles in the order that `--help` shows them. Default: as the options come. */
  readonly headings?: readonly string[] | undefined;
  /** Paragraphs below the options. */
  readonly notes?: readonly string[] | undefined;
  /** Command lines. */
  readonly examples?: readonly string[] | undefined;
  /** What is said when nothing follows a command that has others below it. */
  readonly unfinished?: { readonly problem: string; readonly hint: string } | undefined;
  /** True for the one of several commands that is meant when none of them is named. */
  readonly isDefault?: boolean | undefined;
  /** True when options that it does not know belong to another program. */
  readonly isOpen?: boolean | undefined;
}

/** Any command's data, for what works on all of them alike. */
export interface AnyCommandSpec extends Omit<CommandSpec<NoRequest>, "options" | "registry"> {
  readonly options: Readonly<Record<string, Option<unknown>>>;
  readonly registry?: RegistryUse<never> | undefined;
}
