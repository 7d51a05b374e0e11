import { dockerfileError, type SourcePosition } from "./place.ts";
import { heredocsOf, type Heredoc } from "./heredoc.ts";
import { splitFlags } from "./split-words.ts";
import { splitBlanks, trimSpace, trimStart } from "./white-space.ts";

/** An instruction before its arguments are read. */
export interface RawInstruction {
  readonly place: SourcePosition;
  readonly endLine: number;
  /** As written; any case. */
  readonly keyword: string;
  readonly flags: readonly string[];
  /** What follows the flags, without white space around it. */
  readonly rest: string;
  /** The whole instruction, continued lines joined. */
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
}

/** The instructions of a Dockerfile, in order, and the escape character that it chose. */
export interface ParsedLines {
  readonly instructions: readonly RawInstruction[];
  readonly escape: string;
}

/** Bytes of a Dockerfile. */
const MAX_BYTES = 4 * 2 ** 20;
/** Bytes of one line, as BuildKit has it. */
const MAX_LINE_BYTES = 65_535;
const TAKES_HEREDOCS = new Set(["ADD", "COPY", "RUN"]);
const DIRECTIVE = /^([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;
const DIRECTIVES = new Set(["syntax", "escape", "check"]);

/**
 * Splits a Dockerfile into instructions: a byte order mark, parser directives, comments, continued lines and heredocs are dealt with.
 * @throws ProjectError `DOCKERFILE_INVALID` with line and column.
 * @see BuildKit, frontend/dockerfile/parser/parser.go
 */
export function parseLines(text: string, file: string): ParsedLines {
  if (text.length > MAX_BYTES)
    throw dockerfileError({ file, line: 1, column: 1 }, `it is longer than ${MAX_BYTES} bytes`);
  const scanner: Scanner = {
    file,
    lines: text.replace(/^\uFEFF/, "").match(/[^\n]*\n|[^\n]+$/g) ?? [],
    at: 0,
    escape: "\\",
    directives: new Set(),
  };
  const instructions: RawInstruction[] = [];
  while (scanner.at < scanner.lines.length) {
    const instruction = nextInstruction(scanner);
    if (instruction !== undefined) instructions.push(instruction);
  }
  if (instructions.length === 0)
    throw dockerfileError(
      { file, line: Math.max(1, scanner.lines.length), column: 1 },
      "file with no instructions",
    );
  return { instructions, escape: scanner.escape };
}

/** One instruction that stands alone, as an ONBUILD trigger does. @throws as `parseLines`. */
export function parseTrigger(text: string, place: SourcePosition): RawInstruction {
  const { instructions } = parseLines(text, place.file);
  const [only] = instructions;
  if (only === undefined || instructions.length !== 1)
    throw dockerfileError(place, "ONBUILD: a trigger is a single instruction");
  return { ...only, place, endLine: place.line };
}

interface Scanner {
  readonly file: string;
  readonly lines: readonly string[];
  at: number;
  escape: string;
  /** Directives seen so far; undefined when no more can come. */
  directives: Set<string> | undefined;
}

function takeLine(scanner: Scanner): string {
  const line = scanner.lines[scanner.at] ?? "";
  scanner.at += 1;
  if (Buffer.byteLength(line) > MAX_LINE_BYTES)
    throw dockerfileError(
      { file: scanner.file, line: scanner.at, column: 1 },
      `the line is longer than ${MAX_LINE_BYTES} bytes`,
    );
  return line.replace(/[\r\n]+$/, "");
}

function nextInstruction(scanner: Scanner): RawInstruction | undefined {
  const written = takeLine(scanner);
  const first = trimStart(written);
  const place: SourcePosition = {
    file: scanner.file,
    line: scanner.at,
    column: written.length - first.length + 1,
  };
  readDirective(scanner, first, place);
  if (first.startsWith("#") || first === "") return undefined;
  let { text, isContinued } = withoutContinuation(first, scanner.escape);
  const parts = [text];
  while (isContinued && scanner.at < scanner.lines.length) {
    const line = takeLine(scanner);
    if (trimStart(line).startsWith("#") || trimStart(line) === "") continue;
    ({ text, isContinued } = withoutContinuation(line, scanner.escape));
    parts.push(text);
  }
  const joined = parts.join("");
  return trimSpace(joined) === "" ? undefined : toInstruction(scanner, joined, place);
}

/** `# escape=` and its kin stand before everything else. */
function readDirective(scanner: Scanner, line: string, place: SourcePosition): void {
  const seen = scanner.directives;
  if (seen === undefined) return;
  const [, name = "", value = ""] = line.startsWith("#")
    ? (DIRECTIVE.exec(trimStart(line.slice(1))) ?? [])
    : [];
  const key = name.toLowerCase();
  if (!DIRECTIVES.has(key)) {
    scanner.directives = undefined;
    return;
  }
  if (seen.has(key)) throw dockerfileError(place, `only one ${key} parser directive can be used`);
  seen.add(key);
  if (key !== "escape") return;
  if (value !== "\\" && value !== "`")
    throw dockerfileError(place, `invalid escape token '${value}' does not match \` or \\`);
  scanner.escape = value;
}

/**
 * A line that ends with the escape character goes on in the next line. An escaped escape character
 * at the end does not count.
 */
function withoutContinuation(line: string, escape: string): { text: string; isContinued: boolean } {
  let end = line.length;
  while (line[end - 1] === " " || line[end - 1] === "\t") end -= 1;
  const isContinued = line[end - 1] === escape && line[end - 2] !== escape;
  return isContinued ? { text: line.slice(0, end - 1), isContinued } : { text: line, isContinued };
}

function toInstruction(scanner: Scanner, text: string, place: SourcePosition): RawInstruction {
  const [keyword = "", args = ""] = splitBlanks(trimSpace(text), 2);
  const { flags, rest } = splitFlags(args, scanner.escape);
  return {
    place,
    keyword,
    flags,
    rest: trimSpace(rest),
    text,
    heredocs: takesHeredocs(keyword, rest) ? takeHeredocs(scanner, text, place) : [],
    endLine: scanner.at,
  };
}

/** A JSON list holds no heredocs, whatever its texts look like. */
function takesHeredocs(keyword: string, rest: string): boolean {
  if (keyword.toUpperCase() === "ONBUILD") {
    const [inner = "", args = ""] = splitBlanks(trimSpace(rest), 2);
    return inner.toUpperCase() !== "ONBUILD" && takesHeredocs(inner, args);
  }
  return TAKES_HEREDOCS.has(keyword.toUpperCase()) && rest.includes("<<") && !isJsonList(rest);
}

function isJsonList(rest: string): boolean {
  if (!trimStart(rest).startsWith("[")) return false;
  try {
    return Array.isArray(JSON.parse(rest));
  } catch {
    return false; // no JSON: the shell form
  }
}

function takeHeredocs(scanner: Scanner, text: string, place: SourcePosition): readonly Heredoc[] {
  return announced(text, place).map((heredoc) => {
    const lines: string[] = [];
    for (;;) {
      if (scanner.at >= scanner.lines.length)
        throw dockerfileError(place, `unterminated heredoc: no line holds "${heredoc.name}" alone`);
      const line = scanner.lines[scanner.at] ?? "";
      scanner.at += 1;
      const bare = line.replace(/[\r\n]+$/, "");
      if ((heredoc.stripsTabs ? bare.replace(/^\t+/, "") : bare) === heredoc.name) break;
      lines.push(line);
    }
    return { ...heredoc, content: lines.join("") };
  });
}

function announced(text: string, place: SourcePosition): readonly Heredoc[] {
  try {
    return heredocsOf(text);
  } catch (error) {
    throw dockerfileError(place, String((error as Error).message), { cause: error });
  }
}
