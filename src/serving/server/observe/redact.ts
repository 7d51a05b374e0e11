/** Puts `"[redacted]"` in place of the values of these keys, wherever they stand in JSON. `keys` are in lower case. */
export function redact(value: unknown, keys: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => redact(item, keys));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      keys.has(key.toLowerCase()) ? "[redacted]" : redact(item, keys),
    ]),
  );
}
