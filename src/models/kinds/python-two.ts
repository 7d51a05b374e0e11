import { codeLines, type CodeLine } from "./python-lines.ts";

/** Why Python 3 does not run a file, and where. */
export interface PythonProblem {
  /** From 1. */
  readonly line: number;
  readonly why: string;
}

interface Rule {
  readonly pattern: RegExp;
  readonly why: string;
}

/** What only Python 2 reads, on a line whose texts and comments are taken out. */
const RULES: readonly Rule[] = [
  {
    pattern: /^\s*print\s+(?!(?:in|is|and|or|if|not|else|for)\b)(?:>>|[\w"'%`~-])/,
    why: "print is a statement",
  },
  { pattern: /^\s*exec\s+(?!(?:in|is|and|or|if|not)\b)[\w"']/, why: "exec is a statement" },
  {
    pattern: /^\s*except\s+(?:\([^)]*\)|[\w.]+)\s*,\s*\w+\s*:/,
    why: "except names its variable behind a comma",
  },
  { pattern: /^\s*raise\s+[\w.]+\s*,/, why: "raise has its message behind a comma" },
  { pattern: /[\w)\]]\s*<>\s*[\w("']/, why: "<> is no operator any more" },
  { pattern: /`/, why: "backticks are no expression any more" },
  { pattern: /(?<![\w.])0[0-7]*[1-7][0-7]*\b(?!\.)/, why: "octal numbers are written 0o" },
  { pattern: /(?<![\w.])(?:\d+|0[xX][0-9a-fA-F]+)[lL]\b/, why: "numbers have no L" },
  { pattern: /\b[uU][rR]["']/, why: "ur is no prefix of a text any more" },
  {
    pattern:
      /^(?:import|from)\s+(?:urllib2|urlparse|ConfigParser|Queue|StringIO|cStringIO|cPickle|httplib|commands|HTMLParser|__builtin__|cookielib|xmlrpclib|SocketServer|BaseHTTPServer|SimpleHTTPServer|copy_reg|thread|exceptions)\b/,
    why: "it imports a module that Python 3 does not have",
  },
];

/**
 * The first thing in a Python source that Python 3 does not run: grammar or modules of Python 2, or tabs and spaces mixed so that the depth of
 * a line is not clear. Works by rules on lines: what it names is so, but it does not name everything.
 */
export function findPython2(source: string): PythonProblem | undefined {
  const lines = codeLines(source);
  const problems = [indentationProblem(lines), grammarProblem(lines)].flatMap(
    (problem) => problem ?? [],
  );
  return problems.toSorted((one, other) => one.line - other.line)[0];
}

function grammarProblem(lines: readonly CodeLine[]): PythonProblem | undefined {
  for (const { line, code } of lines) {
    const rule = RULES.find(({ pattern }) => pattern.test(code));
    if (rule !== undefined) return { line, why: rule.why };
  }
  return undefined;
}

/** How deep a line is when a tab goes to the next multiple of 8, and when it counts as one. Python 3 wants both to agree. */
interface Depth {
  readonly wide: number;
  readonly narrow: number;
}

/** @see CPython, Parser/lexer/lexer.c, where TabError is raised */
function indentationProblem(lines: readonly CodeLine[]): PythonProblem | undefined {
  const open: Depth[] = [{ wide: 0, narrow: 0 }];
  for (const { line, indent } of lines) {
    if (indent === undefined) continue;
    const depth = depthOf(indent);
    while (open.length > 1 && depth.wide < (open.at(-1)?.wide ?? 0)) open.pop();
    const last = open.at(-1) ?? depth;
    const isSame = depth.wide === last.wide;
    if (isSame ? depth.narrow !== last.narrow : depth.narrow <= last.narrow)
      return { line, why: "tabs and spaces are mixed" };
    if (!isSame) open.push(depth);
  }
  return undefined;
}

function depthOf(indent: string): Depth {
  let wide = 0;
  for (const character of indent) {
    if (character === "\t") wide = (Math.floor(wide / 8) + 1) * 8;
    else if (character === "\f") wide = 0;
    else wide += 1;
  }
  return { wide, narrow: indent.slice(indent.lastIndexOf("\f") + 1).length };
}
