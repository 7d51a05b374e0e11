import type { JSX } from "preact";
import { formatNumber } from "../format.ts";

const WIDTH = 240;
const HEIGHT = 56;
const POINTS = 60;

/** A number and how it came there. */
export function Chart({
  title,
  value,
  unit,
  lines,
  note,
  isFailing = false,
}: {
  readonly title: string;
  readonly value: string;
  readonly unit: string;
  /** Oldest first; undefined leaves a gap. The last two minutes at the most. */
  readonly lines: readonly (readonly (number | undefined)[])[];
  readonly note: string;
  readonly isFailing?: boolean;
}): JSX.Element {
  const highest = Math.max(0, ...lines.flat().filter((one) => one !== undefined));
  const top = niceTop(highest);
  return (
    <figure class={isFailing ? "chart chart-failing" : "chart"}>
      <figcaption>{title}</figcaption>
      <p class="chart-value">
        <strong>{value}</strong> <span class="quiet">{unit}</span>
      </p>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <line class="axis" x1="0" y1={HEIGHT - 0.5} x2={WIDTH} y2={HEIGHT - 0.5} />
        <line class="axis axis-top" x1="0" y1="0.5" x2={WIDTH} y2="0.5" />
        {lines.map((line, at) => (
          <path key={at} class={`line line-${at}`} d={pathOf(line, top)} />
        ))}
      </svg>
      <p class="chart-note quiet">
        <span>{note}</span>
        {highest > 0 && <span class="chart-top">{`↑ ${formatNumber(top)}`}</span>}
      </p>
    </figure>
  );
}

/** 1, 2 or 5 times a power of ten. */
function niceTop(highest: number): number {
  if (highest <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  const factor = [1, 2, 5, 10].find((one) => one * power >= highest) ?? 10;
  return factor * power;
}

/** The newest point stands at the right edge. */
function pathOf(line: readonly (number | undefined)[], top: number): string {
  const step = WIDTH / (POINTS - 1);
  let isDrawing = false;
  return line
    .map((value, at) => {
      if (value === undefined) {
        isDrawing = false;
        return "";
      }
      const x = WIDTH - (line.length - 1 - at) * step;
      const y = HEIGHT - 1 - (value / top) * (HEIGHT - 4);
      const alone = line[at + 1] === undefined && !isDrawing;
      const command = `${isDrawing ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}${alone ? "h0.01" : ""}`;
      isDrawing = true;
      return command;
    })
    .join("");
}
