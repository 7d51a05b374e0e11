import { cleanPath } from "./clean-path.ts";
import { matchesGlob, parseGlob } from "./glob.ts";

/** What matched a folder, pattern by pattern; what lies below it matches the same. */
export type MatchInfo = readonly boolean[];

/** Patterns in the form of `.dockerignore`, compiled. */
export interface PathPatterns {
  /** True when some pattern begins with `!`. */
  readonly hasExceptions: boolean;
  /**
   * Whether a path matches: the last pattern that speaks of it or of a folder above it decides.
   * @param path - relative, parts joined by `/`
   * @param parent - what the folder of the path gave; absent, the folders above are tried one by one
   */
  matches(
    path: string,
    parent?: MatchInfo,
  ): { readonly isMatch: boolean; readonly info: MatchInfo };
}

interface PathPattern {
  readonly isException: boolean;
  readonly isMatch: (path: string) => boolean;
}

/**
 * Compiles patterns with the meaning that Docker gives them, its oddities included: `**` at the very front matches any beginning.
 * @throws Error naming a pattern that is none.
 * @see moby/patternmatcher
 */
export function compilePatterns(lines: readonly string[]): PathPatterns {
  const patterns = lines.flatMap((line) => compileLine(line) ?? []);
  return {
    hasExceptions: patterns.some(({ isException }) => isException),
    matches(path, parent) {
      let isMatch = false;
      const info = patterns.map((pattern, index) => {
        let isHit = parent?.[index] ?? false;
        if (!isHit) {
          // A pattern that would change nothing is not looked at.
          if (pattern.isException !== isMatch) return false;
          isHit =
            pattern.isMatch(path) ||
            (parent === undefined && foldersAbove(path).some(pattern.isMatch));
        }
        if (isHit) isMatch = !pattern.isException;
        return isHit;
      });
      return { isMatch, info };
    },
  };
}

function compileLine(line: string): PathPattern | undefined {
  const text = line.trim();
  if (text === "") return undefined;
  const clean = cleanPath(text);
  const isException = clean.startsWith("!");
  const pattern = isException ? clean.slice(1) : clean;
  if (isException && pattern === "") throw new Error('illegal exclusion pattern: "!"');
  return { isException, isMatch: compilePattern(pattern) };
}

const SPECIAL = /[*?[\]\\]/;

function compilePattern(pattern: string): (path: string) => boolean {
  const tokens = parseGlob(pattern, true);
  if (!SPECIAL.test(pattern)) return (path) => path === pattern;
  if (pattern.startsWith("**") && !SPECIAL.test(pattern.slice(2))) {
    const end = pattern.slice(2);
    return (path) => path.endsWith(end) || (end.startsWith("/") && path === end.slice(1));
  }
  if (pattern.endsWith("**") && !SPECIAL.test(pattern.slice(0, -2))) {
    const start = pattern.slice(0, -2);
    return (path) => path.startsWith(start);
  }
  return (path) => matchesGlob(tokens, path);
}

function foldersAbove(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join("/"));
}
