/** A class, or a function that is used as one, with the names of its methods. */
export interface JavascriptClass {
  /** Absent for a class without a name. */
  readonly name?: string;
  readonly members: readonly string[];
}

const CLASS = /\bclass(?:\s+(?!extends\b)([A-Za-z_$][\w$]*))?[^{};()]*\{/g;
const PROTOTYPE = /\b([A-Za-z_$][\w$]*)\.prototype\.([A-Za-z_$][\w$]*)\s*=/g;
const METHOD = /(?:^|[\s;}*])([A-Za-z_$][\w$]*)\s*(?:<[^<>()]*>)?\(/g;
const KEYWORDS: ReadonlySet<string> = new Set([
  "if",
  "for",
  "while",
  "switch",
  "catch",
  "function",
  "return",
  "super",
  "constructor",
  "await",
  "new",
]);

/**
 * The classes of JavaScript or TypeScript source, in the order in which they begin. Reads words and braces only and never runs anything:
 * odd code, such as a quote in a regular expression, may hide a class but not break anything.
 */
export function findJavascriptClasses(source: string): readonly JavascriptClass[] {
  const code = withoutText(source);
  const found: JavascriptClass[] = [...code.matchAll(CLASS)].map((match) => {
    const members = methodsIn(code, match.index + match[0].length);
    return match[1] === undefined ? { members } : { name: match[1], members };
  });
  const prototypes = new Map<string, string[]>();
  for (const [, name = "", member = ""] of code.matchAll(PROTOTYPE))
    prototypes.set(name, [...(prototypes.get(name) ?? []), member]);
  return [...found, ...[...prototypes].map(([name, members]) => ({ name, members }))];
}

/** Names of what stands at the outermost level of a class body. */
function methodsIn(code: string, start: number): readonly string[] {
  let depth = 1;
  let outer = "";
  for (let at = start; at < code.length && depth > 0; at += 1) {
    const char = code[at] ?? "";
    if (char === "{") depth += 1;
    else if (char === "}") depth -= 1;
    if (depth === 1) outer += char;
  }
  return [...new Set([...outer.matchAll(METHOD)].map(([, name = ""]) => name))].filter(
    (name) => !KEYWORDS.has(name),
  );
}

const COMMENT_OR_TEXT =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`/g;

function withoutText(source: string): string {
  return source.replaceAll(COMMENT_OR_TEXT, " ");
}
