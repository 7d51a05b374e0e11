import { codeLines } from "./code-lines.ts";

const TAB_COLUMNS = 8;

/** The source with tabs before statements made spaces, as Python 2 counted them: to the next multiple of 8. Texts keep their tabs. */
export function expandTabs(source: string): string {
  const isStatement = codeLines(source).map(({ indent }) => indent?.includes("\t") === true);
  if (!isStatement.includes(true)) return source;
  const lines = source.split(/(\r\n|\r|\n)/);
  return lines
    .map((text, index) =>
      index % 2 === 0 && isStatement[index / 2] === true ? withSpaces(text) : text,
    )
    .join("");
}

function withSpaces(line: string): string {
  const indent = /^[ \t]*/.exec(line)?.[0] ?? "";
  let columns = 0;
  for (const character of indent)
    columns =
      character === "\t" ? (Math.floor(columns / TAB_COLUMNS) + 1) * TAB_COLUMNS : columns + 1;
  return " ".repeat(columns) + line.slice(indent.length);
}
