/** A class at the top level of a Python file. */
export interface PythonClass {
  readonly name: string;
  /** Names of methods and of attributes that are set in its body, in order. */
  readonly members: readonly string[];
  /** The text between the parentheses after the name; empty when there is none. */
  readonly bases: string;
}

const CLASS = /^class\s+([\p{L}_][\p{L}\p{N}_]*)\s*(?:\(([^)]*)\))?\s*:/u;
const MEMBER =
  /^(\s+)(?:async\s+)?(?:def\s+([\p{L}_][\p{L}\p{N}_]*)\s*\(|([\p{L}_][\p{L}\p{N}_]*)\s*(?::[^=]+)?=[^=])/u;

/**
 * Finds the classes at the top level of Python source by reading it, never by running it. Strings, comments and brackets are followed, so
 * a class in a docstring is none. Classes inside `if` or functions are not seen.
 */
export function findPythonClasses(source: string): readonly PythonClass[] {
  const classes: OpenClass[] = [];
  let current: OpenClass | undefined;
  for (const line of logicalLines(source)) {
    if (/^\s/.test(line)) {
      addMember(current, line);
      continue;
    }
    const [, name, bases = ""] = CLASS.exec(line) ?? [];
    current = name === undefined ? undefined : { name, bases: bases.trim(), members: [] };
    if (current !== undefined) classes.push(current);
  }
  return classes.map(({ name, members, bases }) => ({ name, members, bases }));
}

interface OpenClass extends PythonClass {
  readonly members: string[];
  /** Of the body, once it has a line. */
  indent?: string;
}

function addMember(current: OpenClass | undefined, line: string): void {
  if (current === undefined) return;
  current.indent ??= /^\s+/.exec(line)?.[0] ?? "";
  const [, indent, method, attribute] = MEMBER.exec(line) ?? [];
  const member = method ?? attribute;
  if (member !== undefined && indent === current.indent) current.members.push(member);
}

interface Scan {
  line: string;
  /** Open brackets. */
  depth: number;
  /** The quotes that end the string we are in. */
  quote: string;
}

/** Lines with strings emptied, comments removed, and what brackets or backslashes join put on one line. Blank ones are left out. */
function* logicalLines(source: string): Generator<string, void, undefined> {
  const scan: Scan = { line: "", depth: 0, quote: "" };
  const text = source
    .replace(/^\u{feff}/u, "")
    .replaceAll("\r\n", "\n")
    .replaceAll("\r", "\n");
  for (let at = 0; at < text.length;) {
    if (scan.quote !== "") {
      at = passString(text, at, scan);
      continue;
    }
    const char = text[at] ?? "";
    if (char === "\n") {
      if (scan.depth === 0) {
        if (scan.line.trim() !== "") yield scan.line;
        scan.line = "";
      } else scan.line += " ";
      at += 1;
    } else at = passCode(text, at, scan);
  }
  if (scan.line.trim() !== "") yield scan.line;
}

function passString(text: string, at: number, scan: Scan): number {
  if (text[at] === "\\") return at + 2;
  if (text.startsWith(scan.quote, at)) {
    const end = at + scan.quote.length;
    scan.quote = "";
    scan.line += '"';
    return end;
  }
  if (text[at] === "\n" && scan.quote.length === 1) {
    scan.quote = ""; // not closed: an error in Python; go on with the next line
    return at;
  }
  return at + 1;
}

function passCode(text: string, at: number, scan: Scan): number {
  const char = text[at] ?? "";
  if (char === "#") {
    const end = text.indexOf("\n", at);
    return end < 0 ? text.length : end;
  }
  if (char === "\\" && text[at + 1] === "\n") {
    scan.line += " ";
    return at + 2;
  }
  if (char === '"' || char === "'") {
    scan.quote = text.startsWith(char.repeat(3), at) ? char.repeat(3) : char;
    scan.line += '"';
    return at + scan.quote.length;
  }
  if ("([{".includes(char)) scan.depth += 1;
  if (")]}".includes(char)) scan.depth = Math.max(0, scan.depth - 1);
  scan.line += char;
  return at + 1;
}
