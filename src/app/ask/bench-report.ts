import { loadText, type BenchResult } from "./bench.ts";
import { PERCENTILES, type Measured, type PercentileName } from "./measure.ts";

const WIDTH = 640;
const HEIGHT = 220;
const MARGIN = 44;
const NAMES = Object.keys(PERCENTILES) as readonly PercentileName[]; // keys of our own table

/** A page with the table and the plots of a measurement; it needs nothing beside itself. */
export function benchReport({ model, protocol, runs, best, proposal }: BenchResult): string {
  const rows = runs.map((run) => {
    const cells = NAMES.map((name) => `<td>${run.percentiles[name].toFixed(2)}</td>`).join("");
    const mark = run === best ? ' class="best"' : "";
    return `<tr${mark}><th>${loadText(run.load)}</th><td>${run.requestsPerSecond.toFixed(0)}</td>${cells}<td>${run.failures}</td></tr>`;
  });
  const loads = runs.map(({ load }) => loadText(load).replace(/ .*/, ""));
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(model)} under load</title>
<style>
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:760px;margin:32px auto;padding:0 16px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{padding:4px 10px;border-bottom:1px solid #8886;text-align:right}
th:first-child{text-align:left}.best{font-weight:700}svg{width:100%;height:auto}path{fill:none;stroke:#0f8299;stroke-width:2}
.p1{stroke:#b4641a}.p2{stroke:#8a3d8f}text{font-size:11px;fill:currentColor}line{stroke:#8886}
</style>
<h1>${escaped(model)}</h1><p>Over ${protocol}. Times in ms.</p>
<table><tr><th>load</th><th>requests/s</th>${NAMES.map((name) => `<th>${name}</th>`).join("")}<th>failed</th></tr>
${rows.join("\n")}</table>
${runs.length > 1 ? plot("requests/s by connections", [runs.map((run) => run.requestsPerSecond)], loads) : ""}
${runs.length > 1 ? plot("p50, p95 and p99 by connections, ms", quantileLines(runs), loads) : ""}
${runs.map((run) => plot(`latency by share of requests, ${loadText(run.load)}, ms`, [curve(run)], ["0 %", "50 %", "100 %"])).join("\n")}
<h2>Proposed</h2><pre>server:
  workers: ${proposal.workers}
  maxBatch: ${proposal.maxBatch}</pre>
<ul>${proposal.reasons.map((reason) => `<li>${escaped(reason)}</li>`).join("")}</ul></html>
`;
}

function quantileLines(runs: readonly Measured[]): readonly (readonly number[])[] {
  return (["p50", "p95", "p99"] as const).map((name) => runs.map((run) => run.percentiles[name]));
}

const CURVE_POINTS = 100;

function curve({ latencies }: Measured): readonly number[] {
  return Array.from(
    { length: CURVE_POINTS + 1 },
    (_, at) => latencies[Math.floor((at / CURVE_POINTS) * (latencies.length - 1))] ?? 0,
  );
}

function plot(
  title: string,
  lines: readonly (readonly number[])[],
  marks: readonly string[],
): string {
  const top = Math.max(...lines.flat(), 1e-9);
  const x = (at: number, count: number): number =>
    MARGIN + ((WIDTH - 2 * MARGIN) * at) / Math.max(1, count - 1);
  const y = (value: number): number => HEIGHT - MARGIN - ((HEIGHT - 2 * MARGIN) * value) / top;
  const paths = lines.map((line, at) => {
    const points = line.map(
      (value, index) => `${x(index, line.length).toFixed(1)} ${y(value).toFixed(1)}`,
    );
    return `<path class="p${at}" d="M${points.join("L")}"/>`;
  });
  const labels = marks.map(
    (mark, at) =>
      `<text x="${x(at, marks.length).toFixed(1)}" y="${HEIGHT - MARGIN + 18}" text-anchor="middle">${escaped(mark)}</text>`,
  );
  return `<h2>${escaped(title)}</h2><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}"><line x1="${MARGIN}" x2="${WIDTH - MARGIN}" y1="${HEIGHT - MARGIN}" y2="${HEIGHT - MARGIN}"/><text x="${MARGIN - 6}" y="${MARGIN + 4}" text-anchor="end">${top.toPrecision(3)}</text>${paths.join("")}${labels.join("")}</svg>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
