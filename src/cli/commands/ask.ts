import {
  bench,
  benchReport,
  makeClient,
  predict,
  type BenchResult,
  type Measured,
  type Prediction,
} from "../../app/index.ts";
import { predictionRows, rowCells } from "../../app/shown/index.ts";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
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

/** `slipway client`. */
export const printClient: Run<"client"> = async (request, { session, reporter }) => {
  const { text, models } = await makeClient(request, session);
  if (request.file === undefined)
    for (const line of text.trimEnd().split("\n")) reporter.line(line);
  reporter.result({ models, ...(request.file === undefined ? { text } : { file: request.file }) });
};

/** `slipway bench`. */
export const measureModel: Run<"bench"> = async ({ report, ...request }, { session, reporter }) => {
  const result = await bench(request, session);
  const { runs, best, proposal } = result;
  const heading = ["load", "requests/s", "p50", "p90", "p95", "p99", "max", "failed"];
  const lines = formatTable([heading, ...runs.map(measuredCells)], [1, 2, 3, 4, 5, 6, 7]);
  for (const line of lines) reporter.line(line);
  reporter.line("");
  reporter.line(`best: ${best === undefined ? "none within the limit" : loadWords(best)}`);
  reporter.line(`workers: ${proposal.workers}`);
  reporter.line(`maxBatch: ${proposal.maxBatch}`);
  for (const reason of proposal.reasons) reporter.line(`  ${reason}`);
  if (report !== undefined) {
    await writeFile(resolve(session.cwd, report), await benchReport(result));
    reporter.line(`report: ${report}`);
  }
  reporter.result(benchData(result));
};

function loadWords({ load }: Measured): string {
  if (load.kind === "open") return `${load.requestsPerSecond} requests/s`;
  return `${load.connections} connection${load.connections === 1 ? "" : "s"}`;
}

function measuredCells(run: Measured): readonly string[] {
  const times = Object.values(run.percentiles).map((ms) => `${ms.toFixed(2)}`);
  return [loadWords(run), run.requestsPerSecond.toFixed(0), ...times, String(run.failures)];
}

function benchData({ runs, best, ...others }: BenchResult): Readonly<Record<string, unknown>> {
  const withoutTimes = (run: Measured): unknown => ({ ...run, latencies: undefined });
  return {
    ...others,
    runs: runs.map(withoutTimes),
    best: best === undefined ? undefined : withoutTimes(best),
  };
}
