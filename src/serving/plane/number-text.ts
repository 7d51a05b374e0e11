/** A double as Python's `repr` and `json` write it, NaN and the infinities as JSON words. */
export function pythonFloat(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e16) return Object.is(value, -0) ? "-0.0" : `${value}.0`;
  if (size >= 1e-4 && size < 1e16) return String(value);
  if (value === 0 || !Number.isFinite(value)) return String(value);
  return pythonExponent(value);
}

/** Python writes an exponent below 1e-4 and from 1e16 on, with two digits at least. */
function pythonExponent(value: number): string {
  const [mantissa = "", exponent = ""] = value.toExponential().split("e");
  const sign = exponent.startsWith("-") ? "-" : "+";
  return `${mantissa}e${sign}${exponent.slice(1).padStart(2, "0")}`;
}

/** The text of an integer as Python would write it: only `-0` changes. */
export function pythonInteger(text: string): string {
  return text === "-0" ? "0" : text;
}
