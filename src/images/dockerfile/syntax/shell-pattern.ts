/** A piece of a shell pattern: a character as it stands, any one character, or any run of them. */
type Piece =
  | { readonly kind: "character"; readonly character: string }
  | { readonly kind: "any" }
  | { readonly kind: "run" };

/**
 * The pattern of `${name#pattern}`: `*` and `?` match anything but a line break, a backslash takes the meaning from `*`, `?`, `\`,
 * `}` and `/`. Matching takes time in proportion to text × pattern.
 */
export type ShellPattern = readonly Piece[];

/** @throws Error for a backslash before any other character. */
export function parseShellPattern(text: string): ShellPattern {
  const pieces: Piece[] = [];
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? "";
    if (character === "*") pieces.push({ kind: "run" });
    else if (character === "?") pieces.push({ kind: "any" });
    else if (character === "\\") {
      const next = characters[(at += 1)] ?? "";
      if (!["*", "?", "\\", "}", "/"].includes(next))
        throw new Error(`invalid pattern (${text}) in substitution: invalid escape '\\${next}'`);
      pieces.push({ kind: "character", character: next });
    } else pieces.push({ kind: "character", character });
  }
  return pieces;
}

/** Ends of the matches that begin at `from`: where the shortest ends, and the longest. */
function matchFrom(
  pattern: ShellPattern,
  text: readonly string[],
  from: number,
): { readonly shortest: number; readonly longest: number } | undefined {
  let shortest: number | undefined;
  let longest: number | undefined;
  let states = closure(pattern, new Set([0]));
  for (let at = from; ; at += 1) {
    if (states.has(pattern.length)) {
      shortest ??= at;
      longest = at;
    }
    const character = text[at];
    if (character === undefined || states.size === 0) break;
    states = closure(pattern, step(pattern, states, character));
  }
  return shortest === undefined || longest === undefined ? undefined : { shortest, longest };
}

function step(pattern: ShellPattern, states: ReadonlySet<number>, character: string): Set<number> {
  const next = new Set<number>();
  for (const state of states) {
    const piece = pattern[state];
    if (piece === undefined) continue;
    if (piece.kind === "character" ? piece.character === character : character !== "\n")
      next.add(piece.kind === "run" ? state : state + 1);
  }
  return next;
}

/** A run may match nothing. */
function closure(pattern: ShellPattern, states: Set<number>): Set<number> {
  for (const state of states) if (pattern[state]?.kind === "run") states.add(state + 1);
  return states;
}

/** `${value#pattern}`, or `##` for the longest match. */
export function removePrefix(value: string, pattern: ShellPattern, isLongest: boolean): string {
  const text = Array.from(value);
  const match = matchFrom(pattern, text, 0);
  if (match === undefined) return value;
  return text.slice(isLongest ? match.longest : match.shortest).join("");
}

/** `${value%pattern}`, or `%%` for the longest match. */
export function removeSuffix(value: string, pattern: ShellPattern, isLongest: boolean): string {
  const text = Array.from(value).reverse();
  const match = matchFrom(pattern.toReversed(), text, 0);
  if (match === undefined) return value;
  return text
    .slice(isLongest ? match.longest : match.shortest)
    .reverse()
    .join("");
}

/** `${value/pattern/replacement}`, or `//` for every match: the leftmost, and there the longest. */
export function replacePattern(
  value: string,
  pattern: ShellPattern,
  { replacement, isAll }: { readonly replacement: string; readonly isAll: boolean },
): string {
  const text = Array.from(value);
  let done = "";
  let lastEnd = -1;
  for (let at = 0; at <= text.length;) {
    const match = matchFrom(pattern, text, at);
    const isAdjacent = match?.longest === at && at === lastEnd; // an empty match right behind another
    if (match !== undefined && !isAdjacent) {
      done += replacement;
      lastEnd = match.longest;
      if (!isAll) return done + text.slice(match.longest).join("");
      if (match.longest > at) {
        at = match.longest;
        continue;
      }
    }
    done += text[at] ?? "";
    at += 1;
  }
  return done;
}
