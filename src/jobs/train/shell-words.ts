import { ToolError } from "../../ground/errors/index.ts";

/** A word as a POSIX shell reads it back: unchanged where nothing in it is special, else in single quotes. */
export function quoteWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * Text between double quotes such that a shell hands it on exactly as it is. A `!` leaves the quotes for a moment, since an interactive
 * bash expands it inside them.
 */
export function quoteDouble(text: string): string {
  return `"${text.replaceAll(/[\\"$`]/g, String.raw`\$&`).replaceAll("!", `"'!'"`)}"`;
}

const PIECES = /\\([^])|'([^']*)'|"((?:[^"\\]|\\[^])*)"|(\s+)|([^\s\\'"]+)|([^])/gsu;

/**
 * Splits a line into words by a shell's rules for quotes and backslashes. Nothing is expanded.
 * @throws ToolError `USAGE` for a quote that is not closed.
 */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (const match of line.matchAll(PIECES)) {
    const text = pieceText(match, line);
    if (text !== undefined) word = `${word ?? ""}${text}`;
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}

/** What a piece adds to a word; nothing for the space between two. */
function pieceText(
  [, escaped, single, double, space, plain, stray]: RegExpMatchArray,
  line: string,
): string | undefined {
  if (stray !== undefined)
    throw new ToolError(
      "USAGE",
      `read the parameters "${line}": ${stray === "\\" ? "a backslash ends the line" : `a ${stray} is not closed`}`,
      { hint: "quote them as a shell would need it" },
    );
  if (space !== undefined) return undefined;
  return escaped ?? single ?? plain ?? double?.replaceAll(/\\([\\"$`])/g, "$1") ?? "";
}
