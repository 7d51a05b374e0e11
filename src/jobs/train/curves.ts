import { stripControls } from "../../ground/errors/index.ts";
import type { MetricPoint } from "./metrics.ts";

/** What is known of one metric. */
export interface Curve {
  readonly name: string;
  /** In the order in which they came. At most `MAX_POINTS`: beyond that every second one is let go, never the newest. */
  readonly points: readonly { readonly step: number; readonly value: number }[];
  readonly count: number;
}

/** Gathers metrics into curves. */
export interface CurveBook {
  add(points: readonly MetricPoint[]): void;
  /** In the order in which the metrics first came. */
  curves(): readonly Curve[];
}

const MAX_POINTS = 4096;
const MAX_CURVES = 64;

/** An empty book; memory does not grow with the length of training. */
export function createCurveBook(): CurveBook {
  const book = new Map<string, { points: { step: number; value: number }[]; count: number }>();
  return {
    add(points) {
      for (const { name, step, value } of points) {
        const curve = book.get(name) ?? { points: [], count: 0 };
        if (!book.has(name) && book.size >= MAX_CURVES) continue;
        book.set(name, curve);
        curve.points.push({ step, value });
        curve.count += 1;
        if (curve.points.length > MAX_POINTS)
          curve.points = curve.points.filter(
            (_, index) => index % 2 === 0 || index === curve.points.length - 1,
          );
      }
    },
    curves: () => [...book].map(([name, { points, count }]) => ({ name, points, count })),
  };
}

const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/** A curve as lines of Braille dots, with its name, first, last and extreme values. */
export function drawCurve(
  curve: Curve,
  size: { readonly columns: number; readonly rows: number },
): readonly string[] {
  const columns = Math.max(8, size.columns);
  const cells = Array.from({ length: size.rows }, () => new Uint8Array(columns));
  const [lowest, highest] = rangeOf(curve);
  const [first, last] = stepsOf(curve);
  for (const { step, value } of curve.points) {
    const x = Math.round(((step - first) / (last - first || 1)) * (columns * 2 - 1));
    const y = Math.round((1 - (value - lowest) / (highest - lowest || 1)) * (size.rows * 4 - 1));
    const row = cells[Math.floor(y / 4)];
    const dot = DOTS[y % 4]?.[x % 2] ?? 0;
    if (row !== undefined) row[x >> 1] = (row[x >> 1] ?? 0) | dot;
  }
  const newest = curve.points.at(-1)?.value ?? Number.NaN;
  const title = `${curve.name} ${formatValue(newest)} (from ${formatValue(curve.points[0]?.value ?? Number.NaN)}, ${formatValue(lowest)} to ${formatValue(highest)}, step ${last})`;
  return [
    stripControls(title).slice(0, columns),
    ...cells.map((row) => String.fromCodePoint(...[...row].map((bits) => 0x2800 + bits))),
  ];
}

const PANEL = { width: 640, height: 200, left: 70, top: 34, right: 20, bottom: 26 } as const;

/** All curves below each other as one SVG picture, without scripts or anything from outside. */
export function curvesToSvg(curves: readonly Curve[], title: string): string {
  const height = curves.length * PANEL.height + 30;
  const panels = curves.map(
    (curve, index) =>
      `<g transform="translate(0 ${30 + index * PANEL.height})">${panelOf(curve)}</g>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${PANEL.width}" height="${height}" viewBox="0 0 ${PANEL.width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/><text x="12" y="20" font-size="14">${escapeXml(title)}</text>`,
    ...panels,
    "</svg>",
    "",
  ].join("\n");
}

function panelOf(curve: Curve): string {
  const [lowest, highest] = rangeOf(curve);
  const [first, last] = stepsOf(curve);
  const [width, height] = [
    PANEL.width - PANEL.left - PANEL.right,
    PANEL.height - PANEL.top - PANEL.bottom,
  ];
  const place = ({ step, value }: Curve["points"][number]): string =>
    `${round(PANEL.left + ((step - first) / (last - first || 1)) * width)},${round(PANEL.top + (1 - (value - lowest) / (highest - lowest || 1)) * height)}`;
  const label = (at: readonly [number, number], text: string, anchor: string): string =>
    `<text x="${at[0]}" y="${at[1]}" fill="#555" text-anchor="${anchor}">${text}</text>`;
  const [bottom, right] = [PANEL.top + height, PANEL.left + width];
  return [
    `<text x="${PANEL.left}" y="22">${escapeXml(curve.name)}: ${formatValue(curve.points.at(-1)?.value ?? Number.NaN)}</text>`,
    `<path d="M${PANEL.left} ${PANEL.top}V${bottom}H${right}" fill="none" stroke="#999"/>`,
    label([PANEL.left - 6, PANEL.top + 10], formatValue(highest), "end"),
    label([PANEL.left - 6, bottom], formatValue(lowest), "end"),
    label([PANEL.left, bottom + 16], String(first), "start"),
    label([right, bottom + 16], String(last), "end"),
    curve.points.length === 1
      ? `<circle cx="${place(curve.points[0] ?? { step: 0, value: 0 }).replace(",", '" cy="')}" r="2.5" fill="#2563eb"/>`
      : `<polyline points="${curve.points.map(place).join(" ")}" fill="none" stroke="#2563eb" stroke-width="1.5"/>`,
  ].join("");
}

function rangeOf({ points }: Curve): readonly [number, number] {
  return points.reduce(
    ([low, high], { value }) => [Math.min(low, value), Math.max(high, value)] as const,
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const,
  );
}

function stepsOf({ points }: Curve): readonly [number, number] {
  return points.reduce(
    ([low, high], { step }) => [Math.min(low, step), Math.max(high, step)] as const,
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const,
  );
}

/** Four digits that matter. */
function formatValue(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "?";
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  // Control characters have no place in XML, whatever a program calls its metrics.
  return text
    .replaceAll(/\p{Cc}/gu, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
