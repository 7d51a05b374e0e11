/** One piece of a pattern. */
export type GlobToken =
  | { readonly kind: "character"; readonly character: string }
  | { readonly kind: "class"; readonly isNegated: boolean; readonly ranges: readonly Range[] }
  /** Any one character but a slash. */
  | { readonly kind: "any" }
  /** Any number of characters but slashes. */
  | { readonly kind: "star" }
  /** Any number of characters. */
  | { readonly kind: "all" }
  /** Nothing, or any folders with the slash behind them. Two states: before, and inside. */
  | { readonly kind: "folders" }
  | { readonly kind: "inFolders" };

type Range = readonly [first: string, last: string];

/** Thrown for a pattern that is none: an open class, an empty one, or an escape at the end. */
export class BadPatternError extends Error {
  constructor(pattern: string) {
    super(`syntax error in pattern "${pattern}"`);
  }
}

/**
 * Reads a pattern as Go's `filepath.Match` does: `*`, `?`, `[a-z]`, `[^a]` and `\` before a character.
 * @param readsDoubleStar - `**` stands for folders, as in `.dockerignore`; else it is two stars
 * @throws BadPatternError
 */
export function parseGlob(pattern: string, readsDoubleStar: boolean): readonly GlobToken[] {
  const tokens: GlobToken[] = [];
  const characters = Array.from(pattern);
  for (let at = 0; at < characters.length;) {
    const character = characters[at] ?? "";
    if (character === "[") {
      const { token, end } = parseClass(characters, at + 1, pattern);
      tokens.push(token);
      at = end;
    } else if (character === "*" && characters[at + 1] === "*" && readsDoubleStar) {
      at += characters[at + 2] === "/" ? 3 : 2;
      if (at < characters.length) tokens.push({ kind: "folders" }, { kind: "inFolders" });
      else tokens.push({ kind: "all" });
    } else if (character === "\\") {
      const escaped = characters[at + 1];
      if (escaped === undefined) throw new BadPatternError(pattern);
      tokens.push({ kind: "character", character: escaped });
      at += 2;
    } else {
      tokens.push(plainToken(character));
      at += 1;
    }
  }
  return tokens;
}

function plainToken(character: string): GlobToken {
  if (character === "*") return { kind: "star" };
  return character === "?" ? { kind: "any" } : { kind: "character", character };
}

function parseClass(
  characters: readonly string[],
  from: number,
  pattern: string,
): { readonly token: GlobToken; readonly end: number } {
  let at = from;
  const isNegated = characters[at] === "^";
  if (isNegated) at += 1;
  const ranges: Range[] = [];
  const member = (): string => {
    let character = characters[at];
    if (character === undefined || character === "-" || character === "]")
      throw new BadPatternError(pattern);
    if (character === "\\") character = characters[(at += 1)];
    if (character === undefined || at + 1 >= characters.length) throw new BadPatternError(pattern);
    at += 1;
    return character;
  };
  while (characters[at] !== "]" || ranges.length === 0) {
    const first = member();
    let last = first;
    if (characters[at] === "-") {
      at += 1;
      last = member();
    }
    ranges.push([first, last]);
  }
  return { token: { kind: "class", isNegated, ranges }, end: at + 1 };
}

/** Whether the whole text matches. Takes time in proportion to text × tokens. */
export function matchesGlob(tokens: readonly GlobToken[], text: string): boolean {
  let states = new Uint8Array(tokens.length + 1);
  states[0] = 1;
  skipEmpty(tokens, states);
  for (const character of text) {
    const next = new Uint8Array(tokens.length + 1);
    let isAlive = false;
    for (const [index, token] of tokens.entries()) {
      if (states[index] !== 1) continue;
      isAlive = take(token, index, { character, next }) || isAlive;
    }
    if (!isAlive) return false;
    skipEmpty(tokens, next);
    states = next;
  }
  return states[tokens.length] === 1;
}

/** Tokens that may stand for nothing let the next one begin. */
function skipEmpty(tokens: readonly GlobToken[], states: Uint8Array): void {
  for (const [index, token] of tokens.entries()) {
    if (states[index] !== 1) continue;
    if (token.kind === "star" || token.kind === "all") states[index + 1] = 1;
    if (token.kind === "folders") {
      states[index + 1] = 1;
      states[index + 2] = 1;
    }
  }
}

function take(
  token: GlobToken,
  index: number,
  { character, next }: { readonly character: string; readonly next: Uint8Array },
): boolean {
  const targets = targetsOf(token, index, character);
  for (const target of targets) next[target] = 1;
  return targets.length > 0;
}

/** States that a token leads to by one character. */
function targetsOf(token: GlobToken, index: number, character: string): readonly number[] {
  const isSlash = character === "/";
  if (token.kind === "star" || token.kind === "all")
    return token.kind === "star" && isSlash ? [] : [index];
  if (token.kind === "inFolders") return isSlash ? [index, index + 1] : [index];
  return isOne(token, character) ? [index + 1] : [];
}

/** Whether a token that stands for one character takes this one. */
function isOne(token: GlobToken, character: string): boolean {
  if (token.kind === "character") return token.character === character;
  return token.kind === "class"
    ? isInClass(token, character)
    : token.kind === "any" && character !== "/";
}

function isInClass(
  { ranges, isNegated }: { readonly ranges: readonly Range[]; readonly isNegated: boolean },
  character: string,
): boolean {
  const code = character.codePointAt(0) ?? 0;
  const isIn = ranges.some(
    ([first, last]) => (first.codePointAt(0) ?? 0) <= code && code <= (last.codePointAt(0) ?? 0),
  );
  return isIn !== isNegated;
}
