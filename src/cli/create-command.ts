import { Argument, Command, Option as Word } from "commander";
import {
  COMMANDS,
  LOGIN_OPTIONS,
  reachOptions,
  readOptions,
  type AnyCommandSpec,
  type CommandName,
  type Flag,
  type OneLogin,
  type Option,
  type OptionContext,
  type Reach,
} from "../app/index.ts";
import { ToolError } from "../ground/errors/index.ts";
import { commandNames, GLOBAL_FLAGS } from "./command-names.ts";

/** A command line that was read. */
export interface ReadWords {
  readonly name: CommandName;
  /** What `CommandRequests` of `app` has for the name. */
  readonly request: unknown;
  readonly reach: Reach;
  readonly login: OneLogin;
  /** Names of images whose registry the login is for. */
  readonly loginNames: readonly (string | undefined)[];
}

/**
 * Makes the parser of a command and of those below it. It throws Commander's errors.
 * @param name - one word.
 * @param act - called with what was read. @param context - what values may be relative to; not read before the parser runs.
 */
export async function createCommand(
  name: CommandName,
  context: () => OptionContext,
  act: (words: ReadWords) => Promise<void>,
): Promise<Command> {
  const command = new Command(`slipway ${name}`)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  for (const flag of GLOBAL_FLAGS) addFlag(command, flag);
  define(command, { name, spec: await loadSpec(name), context, act });
  for (const below of namesBelow(name)) {
    const spec = await loadSpec(below);
    const child = command.command(below.slice(name.length + 1), {
      isDefault: spec.isDefault === true,
    });
    define(child, { name: below, spec, context, act });
  }
  return command;
}

/** The words of commands that stand below another. */
function namesBelow(name: string): readonly CommandName[] {
  return commandNames().filter((other) => other.startsWith(`${name} `));
}

async function loadSpec(name: CommandName): Promise<AnyCommandSpec> {
  return COMMANDS[name].load();
}

interface Definition {
  readonly name: CommandName;
  readonly spec: AnyCommandSpec;
  readonly context: () => OptionContext;
  readonly act: (words: ReadWords) => Promise<void>;
}

function define(command: Command, { name, spec, context, act }: Definition): void {
  const { registry } = spec;
  const reach = registry === undefined ? {} : reachOptions(registry);
  const login = registry?.login === undefined ? {} : LOGIN_OPTIONS;
  command.description(COMMANDS[name].summary).addHelpText("after", textBelow(spec));
  for (const flag of sortedFlags(spec, [login, reach])) addFlag(command, flag);
  if (spec.isOpen === true) command.allowUnknownOption().passThroughOptions();
  const { unfinished } = spec;
  if (unfinished === undefined && Object.keys(spec.options).length === 0) return;
  command.action(async () => {
    if (unfinished !== undefined)
      throw new ToolError("USAGE", unfinished.problem, { hint: unfinished.hint });
    const given = readerOf(command, spec);
    const request = readOptions(spec.options, given, context());
    await act({
      name,
      request,
      reach: readOptions(reach, given, context()),
      login: readOptions(login, given, context()),
      loginNames: registry?.login?.(request as never) ?? [],
    });
  });
}

type SomeOptions = Readonly<Record<string, Option<unknown>>>;

/** Flags in the order of their titles, and below each title as they come. */
function sortedFlags(
  { options, headings = [] }: AnyCommandSpec,
  more: readonly SomeOptions[],
): readonly Flag[] {
  const flags = [options, ...more].flatMap((some) =>
    Object.values(some).flatMap((option) => option.flags),
  );
  const place = ({ heading = "" }: Flag): number =>
    headings.includes(heading) ? headings.indexOf(heading) : headings.length;
  return flags.toSorted((a, b) => place(a) - place(b));
}

function textBelow({ notes = [], examples = [] }: AnyCommandSpec): string {
  const example = examples.map((line) => `\n  ${line}`).join("");
  const paragraphs = [...notes, ...(example === "" ? [] : [`Example:${example}`])];
  return paragraphs.length === 0 ? "" : `\n${paragraphs.join("\n\n")}`;
}

const isArgument = ({ form }: Flag): boolean => /^[<[]/.test(form);

function addFlag(command: Command, flag: Flag): void {
  const { form, help, choices, byDefault, isHidden = false, alias } = flag;
  if (isArgument(flag)) {
    const argument = new Argument(form, help);
    if (choices !== undefined) argument.choices([...choices]);
    if (byDefault !== undefined) argument.default(byDefault);
    command.addArgument(argument);
    return;
  }
  const word = wordOf(form, flag).hideHelp(isHidden);
  word.description = help;
  if (choices !== undefined) word.choices([...choices]);
  if (byDefault !== undefined) word.default(byDefault);
  command.addOption(word.makeOptionMandatory(flag.isRequired === true));
  if (alias !== undefined)
    command.addOption(wordOf(form.replace(/^--[^ ]+/, alias), flag).hideHelp());
}

function wordOf(form: string, { isRepeated = false, heading }: Flag): Word {
  const word = new Word(form);
  if (heading !== undefined) word.helpGroup(heading);
  if (isRepeated)
    word.argParser<readonly string[] | undefined>((value, before) => [...(before ?? []), value]);
  return word;
}

/** What was written for each flag. */
function readerOf(
  command: Command,
  { options }: AnyCommandSpec,
): (flag: Flag) => readonly string[] {
  const places = Object.values(options)
    .flatMap(({ flags }) => flags)
    .filter(isArgument);
  return (flag) => {
    if (isArgument(flag)) return writtenAs(command.processedArgs[places.indexOf(flag)]);
    const { form, alias } = flag;
    const own = command.getOptionValue(new Word(form).attributeName());
    if (form.startsWith("--no-")) return own === false ? [""] : [];
    return own === undefined && alias !== undefined
      ? writtenAs(command.getOptionValue(new Word(alias).attributeName()))
      : writtenAs(own);
  };
}

/** Values as Commander keeps them: absent, true for a switch, a text or a number, or a list of texts. */
function writtenAs(value: unknown): readonly string[] {
  if (value === true) return [""];
  if (typeof value === "string" || typeof value === "number") return [`${value}`];
  return Array.isArray(value) ? value.flatMap(writtenAs) : [];
}
