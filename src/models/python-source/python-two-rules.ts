import type { CodeLine } from "./code-lines.ts";

/** One thing of Python 2 that Python 3 takes otherwise, seen in a line whose texts are emptied and whose comment is gone. */
export interface PythonTwoRule {
  readonly pattern: RegExp;
  readonly why: string;
  /** The spelling of Python 3; `undefined` when the line alone does not tell. */
  readonly instead?: (line: CodeLine, match: RegExpExecArray) => string | undefined;
}

const STATEMENT = String.raw`(?:^\s*|[;:]\s*)`;

/** The statement as it is written, when it stands alone in its line and ends there. */
function wholeStatement({ code, text }: CodeLine): string | undefined {
  const [open, close] = [code.match(/[([{]/g)?.length, code.match(/[)\]}]/g)?.length];
  const isWhole = open === close && !/[;\\]/.test(code) && !/"""|'''/.test(code);
  return isWhole ? text : undefined;
}

function rewritten(line: CodeLine, pattern: RegExp, by: string): string | undefined {
  const whole = wholeStatement(line);
  return whole !== undefined && pattern.test(whole) ? whole.replace(pattern, by) : undefined;
}

/** `print "x" % y,` as a call. */
function printCall(line: CodeLine): string {
  const text = wholeStatement(line);
  const [, before = "", given = ""] = /^((?:\w[^"']*:\s*)?)print\s+(.*)$/s.exec(text ?? "") ?? [];
  if (given === "") return "print(…)";
  const [, file, rest] = /^>>\s*([\w.]+)\s*(?:,\s*(.*))?$/s.exec(given) ?? [];
  const values = rest ?? (file === undefined ? given : "");
  const [joined, end] = values.endsWith(",")
    ? [values.slice(0, -1).trimEnd(), ', end=" "']
    : [values, ""];
  const to = file === undefined ? "" : `${joined === "" ? "" : ", "}file=${file}`;
  return `${before}print(${joined}${end}${to})`;
}

/** What does not get past Python 3's parser. */
export const GRAMMAR: readonly PythonTwoRule[] = [
  {
    pattern: new RegExp(
      String.raw`${STATEMENT}print\s+(?!(?:in|is|and|or|if|not|else|for)\b)(?:>>|[\w"'%${"`"}~-])`,
    ),
    why: "print is a function",
    instead: printCall,
  },
  {
    pattern: new RegExp(String.raw`${STATEMENT}exec\s+(?!(?:in|is|and|or|if|not)\b)[\w"']`),
    why: "exec is a function",
    instead: (line) =>
      rewritten(line, /^exec\s+(.*)\s+in\s+([\w.]+)$/s, "exec($1, $2)") ??
      rewritten(line, /^exec\s+(.*)$/s, "exec($1)"),
  },
  {
    pattern: /^\s*except\s+(\([^)]*\)|[\w.]+)\s*,\s*(\w+)\s*:/,
    why: "except names its variable behind as",
    instead: (_, [, kinds, name]) => `except ${kinds} as ${name}:`,
  },
  {
    pattern: new RegExp(String.raw`${STATEMENT}raise\s+[\w.]+\s*,`),
    why: "raise takes one exception",
    instead: (line) => rewritten(line, /^raise\s+([\w.]+)\s*,\s*([^,]+)$/s, "raise $1($2)"),
  },
  {
    pattern: /[\w)\]"']\s*<>\s*[\w("'[{-]/,
    why: "<> is no operator",
    instead: (line) => rewritten(line, /<>/g, "!="),
  },
  {
    pattern: /`/,
    why: "backticks are no expression",
    instead: (line) => rewritten(line, /`([^`]*)`/g, "repr($1)"),
  },
  {
    pattern: /(?<![\w.])0([0-7]*[1-7][0-7]*)\b(?![.eEjJ])/,
    why: "octal numbers are written 0o",
    instead: (_, [, digits]) => `0o${digits}`,
  },
  {
    pattern: /(?<![\w.])(\d+|0[xX][0-9a-fA-F]+)[lL]\b/,
    why: "numbers have no L",
    instead: (_, [, digits]) => digits,
  },
  { pattern: /\b[uU][rR]["']/, why: "ur is no prefix of a text", instead: () => 'r"…"' },
  {
    pattern: /\bdef\s+\w+\s*\((?:[^()=]*,)?\s*\(\s*\w+\s*,[^)]*\)\s*[,)=]/,
    why: "a parameter is no tuple",
  },
  {
    pattern: /\blambda\s*(?:[^:()]*,\s*)?\(\s*\w+\s*,[^)]*\)\s*[:,]/,
    why: "a parameter is no tuple",
  },
  {
    pattern: /[(,]\s*(async)\s*=/,
    why: "async is a keyword",
    instead: (line) => (/\.(?:cuda|copy_|cpu|to)\(/.test(line.code) ? "non_blocking=" : undefined),
  },
  {
    pattern: new RegExp(String.raw`${STATEMENT}(True|False|None)\s*=(?!=)`),
    why: "True, False and None are keywords",
  },
];

/** What the parser takes and Python 3 then fails at, or answers otherwise. `name` is a name of the language that a file may define itself. */
export const WORDS: readonly (PythonTwoRule & { readonly name?: string })[] = [
  {
    pattern: new RegExp(
      String.raw`${STATEMENT}print\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\s*%`,
    ),
    why: "the % stands behind print(…), not in it",
    instead: (line) => rewritten(line, /^print\s*\((.*)\)\s*%\s*(.*)$/s, "print($1 % $2)"),
  },
  ...(
    [
      ["xrange", "range"],
      ["raw_input", "input"],
      ["unicode", "str"],
      ["basestring", "str"],
      ["unichr", "chr"],
      ["long", "int"],
      ["execfile", "exec(open(…).read())"],
      ["cmp", undefined],
      ["reduce", "functools.reduce"],
      ["reload", "importlib.reload"],
    ] as const
  ).map(([name, now]) => ({
    name,
    pattern: new RegExp(String.raw`(?<![\w.])${name}\s*\(`),
    why: `there is no ${name}`,
    instead: () => now,
  })),
  {
    pattern: /\.(iteritems|itervalues|iterkeys|viewitems|viewvalues|viewkeys)\s*\(\s*\)/,
    why: "dictionaries have no such method",
    instead: (_, [, name = ""]) => `.${name.replace(/^(?:iter|view)/, "")}()`,
  },
  {
    pattern: /\.has_key\s*\(/,
    why: "dictionaries have no has_key",
    instead: () => "KEY in DICTIONARY",
  },
  {
    pattern: /\.(keys|values|items)\(\)\s*\[/,
    why: "this is a view, which has no index",
    instead: (_, [, name]) => `list(….${name}())[…]`,
  },
  { pattern: /\bsys\.maxint\b/, why: "sys has no maxint", instead: () => "sys.maxsize" },
  {
    pattern: /\bsys\.setdefaultencoding\b/,
    why: "sys has no setdefaultencoding; texts are Unicode",
  },
  {
    pattern: /\bitertools\.(izip|imap|ifilter)\b/,
    why: "itertools has no such function",
    instead: (_, [, name = ""]) => name.slice(1),
  },
  { pattern: /\bos\.getcwdu\b/, why: "os has no getcwdu", instead: () => "os.getcwd" },
  {
    pattern: /\bstring\.(letters|lowercase|uppercase)\b/,
    why: "string has no such name",
    instead: (_, [, name]) => `string.ascii_${name}`,
  },
  {
    pattern: /\burllib\.(urlopen|urlretrieve|Request)\b/,
    why: "it moved",
    instead: (_, [, name]) => `urllib.request.${name}`,
  },
  {
    pattern: /\burllib\.(urlencode|quote|unquote|quote_plus|unquote_plus)\b/,
    why: "it moved",
    instead: (_, [, name]) => `urllib.parse.${name}`,
  },
];
