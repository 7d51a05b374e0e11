import { COMMANDS, type CommandName } from "./commands.ts";
import { LOGIN_OPTIONS, reachOptions } from "./options/registry-options.ts";
import type { AnyCommandSpec, Flag, Option } from "./options/option.ts";
import type { Places } from "./session.ts";

/** One word that may come next. */
export interface Candidate {
  readonly word: string;
  /** What it means. */
  readonly help: string;
}

/** What may stand in the place of the last word. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  /** True where a path may stand, too. */
  readonly takesPaths: boolean;
}

const NOTHING: Completion = { candidates: [], takesPaths: false };

/** Placeholders that stand for a path of this machine. */
const PATHS = /\b(?:file|folder|dir|directory|path|dockerfile|context|script|source|target)\b/;
/** Placeholders that stand for an image, which the local store may have. */
const IMAGES = /\b(?:image|reference|names?|source)\b/;

/**
 * Says what may come next on a command line.
 * @param words - after the program's name; the last one is being written, and may be empty.
 * @param globals - options that every command has.
 */
export async function complete(
  words: readonly string[],
  globals: readonly Flag[],
  session: Places,
): Promise<Completion> {
  const current = words.at(-1) ?? "";
  const before = words.slice(0, -1).filter((word) => !globals.some(({ form }) => form === word));
  const name = commandIn(before);
  if (name === undefined)
    return before.length > 0
      ? NOTHING
      : only(current, current.startsWith("-") ? optionsOf(globals) : rowsBelow());
  const flags = [...flagsOf(await COMMANDS[name].load()), ...globals];
  const rest = before.slice(name.split(" ").length);
  if (rest.includes("--")) return { candidates: [], takesPaths: true };
  const value = valueIn(flags, rest, current);
  if (value !== undefined) return valuesFor(value, session);
  if (current.startsWith("-")) return only(current, optionsOf(unused(flags, rest)));
  const below = rest.length === 0 ? only(current, rowsBelow(name)) : NOTHING;
  const place = argumentAt(flags, rest);
  if (place === undefined) return below;
  const values = await valuesFor({ flag: place, current, prefix: "" }, session);
  return { ...values, candidates: [...below.candidates, ...values.candidates] };
}

/** A value that is being written. */
interface Value {
  readonly flag: Flag;
  readonly current: string;
  /** What stands before it in the same word: empty, or `--flag=`. */
  readonly prefix: string;
}

/** The option whose value is being written, after it or in the same word. */
function valueIn(
  flags: readonly Flag[],
  before: readonly string[],
  current: string,
): Value | undefined {
  const after = optionNamed(flags, before.at(-1));
  if (after !== undefined) return { flag: after, current, prefix: "" };
  const [, prefix = "", name, value = ""] = /^((--[^=]+)=)(.*)$/s.exec(current) ?? [];
  const flag = optionNamed(flags, name);
  return flag === undefined ? undefined : { flag, current: value, prefix };
}

/** The longest command that the words begin with. */
function commandIn(words: readonly string[]): CommandName | undefined {
  const names = Object.keys(COMMANDS) as CommandName[];
  const named = (count: number): CommandName | undefined =>
    names.find((name) => name === words.slice(0, count).join(" "));
  return named(2) ?? named(1);
}

/** Commands that stand below another, or at the top. */
function rowsBelow(parent = ""): readonly Candidate[] {
  const start = parent === "" ? "" : `${parent} `;
  return Object.entries(COMMANDS)
    .filter(([name]) => name.startsWith(start) && !name.slice(start.length).includes(" "))
    .map(([name, { summary }]) => ({ word: name.slice(start.length), help: summary }));
}

/** Every flag of a command, with those of registries; those that help does not show are left out. */
function flagsOf({ options, registry }: AnyCommandSpec): readonly Flag[] {
  const all: readonly Readonly<Record<string, Option<unknown>>>[] = [
    options,
    registry?.login === undefined ? {} : { ...LOGIN_OPTIONS },
    registry === undefined ? {} : { ...reachOptions(registry) },
  ];
  return all
    .flatMap((some) => Object.values(some).flatMap(({ flags }) => flags))
    .filter(({ isHidden }) => isHidden !== true);
}

/** `-t` and `--tag` of `-t, --tag <name>`. */
function spellings({ form }: Flag): readonly string[] {
  return form.startsWith("-") ? form.replace(/ [<[].*$/, "").split(", ") : [];
}

function takesValue({ form }: Flag): boolean {
  return / </.test(form);
}

function optionNamed(flags: readonly Flag[], word: string | undefined): Flag | undefined {
  return flags.find(
    (flag) => takesValue(flag) && word !== undefined && spellings(flag).includes(word),
  );
}

function optionsOf(flags: readonly Flag[]): readonly Candidate[] {
  return flags.flatMap((flag) => {
    const word = spellings(flag).at(-1);
    return word === undefined ? [] : [{ word, help: flag.help }];
  });
}

/** Options that may still be written. */
function unused(flags: readonly Flag[], words: readonly string[]): readonly Flag[] {
  const written = words.map((word) => word.replace(/=.*$/s, ""));
  return flags.filter(
    (flag) => flag.isRepeated === true || !spellings(flag).some((word) => written.includes(word)),
  );
}

/** The argument whose turn it is. */
function argumentAt(flags: readonly Flag[], words: readonly string[]): Flag | undefined {
  const places = flags.filter(({ form }) => /^[<[]/.test(form));
  const given = words.filter(
    (word, index) => !word.startsWith("-") && optionNamed(flags, words[index - 1]) === undefined,
  );
  const last = places.at(-1);
  return places[given.length] ?? (last?.form.includes("...") === true ? last : undefined);
}

/** Values that a flag takes: its choices, names of images, or a path. */
async function valuesFor({ flag, current, prefix }: Value, session: Places): Promise<Completion> {
  const { form, choices, help } = flag;
  const [, placeholder = ""] = /[<[]([^>\]]*)/.exec(form) ?? [];
  const listed = choices ?? (placeholder.includes("|") ? placeholder.split("|") : undefined);
  if (listed !== undefined)
    return only(
      `${prefix}${current}`,
      listed.map((word) => ({ word: `${prefix}${word}`, help })),
    );
  const isArgument = !form.startsWith("-");
  const images = isArgument && IMAGES.test(placeholder) ? await storedNames(session) : [];
  const commands = isArgument && placeholder.includes("command") ? rowsBelow() : [];
  return { ...only(current, [...commands, ...images]), takesPaths: PATHS.test(placeholder) };
}

/** Names of the local store. One that cannot be read has none: a shell that waits for words is no place for errors. */
async function storedNames(session: Places): Promise<readonly Candidate[]> {
  const { openStore } = await import("./places/places.ts");
  const { formatReference } = await import("../images/oci/index.ts");
  try {
    await using store = await openStore(session);
    const stored = await store.list({ signal: session.signal });
    return stored.map(({ reference }) => {
      const text = formatReference(reference);
      return { word: text.replace(/^store\//, "store:"), help: "an image of the store" };
    });
  } catch {
    return [];
  }
}

function only(current: string, candidates: readonly Candidate[]): Completion {
  return {
    candidates: candidates.filter(({ word }) => word.startsWith(current)),
    takesPaths: false,
  };
}
