import { isSpace } from "./white-space.ts";

/**
 * Splits at white space outside quotes; quotes and escapes stay in the words for the expansion to read.
 * @param escape - the escape character of the file
 */
export function splitWords(text: string, escape: string): readonly string[] {
  const words: string[] = [];
  const characters = Array.from(text);
  for (let at = 0; at < characters.length;) {
    while (at < characters.length && isSpace(characters[at] ?? "")) at += 1;
    const { word, end } = quotedWord(characters, at, escape);
    if (end > at && word !== "") words.push(word);
    at = end;
  }
  return words;
}

/** A word up to white space that is not quoted; an escape at the very end stands for nothing. */
function quotedWord(
  characters: readonly string[],
  from: number,
  escape: string,
): { readonly word: string; readonly end: number } {
  let word = "";
  let quote: string | undefined;
  let at = from;
  for (; at < characters.length; at += 1) {
    const character = characters[at] ?? "";
    if (quote === undefined && isSpace(character)) break;
    if (character === escape && quote !== "'") {
      at += 1;
      const following = characters[at];
      if (following !== undefined) word += character + following;
      continue;
    }
    quote = quoteAfter(quote, character);
    word += character;
  }
  return { word, end: at };
}

/** The quote that is open behind a character. */
function quoteAfter(quote: string | undefined, character: string): string | undefined {
  if (quote !== undefined) return quote === character ? undefined : quote;
  return character === "'" || character === '"' ? character : undefined;
}

/** The `--flags` at the front of an instruction's arguments, quotes taken away, and what follows them. */
export interface SplitFlags {
  readonly flags: readonly string[];
  readonly rest: string;
}

/** Reads words as long as they begin with `--`; a lone `--` ends them. */
export function splitFlags(text: string, escape: string): SplitFlags {
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && isSpace(text[at] ?? "")) at += 1;
    if (!text.startsWith("--", at)) return { flags, rest: text.slice(at) };
    const { word, end } = flagWord(text, at, escape);
    at = end;
    if (word === "--") return { flags, rest: text.slice(at) };
    flags.push(word);
  }
}

function flagWord(
  text: string,
  from: number,
  escape: string,
): { readonly word: string; readonly end: number } {
  let word = "";
  let quote: string | undefined;
  let at = from;
  for (; at < text.length; at += 1) {
    let character = text[at] ?? "";
    if (quote === undefined && isSpace(character)) break;
    if (quote === character) {
      quote = undefined;
      continue;
    }
    if (quote === undefined && (character === "'" || character === '"')) {
      quote = character;
      continue;
    }
    if (character === escape) {
      at += 1;
      if (at >= text.length) break;
      character = text[at] ?? "";
    }
    word += character;
  }
  return { word, end: at };
}
