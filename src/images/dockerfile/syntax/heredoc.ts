import { expandWords } from "./expand-words.ts";

/** A document that stands in the Dockerfile below its instruction. */
export interface Heredoc {
  /** The word that ends it, and the name of its file. */
  readonly name: string;
  /** True unless a part of the word was quoted. */
  readonly isExpanded: boolean;
  /** True for `<<-`: tabs at the start of lines go. */
  readonly stripsTabs: boolean;
  /** Lines with their ends. */
  readonly content: string;
}

/** What a word such as `<<-EOF` announces; the content is still empty. `undefined` for any other word. */
function parseHeredocWord(word: string): Heredoc | undefined {
  const match = /^\d*<<(-?)[\t\n\f\r ]*([^<]*)$/.exec(word);
  const rest = match?.[2] ?? "";
  if (match === null || rest === "") return undefined;
  const [name, ...more] = expandWords(rest, new Map(), { keepsUnset: true });
  if (name === undefined || more.length > 0) return undefined;
  const [raw = ""] = expandWords(rest, new Map(), { keepsUnset: true, keepsQuotes: true });
  return {
    name,
    isExpanded: quotesIn(name) === quotesIn(raw),
    stripsTabs: match[1] === "-",
    content: "",
  };
}

/** As `parseHeredocWord`; a word that cannot be read announces nothing. */
export function heredocWord(word: string): Heredoc | undefined {
  try {
    return parseHeredocWord(word);
  } catch {
    return undefined; // its own reader refuses it with the line
  }
}

/** The documents that a line announces, in order. @throws Error for a word that cannot be read. */
export function heredocsOf(line: string): readonly Heredoc[] {
  return wordsOrNone(line).flatMap((word) => parseHeredocWord(word) ?? []);
}

/** A line that is not a list of words, for example with an open quote, has no heredocs. */
function wordsOrNone(line: string): readonly string[] {
  try {
    return expandWords(line, new Map(), {
      keepsQuotes: true,
      keepsEscapes: true,
      keepsUnset: true,
    });
  } catch {
    return []; // its own reader refuses it with the line
  }
}

function quotesIn(text: string): number {
  return text.match(/['"]/g)?.length ?? 0;
}

/** The content as its file holds it, before variables are put in. */
export function heredocText({ content, stripsTabs }: Heredoc): string {
  return stripsTabs ? content.replaceAll(/^\t+/gm, "") : content;
}
