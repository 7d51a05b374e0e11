/** A line of Python with its texts emptied and its comments gone. */
export interface CodeLine {
  /** From 1. */
  readonly line: number;
  readonly code: string;
  /** As it is written, without its comment and without white space around it. */
  readonly text: string;
  /** White space before a statement; absent for blank lines and for lines that go on with an earlier one. */
  readonly indent: string | undefined;
}

interface Scan {
  /** The quotes of a text that is open over lines. */
  quote: string | undefined;
  /** Open brackets. */
  depth: number;
  /** The line before ended with a backslash. */
  isContinued: boolean;
}

/** Splits a Python source into lines of code. A text keeps its quotes and prefix. */
export function codeLines(source: string): readonly CodeLine[] {
  const scan: Scan = { quote: undefined, depth: 0, isContinued: false };
  return source
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\r|\n/)
    .map((text, index) => {
      const isStatement = scan.quote === undefined && scan.depth === 0 && !scan.isContinued;
      const { code, end } = codeOf(text, scan);
      scan.isContinued = scan.quote === undefined && code.endsWith("\\");
      const indent =
        isStatement && code.trim() !== "" ? (/^[ \t\f]*/.exec(text)?.[0] ?? "") : undefined;
      return { line: index + 1, code, text: text.slice(0, end).trim(), indent };
    });
}

const TEXT_START = /'''|"""|'|"/y;

/** The code of a line, and where its comment begins or it ends. */
function codeOf(text: string, scan: Scan): { readonly code: string; readonly end: number } {
  let code = "";
  for (let at = 0; at < text.length;) {
    if (scan.quote !== undefined) {
      const end = endOfText(text, at, scan.quote);
      if (end === undefined) {
        if (scan.quote.length === 1 && !text.endsWith("\\")) scan.quote = undefined;
        return { code, end: text.length };
      }
      code += scan.quote;
      scan.quote = undefined;
      at = end;
      continue;
    }
    const character = text[at] ?? "";
    if (character === "#") return { code, end: at };
    TEXT_START.lastIndex = at;
    const quote = TEXT_START.exec(text)?.[0];
    if (quote !== undefined) {
      scan.quote = quote;
      code += quote;
      at += quote.length;
      continue;
    }
    if ("([{".includes(character)) scan.depth += 1;
    if (")]}".includes(character)) scan.depth = Math.max(0, scan.depth - 1);
    code += character;
    at += 1;
  }
  return { code, end: text.length };
}

/** Where a text that is open ends, behind its quotes; `undefined` when it does not end in this line. */
function endOfText(text: string, from: number, quote: string): number | undefined {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text.startsWith(quote, at)) return at + quote.length;
  }
  return undefined;
}
