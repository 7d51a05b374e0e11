import { predict, predictionRows, rowCells, type Prediction } from "../../app/index.ts";
import type { Cli, Run } from "../cli.ts";
import { formatTable } from "../render/format.ts";

/** Rows whose columns are aligned together. */
const TABLE_ROWS = 1000;

/** `slipway predict`. */
export const askModel: Run<"predict"> = async (request, cli) => {
  const answers = predict(request, { session: cli.session, stdin: process.stdin });
  if (request.output === "table" && !cli.isJson) return printTable(answers, cli);
  const all: unknown[] = [];
  for await (const answer of answers) {
    const rows = predictionRows(answer);
    const told = rows.length === 0 ? [parsed(answer.text)] : rows;
    if (request.output === "ndjson") for (const row of told) cli.reporter.line(JSON.stringify(row));
    if (request.output !== "ndjson" || cli.isJson) all.push(...told);
  }
  if (request.output === "json") cli.reporter.line(JSON.stringify(all));
  cli.reporter.result({ predictions: all });
};

async function printTable(answers: AsyncIterable<Prediction>, { reporter }: Cli): Promise<void> {
  let rows: (readonly string[])[] = [];
  let isHeaded = false;
  const flush = (): void => {
    for (const line of formatTable(rows, [0])) reporter.line(line);
    rows = [];
  };
  for await (const answer of answers) {
    const found = predictionRows(answer);
    if (found.length === 0) reporter.line(answer.text.trimEnd());
    for (const [at, row] of found.entries()) {
      if (!isHeaded) rows.push(["row", ...Object.keys(row)]);
      isHeaded = true;
      rows.push([String(answer.firstRow + at), ...rowCells(row)]);
    }
    if (rows.length > TABLE_ROWS) flush();
  }
  flush();
}

/** An answer that is no tensors, as JSON where it is some. */
function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text; // whatever user code gives
  }
}
