/** How JSON text of user values looks; the same settings as those of the Python worker. */
export interface TextStyle {
  readonly sortKeys: boolean;
  readonly asciiOnly: boolean;
}

/**
 * A JavaScript value as JSON text: compact, NaN and the infinities as bare words, dates as `toJSON` has them, bigints as digits, typed
 * arrays as lists. `undefined` and functions are left out of objects and are null in lists.
 * @throws TypeError for a value that contains itself
 */
export function jsonText(value: unknown, style: TextStyle): string {
  return valueText(value, style, []) ?? "null";
}

function valueText(
  value: unknown,
  style: TextStyle,
  parents: readonly unknown[],
): string | undefined {
  if (typeof value === "string") return stringText(value, style);
  if (typeof value === "number") return Object.is(value, -0) ? "-0.0" : String(value);
  if (typeof value === "bigint" || typeof value === "boolean" || value === null)
    return String(value);
  return typeof value === "object" ? objectText(value, style, parents) : undefined;
}

function objectText(
  value: object,
  style: TextStyle,
  parents: readonly unknown[],
): string | undefined {
  if (parents.includes(value)) throw new TypeError("Circular reference detected");
  const inside = [...parents, value];
  if ("toJSON" in value && typeof value.toJSON === "function")
    return valueText((value.toJSON as () => unknown)(), style, inside); // of user code
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return valueText(Array.from(value as unknown as ArrayLike<unknown>), style, inside); // every view but DataView is a typed array
  if (Array.isArray(value))
    return `[${value.map((item) => valueText(item, style, inside) ?? "null").join(",")}]`;
  if (!(value instanceof Map) && Symbol.iterator in value)
    return valueText(Array.from(value as Iterable<unknown>), style, inside); // a Set, a generator
  const entries: (readonly [string, unknown])[] =
    value instanceof Map
      ? [...value].map(([key, item]) => [String(key), item])
      : Object.entries(value);
  if (style.sortKeys) entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const members = entries.flatMap(([key, item]) => {
    const text = valueText(item, style, inside);
    return text === undefined ? [] : [`${stringText(key, style)}:${text}`];
  });
  return `{${members.join(",")}}`;
}

function stringText(value: string, { asciiOnly }: TextStyle): string {
  const text = JSON.stringify(value);
  return asciiOnly
    ? text.replaceAll(
        /[\u007f-\uffff]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
      )
    : text;
}
