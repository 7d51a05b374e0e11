const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `16 KiB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value >= 100 || power === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[power] ?? "B"}`;
}

/** `0.84 ms`, `12 ms`, `1.3 s`. */
export function formatMs(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms >= 10 ? Math.round(ms) : ms >= 1 ? ms.toFixed(1) : ms.toFixed(2)} ms`;
}

/** A number with few digits. */
export function formatNumber(value: number): string {
  if (value === 0) return "0";
  return value >= 100
    ? String(Math.round(value))
    : value >= 10
      ? value.toFixed(1)
      : value.toFixed(2);
}

/** A value of an answer, as short as it can be told. */
export function formatValue(value: string | number | boolean | null): string {
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(6)));
}
