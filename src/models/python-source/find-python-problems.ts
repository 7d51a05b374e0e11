import { codeLines, type CodeLine } from "./code-lines.ts";
import { OLD_MODULES, OLD_NAMES } from "./old-modules.ts";
import type { PythonProblem } from "./python-problem.ts";
import { GRAMMAR, WORDS, type PythonTwoRule } from "./python-two-rules.ts";

/**
 * Everything in a Python source that Python 3 does not run: grammar, modules and names of Python 2, or tabs and spaces mixed so that the
 * depth of a line is not clear. Works by rules on lines and runs nothing: what it names is so, but it does not name everything.
 * @returns in the order of the lines, at most one for each line and rule.
 */
export function findPythonProblems(source: string): readonly PythonProblem[] {
  const lines = codeLines(source);
  const found = [
    ...indentationProblems(lines),
    ...lines.flatMap((line) => GRAMMAR.flatMap((rule) => problemIn(line, rule, true))),
    ...oldImports(lines),
    ...wordProblems(source, lines),
  ];
  return found.toSorted((one, other) => one.line - other.line);
}

function problemIn(
  line: CodeLine,
  { pattern, why, instead }: PythonTwoRule,
  stopsStart: boolean,
): readonly PythonProblem[] {
  const match = pattern.exec(line.code);
  if (match === null) return [];
  const spelling = instead?.(line, match);
  const at = { line: line.line, why, stopsStart };
  return [spelling === undefined ? at : { ...at, instead: spelling }];
}

/** Names that the file defines or imports itself are its own. */
function wordProblems(source: string, lines: readonly CodeLine[]): readonly PythonProblem[] {
  const isOwn = (name: string): boolean =>
    new RegExp(
      String.raw`^\s*(?:def|class)\s+${name}\b|^\s*${name}\s*=(?!=)|\bimport\b.*\b${name}\b|\bas\s+${name}\b`,
      "m",
    ).test(source);
  return WORDS.filter(({ name }) => name === undefined || !isOwn(name)).flatMap((rule) =>
    lines.flatMap((line) => problemIn(line, rule, false)),
  );
}

/** Imports at the left margin, which nothing catches, stop the start; others may never run. */
function oldImports(lines: readonly CodeLine[]): readonly PythonProblem[] {
  return lines.flatMap(({ line, code, text, indent }) => {
    if (indent === undefined || indent !== "") return [];
    const [, from] = /^from\s+(\w+)(?:\.\w+)*\s+import\b/.exec(code) ?? [];
    const names = /^import\s+(.+)$/.exec(code)?.[1]?.split(",") ?? [];
    const modules = from === undefined ? names.map((name) => /\w+/.exec(name)?.[0] ?? "") : [from];
    return modules
      .filter((name) => Object.hasOwn(OLD_MODULES, name))
      .map((name) => ({
        line,
        why: `Python 3 has no module ${name}`,
        instead: from === undefined ? OLD_MODULES[name] : newImport(name, text),
        stopsStart: true,
      }));
  });
}

function newImport(name: string, text: string): string | undefined {
  const home = OLD_NAMES[name];
  const names = /\bimport\s+(.+)$/.exec(text)?.[1];
  return home === undefined || names === undefined
    ? OLD_MODULES[name]
    : `from ${home} import ${names}`;
}

/** How deep a line is when a tab goes to the next multiple of 8, and when it counts as one. Python 3 wants both to agree. */
interface Depth {
  readonly wide: number;
  readonly narrow: number;
}

/** One problem for a file, at its first line. @see CPython, Parser/lexer/lexer.c, where TabError is raised */
function indentationProblems(lines: readonly CodeLine[]): readonly PythonProblem[] {
  const mixed = mixedLines(lines);
  const [first] = mixed;
  if (first === undefined) return [];
  const others = mixed.length === 1 ? "" : `, here and in ${mixed.length - 1} more lines`;
  const why = `tabs and spaces are mixed${others}`;
  return [{ line: first, why, instead: "spaces only", stopsStart: true }];
}

function mixedLines(lines: readonly CodeLine[]): readonly number[] {
  const open: Depth[] = [{ wide: 0, narrow: 0 }];
  const mixed: number[] = [];
  for (const { line, indent } of lines) {
    if (indent === undefined) continue;
    const depth = depthOf(indent);
    while (open.length > 1 && depth.wide < (open.at(-1)?.wide ?? 0)) open.pop();
    const last = open.at(-1) ?? depth;
    const isSame = depth.wide === last.wide;
    if (isSame ? depth.narrow !== last.narrow : depth.narrow <= last.narrow) mixed.push(line);
    if (!isSame) open.push(depth);
  }
  return mixed;
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
