/** Rows of a table of text. */
export interface CsvTable {
  /** Names of columns, where the first row has text that is no number. */
  readonly header?: readonly string[];
  /** Cells as they stand, all rows equally long. */
  readonly rows: readonly (readonly string[])[];
}

/** Why a text is no table; `line` counts from 1. */
export class CsvError extends Error {
  readonly line: number;
  constructor(why: string, line: number) {
    super(why);
    this.line = line;
  }
}

const MAX_CELLS = 50_000_000;

/**
 * Reads comma-separated values. A first row that has a cell which is no number is the header, when another row follows it.
 * @throws CsvError for rows of other lengths, and quotes that do not end
 * @see RFC 4180
 */
export function parseCsv(text: string): CsvTable {
  const rows = [...rowsIn(text.replace(/^\uFEFF/, ""))];
  const [first] = rows;
  if (first === undefined) throw new CsvError("it is empty", 1);
  const uneven = rows.findIndex((row) => row.length !== first.length);
  if (uneven >= 0)
    throw new CsvError(
      `it has ${rows[uneven]?.length ?? 0} columns, and the first row has ${first.length}`,
      uneven + 1,
    );
  if (rows.length > 1 && first.some((cell) => numberOf(cell) === undefined))
    return { header: first.map((name) => name.trim()), rows: rows.slice(1) };
  return { rows };
}

/** The number in a cell, as Python writes them: also nan, inf and -inf. Undefined for what is none. */
export function numberOf(cell: string): number | undefined {
  const text = cell.trim().toLowerCase();
  const named = NAMED[text.replace(/^[+-]/, "")];
  if (named !== undefined) return text.startsWith("-") ? -named : named;
  const value = Number(text);
  return text === "" || Number.isNaN(value) ? undefined : value;
}

const NAMED: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Infinity,
  infinity: Infinity,
};

function* rowsIn(text: string): Generator<readonly string[]> {
  let row: string[] = [];
  let at = 0;
  let line = 1;
  let cells = 0;
  while (at < text.length) {
    const cell = cellAt(text, at, line);
    row.push(cell.text);
    cells += 1;
    if (cells > MAX_CELLS) throw new CsvError(`it has more than ${MAX_CELLS} cells`, line);
    at = cell.end + 1;
    if (text[cell.end] === ",") {
      if (at === text.length) row.push("");
      else continue;
    }
    if (row.length > 1 || row[0] !== "") yield row;
    row = [];
    line += 1;
  }
  if (row.length > 0) yield row;
}

/** A cell, and where the comma or the end of the line behind it stands. */
function cellAt(
  text: string,
  start: number,
  line: number,
): { readonly text: string; readonly end: number } {
  if (text[start] !== '"') {
    const rest = /[,\n]/g;
    rest.lastIndex = start;
    const end = rest.exec(text)?.index ?? text.length;
    return { text: text.slice(start, end).replace(/\r$/, ""), end };
  }
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw new CsvError("a quoted cell does not end", line);
    if (text[quote + 1] === '"') {
      at = quote + 2;
      continue;
    }
    const end = text[quote + 1] === "\r" ? quote + 2 : quote + 1;
    if (end < text.length && text[end] !== "," && text[end] !== "\n")
      throw new CsvError("text follows a quoted cell", line);
    return { text: text.slice(start + 1, quote).replaceAll('""', '"'), end };
  }
}
