import { ProjectError } from "../../errors/index.ts";

/** Which paths of a folder are left out. */
export interface IgnoreRules {
  /** True for a file or folder that is left out; `path` is relative, parts joined by `/`. */
  ignores(path: string): boolean;
  /** True when a folder that is left out may still hold something that is not. */
  mayReinclude(folder: string): boolean;
}

/** Patterns and where they come from; `file` is named in errors. */
export interface PatternList {
  readonly file: string;
  readonly lines: readonly string[];
}

interface Rule {
  readonly pattern: RegExp;
  readonly isException: boolean;
  readonly text: string;
}

/** What no image needs; patterns of the user come after these and may take things back in. */
export const DEFAULT_IGNORES: readonly string[] = [
  "**/.git", "**/.hg", "**/.svn", "**/__pycache__", "**/*.pyc", "**/.venv", "**/node_modules", "**/.ipynb_checkpoints", "**/.mypy_cache", "**/.pytest_cache",
  "**/.ruff_cache", "**/.DS_Store", ".slipway", "slipway.yaml", ".slipwayignore", ".dockerignore",
];

/**
 * Compiles patterns with the rules of `.dockerignore`: Go's `filepath.Match` plus `**`, relative to the root whether or not a slash comes
 * first, a match of a folder covers what is in it, `!` takes back in, the last pattern that matches decides.
 * @throws ProjectError `PROJECT_INVALID` naming file and line of a pattern that is none.
 * @see Docker documentation, "Dockerignore files"; github.com/moby/patternmatcher
 */
export function compileIgnores(lists: readonly PatternList[]): IgnoreRules {
  const rules = lists.flatMap(({ file, lines }) => lines.flatMap((line, index) => compileLine(line, { file, line: index + 1 }) ?? []));
  const exceptions = rules.filter(({ isException }) => isException);
  const isAnywhere = exceptions.some(({ text }) => /[*?[\\]/.test(text));
  return {
    ignores(path) {
      const names = selfAndParents(path);
      return rules.reduce((isIgnored, rule) => (rule.isException === isIgnored && names.some((name) => rule.pattern.test(name)) ? !rule.isException : isIgnored), false);
    },
    mayReinclude: (folder) => isAnywhere || exceptions.some(({ text }) => text.startsWith(`${folder}/`) || folder.startsWith(`${text}/`) || text === folder),
  };
}

/** Splits an ignore file into lines, without a byte order mark. */
export function parseIgnoreFile(file: string, text: string): PatternList {
  return { file, lines: text.replace(/^\u{feff}/u, "").split(/\r?\n/) };
}

function selfAndParents(path: string): readonly string[] {
  const names = [path];
  for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) names.push(path.slice(0, slash));
  return names;
}

function compileLine(line: string, place: { readonly file: string; readonly line: number }): Rule | undefined {
  if (line.startsWith("#")) return undefined;
  const trimmed = line.trim();
  const isException = trimmed.startsWith("!");
  const body = isException ? trimmed.slice(1).trim() : trimmed;
  if (trimmed === "") return undefined;
  if (body === "") throw badPattern(place, trimmed, 'nothing follows the "!"');
  const text = cleanPattern(body);
  if (text === "." || text === "") return undefined;
  return { pattern: toRegExp(text, place), isException, text };
}

/** Go's `path.Clean`, and without a leading slash. */
function cleanPattern(pattern: string): string {
  const parts: string[] = [];
  for (const part of pattern.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !pattern.startsWith("/")) parts.push(part);
  }
  return parts.join("/");
}

function toRegExp(pattern: string, place: { readonly file: string; readonly line: number }): RegExp {
  let source = "^";
  for (let at = 0; at < pattern.length; ) {
    const { text, next } = translate(pattern, at);
    if (text === undefined) throw badPattern(place, pattern, 'a "[" is not closed, or its set is empty');
    source += text;
    at = next;
  }
  try {
    return new RegExp(`${source}$`, "su");
  } catch {
    // The engine's own message speaks of the translation, not of what the user wrote.
    throw badPattern(place, pattern, "it is no pattern");
  }
}

/** One element of a pattern as a regular expression. */
function translate(pattern: string, at: number): { readonly text?: string; readonly next: number } {
  const char = String.fromCodePoint(pattern.codePointAt(at) ?? 0);
  const next = at + char.length;
  if (char === "*" && pattern[next] === "*") {
    const after = pattern[next + 1] === "/" ? next + 2 : next + 1;
    return { text: after >= pattern.length ? ".*" : "(?:.*/)?", next: after };
  }
  if (char === "*") return { text: "[^/]*", next };
  if (char === "?") return { text: "[^/]", next };
  if (char === "[") return translateSet(pattern, next);
  if (char !== "\\") return { text: escape(char), next };
  const escaped = pattern.codePointAt(next);
  if (escaped === undefined) return { text: "\\\\", next };
  const literal = String.fromCodePoint(escaped);
  return { text: escape(literal), next: next + literal.length };
}

const SET = /^\[(\^?)((?:\\.|[^\\\]])+)\]/su;

/** `[a-z]` or `[^a-z]`; never matches a slash. */
function translateSet(pattern: string, next: number): { readonly text?: string; readonly next: number } {
  const [whole, negation = "", body = ""] = SET.exec(pattern.slice(next - 1)) ?? [];
  if (whole === undefined) return { next };
  const set = body.replaceAll(/\\(.)|([^-])/gsu, (_, escaped: string | undefined, plain: string | undefined) => escapeInSet(escaped ?? plain ?? ""));
  return { text: `(?!/)[${negation}${set}]`, next: next - 1 + whole.length };
}

function escape(char: string): string {
  return /[$()*+./?[\\\]^{|}]/.test(char) ? `\\${char}` : char;
}

function escapeInSet(char: string): string {
  return /[\\\]^[-]/.test(char) ? `\\${char}` : char;
}

function badPattern(place: { readonly file: string; readonly line: number }, pattern: string, why: string): ProjectError {
  return new ProjectError("PROJECT_INVALID", `read "${place.file}" line ${place.line}: pattern "${pattern.slice(0, 200)}": ${why}`, place);
}
