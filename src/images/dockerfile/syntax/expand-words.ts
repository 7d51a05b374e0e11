import { parseShellPattern, removePrefix, removeSuffix, replacePattern } from "./shell-pattern.ts";
import { isSpace } from "./white-space.ts";

/** Variables by name. */
export type Variables = ReadonlyMap<string, string>;

/** How a text is read. */
export interface ExpandOptions {
  /** The escape character of the file. Default a backslash. */
  readonly escape?: string;
  /** Keep quotes in the result. Default false. */
  readonly keepsQuotes?: boolean;
  /** Keep escape characters in the result. Default false. */
  readonly keepsEscapes?: boolean;
  /** Take quotes as plain characters. Default false. */
  readonly ignoresQuotes?: boolean;
  /** Leave variables that are not set as they stand. Default false: they become nothing. */
  readonly keepsUnset?: boolean;
}

/**
 * Takes quotes and escapes away and puts variables in, as a Dockerfile's words are read: `$name`, `${name}`, and `${name…}` with
 * `:-` `-` `:+` `+` `:?` `?` `#` `##` `%` `%%` `/` `//`.
 * @throws Error naming what is wrong with the text; the caller adds the place.
 * @see BuildKit, frontend/dockerfile/shell/lex.go
 */
export function expandWord(
  text: string,
  variables: Variables,
  options: ExpandOptions = {},
): string {
  return expand(text, variables, options).text;
}

/** As `expandWord`, and splits what comes out at white space that was not quoted. */
export function expandWords(
  text: string,
  variables: Variables,
  options: ExpandOptions = {},
): readonly string[] {
  return expand(text, variables, options).words;
}

function expand(text: string, variables: Variables, options: ExpandOptions): Expansion {
  const reader: Reader = {
    characters: Array.from(text),
    at: 0,
    escape: options.escape ?? "\\",
    depth: 0,
    variables,
    options,
  };
  try {
    return expandUntil(reader, undefined, {
      keepsEscapes: options.keepsEscapes === true,
      doublesEscapes: false,
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new Error(`failed to process ${JSON.stringify(text.slice(0, 200))}: ${error.message}`, {
      cause: error,
    });
  }
}

interface Expansion {
  readonly text: string;
  readonly words: readonly string[];
}

interface Reader {
  readonly characters: readonly string[];
  at: number;
  /** How many `${` are open. */
  depth: number;
  readonly escape: string;
  readonly variables: Variables;
  readonly options: ExpandOptions;
}

/** How escapes come out while a part is read; patterns keep theirs, and double the ones that quotes protect. */
interface EscapeMode {
  readonly keepsEscapes: boolean;
  readonly doublesEscapes: boolean;
}

const MAX_DEPTH = 100;
/** Characters that one text may grow to; variables that double each other would fill any memory. */
const MAX_CHARACTERS = 2 ** 21;
const SPECIAL = new Set(["@", "*", "#", "?", "-", "$", "!", "0"]);

function peek({ characters, at }: Reader): string | undefined {
  return characters[at];
}

function next(reader: Reader): string | undefined {
  const character = reader.characters[reader.at];
  if (character !== undefined) reader.at += 1;
  return character;
}

function expandUntil(reader: Reader, stop: string | undefined, mode: EscapeMode): Expansion {
  let text = "";
  const words = createWords();
  for (let character = peek(reader); character !== undefined; character = peek(reader)) {
    if (character === stop) {
      next(reader);
      return { text, words: words.end() };
    }
    const part = expandPart(reader, mode);
    text += part.text;
    if (text.length > MAX_CHARACTERS)
      throw new Error(`it becomes longer than ${MAX_CHARACTERS} characters`);
    if (part.isSplit) words.addSplit(part.text);
    else words.add(part.text);
  }
  if (stop !== undefined)
    throw new Error(`unexpected end of statement while looking for matching ${stop}`);
  return { text, words: words.end() };
}

function expandPart(
  reader: Reader,
  mode: EscapeMode,
): { readonly text: string; readonly isSplit: boolean } {
  const character = peek(reader) ?? "";
  const hasQuotes = reader.options.ignoresQuotes !== true;
  if (character === "'" && hasQuotes) return { text: singleQuoted(reader, mode), isSplit: false };
  if (character === '"' && hasQuotes) return { text: doubleQuoted(reader, mode), isSplit: false };
  if (character === "$") return { text: variable(reader), isSplit: true };
  if (character === "<") return { text: heredocSign(reader), isSplit: false };
  next(reader);
  if (character !== reader.escape) return { text: character, isSplit: true };
  const escaped = next(reader) ?? "";
  return { text: (mode.keepsEscapes ? character : "") + escaped, isSplit: false };
}

/** Words as they grow; white space ends one unless it was quoted. */
function createWords() {
  const words: string[] = [];
  let word: string | undefined;
  return {
    add(text: string): void {
      word = (word ?? "") + text;
    },
    addSplit(text: string): void {
      for (const character of text) {
        if (!isSpace(character)) word = (word ?? "") + character;
        else if (word !== undefined && word !== "") {
          words.push(word);
          word = undefined;
        }
      }
    },
    end: (): readonly string[] => (word === undefined || word === "" ? words : [...words, word]),
  };
}

function singleQuoted(reader: Reader, { doublesEscapes }: EscapeMode): string {
  const quote = reader.options.keepsQuotes === true ? "'" : "";
  next(reader);
  let text = quote;
  for (;;) {
    const character = next(reader);
    if (character === undefined)
      throw new Error("unexpected end of statement while looking for matching single-quote");
    if (character === "'") return text + quote;
    text += doublesEscapes && character === reader.escape ? character + character : character;
  }
}

function doubleQuoted(reader: Reader, mode: EscapeMode): string {
  const quote = reader.options.keepsQuotes === true ? '"' : "";
  next(reader);
  let text = quote;
  for (;;) {
    const character = peek(reader);
    if (character === undefined)
      throw new Error("unexpected end of statement while looking for matching double-quote");
    if (character === "$") {
      text += variable(reader);
      continue;
    }
    next(reader);
    if (character === '"') return text + quote;
    text += character === reader.escape ? escapedInQuotes(reader, mode) : character;
  }
}

/** Inside double quotes an escape is one only before a quote, a dollar sign and itself. */
function escapedInQuotes(reader: Reader, { keepsEscapes, doublesEscapes }: EscapeMode): string {
  const following = peek(reader);
  if (following === undefined) return "";
  if (following === '"' || following === "$" || following === reader.escape) {
    next(reader);
    return (keepsEscapes ? reader.escape : "") + following;
  }
  const isDoubled = keepsEscapes && (reader.options.keepsQuotes !== true || doublesEscapes);
  return isDoubled ? reader.escape + reader.escape : reader.escape;
}

function heredocSign(reader: Reader): string {
  next(reader);
  if (peek(reader) !== "<") return "<";
  next(reader);
  let text = "<<";
  while (/^[\t\r ]$/.test(peek(reader) ?? "")) text += next(reader);
  return text;
}

function variable(reader: Reader): string {
  next(reader);
  if (peek(reader) !== "{") {
    const name = variableName(reader);
    if (name === "") return "$";
    return plainValue(reader, name, `$${name}`);
  }
  next(reader);
  const first = peek(reader);
  if (first === undefined) throw new Error("syntax error: missing '}'");
  if (first === "{" || first === "}" || first === ":")
    throw new Error("syntax error: bad substitution");
  if ((reader.depth += 1) > MAX_DEPTH)
    throw new Error(`substitutions are nested deeper than ${MAX_DEPTH}`);
  const value = substitution(reader, variableName(reader));
  reader.depth -= 1;
  return value;
}

function variableName(reader: Reader): string {
  const first = peek(reader) ?? "";
  if (/^\p{Nd}$/u.test(first)) return takeWhile(reader, /^\p{Nd}$/u);
  if (SPECIAL.has(first)) return next(reader) ?? "";
  return takeWhile(reader, /^[\p{L}\p{Nd}_]$/u);
}

function takeWhile(reader: Reader, pattern: RegExp): string {
  let text = "";
  while (pattern.test(peek(reader) ?? "")) text += next(reader);
  return text;
}

function substitution(reader: Reader, name: string): string {
  const first = next(reader) ?? "";
  if (first === "}") return plainValue(reader, name, `\${${name}}`);
  return first === "/" ? replaced(reader, name) : modifiedValue(reader, name, first);
}

function plainValue({ variables, options }: Reader, name: string, written: string): string {
  return variables.get(name) ?? (options.keepsUnset === true ? written : "");
}

function modifiedValue(reader: Reader, name: string, first: string): string {
  const countsEmpty = first === ":";
  const modifier = countsEmpty ? (next(reader) ?? "") : first;
  const sign = (countsEmpty ? ":" : "") + modifier;
  const isPattern = modifier === "#" || modifier === "%";
  refuseModifier(reader, { sign, modifier, isAllowed: !(countsEmpty && isPattern) });
  const word = operand(reader, "}", { keepsEscapes: isPattern, doublesEscapes: isPattern });
  const value = reader.variables.get(name);
  if (value === undefined && reader.options.keepsUnset === true) return `\${${name}${sign}${word}}`;
  return modified({ name, modifier, word, value, countsEmpty });
}

function refuseModifier(
  reader: Reader,
  about: { readonly sign: string; readonly modifier: string; readonly isAllowed: boolean },
): void {
  if (about.modifier === "" && peek(reader) === undefined)
    throw new Error("syntax error: missing '}'");
  if (about.modifier === "" || !"+-?#%".includes(about.modifier) || !about.isAllowed)
    throw new Error(`unsupported modifier (${about.sign}) in substitution`);
}

function operand(reader: Reader, stop: string, mode: EscapeMode, missing = "missing '}'"): string {
  const before = reader.at;
  try {
    return expandUntil(reader, stop, mode).text;
  } catch (error) {
    if (peek(reader) === undefined && before <= reader.at)
      throw new Error(`syntax error: ${missing}`, { cause: error });
    throw error;
  }
}

interface Modification {
  readonly name: string;
  readonly modifier: string;
  readonly word: string;
  readonly value: string | undefined;
  /** True when an empty value counts as one that is not set. */
  readonly countsEmpty: boolean;
}

function modified({ name, modifier, word, value, countsEmpty }: Modification): string {
  const isMissing = value === undefined || (countsEmpty && value === "");
  switch (modifier) {
    case "-":
      return isMissing ? word : value;
    case "+":
      return isMissing ? "" : word;
    case "?":
      if (!isMissing) return value;
      throw new Error(`${name}: ${word === "" ? missingWords(value) : word}`);
    default:
      return shortened(value ?? "", modifier, word);
  }
}

function missingWords(value: string | undefined): string {
  return value === undefined ? "is not allowed to be unset" : "is not allowed to be empty";
}

function shortened(value: string, modifier: string, word: string): string {
  const isLongest = word.startsWith(modifier);
  const pattern = parseShellPattern(isLongest ? word.slice(1) : word);
  return modifier === "%"
    ? removeSuffix(value, pattern, isLongest)
    : removePrefix(value, pattern, isLongest);
}

function replaced(reader: Reader, name: string): string {
  const isAll = peek(reader) === "/";
  if (isAll) next(reader);
  const pattern = operand(
    reader,
    "/",
    { keepsEscapes: true, doublesEscapes: true },
    "missing '/' in ${}",
  );
  const replacement = operand(reader, "}", { keepsEscapes: true, doublesEscapes: false });
  const value = reader.variables.get(name);
  if (value === undefined && reader.options.keepsUnset === true)
    return `\${${name}/${pattern}/${replacement}}`;
  return replacePattern(value ?? "", parseShellPattern(pattern), { replacement, isAll });
}
