import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { splitWords } from "../../src/jobs/train/shell-words.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** A fenced block of a page. */
export interface DocBlock {
  /** `docs/guide/serving.md:12`. */
  readonly place: string;
  /** What the page says it is; empty for a drawing or for lines of a shell. */
  readonly language: string;
  readonly text: string;
}

/** A command of ours as a page shows it. */
export interface DocCommand {
  readonly place: string;
  /** Without `slipway`. */
  readonly words: readonly string[];
  /** True within a sentence, where it may be the name alone. */
  readonly isMention: boolean;
}

/** The pages that people read: at the root, the guides of both languages, and the READMEs of modules and examples. */
export function docPages(): readonly { readonly path: string; readonly text: string }[] {
  return ["*.md", "docs/**/*.md", "src/**/*.md", "examples/**/*.md", "bench/*.md"]
    .flatMap((pattern) => globSync(pattern, { cwd: ROOT }))
    .filter((path) => path !== "CHANGELOG.md" && !path.includes("node_modules"))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(resolve(ROOT, path), "utf8") }));
}

/** Every fenced block of the pages. */
export function docBlocks(): readonly DocBlock[] {
  return docPages().flatMap(({ path, text }) =>
    [...text.matchAll(/^( *)```(\S*)[^\n]*\n(.*?)^ *```$/gms)].map((match) => {
      const [, indent = "", language = "", body = ""] = match;
      return {
        place: `${path}:${lineAt(text, match.index)}`,
        language,
        text: body.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
      };
    }),
  );
}

/** Commands of ours in blocks of shell lines, and in code within sentences. */
export function docCommands(): readonly DocCommand[] {
  const inBlocks = docBlocks()
    .filter(({ language }) => ["", "sh", "bash", "console"].includes(language))
    .flatMap(({ place, text }) =>
      shellLines(text).map((line) => ({ place, line, isMention: false })),
    );
  const inText = docPages().flatMap(({ path, text }) =>
    [...text.replaceAll(/^ *```[^]*?^ *```$/gm, keepLines).matchAll(/`(slipway [^`]+)`/g)].map(
      ({ 1: line = "", index }) => ({
        place: `${path}:${lineAt(text, index)}`,
        line,
        isMention: true,
      }),
    ),
  );
  return [...inBlocks, ...inText].flatMap(({ line, ...rest }) =>
    commandsOf(line).map((words) => ({ ...rest, words })),
  );
}

/** Lines that a reader types: those behind a `$`, and those that begin with our name or end in a call of it. */
function shellLines(block: string): readonly string[] {
  return block
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .map((line) => line.replace(/^\$ /, "").trim())
    .filter((line) => /(?:^|[|&;] *)slipway /.test(line));
}

/** The calls in a line, which may stand one behind the other, in a pipe or before a remark. Optional words of a usage line count as given. */
export function commandsOf(line: string): readonly (readonly string[])[] {
  const said = line.replace(/(?<=^|\s)#.*/, (remark, at: number) =>
    isQuoted(line, at) ? remark : "",
  );
  const words = splitWords(
    said.replaceAll(/[|;&]/g, (sign, at: number) => (isQuoted(said, at) ? sign : ` ${sign} `)),
  );
  const calls: string[][] = [];
  let call: string[] | undefined;
  for (const word of words) {
    if (/^(?:[|;&]|[<>].*)$/.test(word)) call = undefined;
    else if (word === "slipway" && call === undefined) calls.push((call = []));
    else call?.push(word);
  }
  return calls;
}

/** True where a character stands between quotes. */
function isQuoted(line: string, at: number): boolean {
  const before = line.slice(0, at);
  return (before.split("'").length - 1) % 2 === 1 || (before.split('"').length - 1) % 2 === 1;
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** The same number of lines without what they say, so that places stay right. */
function keepLines(text: string): string {
  return text.replaceAll(/[^\n]/g, " ");
}
