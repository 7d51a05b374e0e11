/** What app says sizes and times with, so that both speak alike. */
export { formatBytes, formatDuration, shortDigest } from "../../app/index.ts";

const AGES = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
] as const;

/** How long ago something was, for people: `3 d`, `5 h`, `12 min`, `now`. */
export function formatAge(ms: number): string {
  const [unit, length] = AGES.find(([, size]) => ms >= size) ?? [];
  return unit === undefined ? "now" : `${Math.floor(ms / length)} ${unit}`;
}

/** Columns padded to their widest cell, two spaces apart; columns named in `right` are aligned to the right. */
export function formatTable(
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        right.includes(column)
          ? cell.padStart(widths[column] ?? 0)
          : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}
