/** What a registry asks for in a 401. @see RFC 9110, 11.6.1 WWW-Authenticate */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case, quotes and escapes taken off. */
  readonly parameters: Readonly<Record<string, string>>;
}

const SPACE = /[\s,]*/y;
const NAME = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const EQUALS = /[ \t]*=[ \t]*/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const PLAIN = /[^\s,]*/y;

/**
 * Reads the challenges of one or more header values, in order. Several may share one value, and parameters may hold commas
 * inside quotes. What cannot be read is left out; nothing is thrown.
 */
export function parseChallenges(values: readonly string[]): readonly Challenge[] {
  return values.flatMap((value) => parseValue(value.slice(0, 8192)));
}

function parseValue(text: string): Challenge[] {
  const found: { scheme: string; parameters: Record<string, string> }[] = [];
  let position = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match !== null) position = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(SPACE);
    const name = take(NAME)?.[0].toLowerCase();
    if (name === undefined) return found;
    const current = found.at(-1);
    if (take(EQUALS) === null || current === undefined) {
      found.push({ scheme: name, parameters: {} });
      continue;
    }
    const quoted = take(QUOTED)?.[1];
    current.parameters[name] =
      quoted === undefined ? (take(PLAIN)?.[0] ?? "") : quoted.replaceAll(/\\(.)/g, "$1");
  }
}
