const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;

/**
 * Reads a duration as Go writes it, such as `1m30s` or `500ms`. @returns nanoseconds, or `undefined` for a text that is none.
 * @see https://pkg.go.dev/time#ParseDuration
 */
export function parseDuration(text: string): number | undefined {
  const [, sign = "", body = ""] = /^([-+]?)(.*)$/s.exec(text) ?? [];
  if (body === "0") return 0;
  PART.lastIndex = 0;
  let total = 0;
  let end = 0;
  for (let match = PART.exec(body); match !== null; match = PART.exec(body)) {
    total += Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0);
    end = PART.lastIndex;
  }
  const rounded = Math.round(total);
  if (end === 0 || end !== body.length || !Number.isSafeInteger(rounded)) return undefined;
  return sign === "-" ? -rounded : rounded;
}
