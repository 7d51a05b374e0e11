/** White space as Unicode defines it. JavaScript's `\s` differs: it has U+FEFF and lacks U+0085. */
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const LEADING = new RegExp(`^${SPACE.source}+`);
const TRAILING = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

/** True for one character of white space. */
export function isSpace(character: string): boolean {
  return SPACE.test(character);
}

/** The text without white space before it. */
export function trimStart(text: string): string {
  return text.replace(LEADING, "");
}

/** The text without white space around it. Linear in its length. */
export function trimSpace(text: string): string {
  let end = text.length;
  while (end > 0 && TRAILING.test(text[end - 1] ?? "")) end -= 1;
  return trimStart(text.slice(0, end));
}

/** The parts between runs of blanks, tabs and the like; at most `limit` parts, the last of which is the rest. */
export function splitBlanks(
  text: string,
  limit: number = Number.POSITIVE_INFINITY,
): readonly string[] {
  const parts: string[] = [];
  const gap = /[\t\v\f\r ]+/g;
  let from = 0;
  for (let match = gap.exec(text); match !== null && parts.length < limit - 1;) {
    parts.push(text.slice(from, match.index));
    from = gap.lastIndex;
    match = gap.exec(text);
  }
  return [...parts, text.slice(from)];
}
