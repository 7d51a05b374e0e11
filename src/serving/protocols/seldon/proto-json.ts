import { isList, isObject, JsonNumber, pythonFloat, type JsonNode } from "../json/index.ts";

/** A JSON value after a trip through protobuf's `Value`: every number is a double, and what JSON has no number for is text. */
export function throughValue(node: JsonNode): JsonNode {
  if (node instanceof JsonNumber) {
    const value = Number(node.text);
    return Number.isFinite(value)
      ? node.isFloat
        ? node
        : new JsonNumber(pythonFloat(value), true)
      : node.text;
  }
  if (isList(node)) return node.map(throughValue);
  return isObject(node)
    ? new Map([...node].map(([key, value]) => [key, throughValue(value)]))
    : node;
}

/** A number after a trip through a 32-bit float, with the fewest digits that tell it from its neighbours. */
export function throughFloat(value: number): JsonNumber {
  const single = Math.fround(value);
  for (let digits = 6; digits <= 9; digits += 1) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return new JsonNumber(pythonFloat(short), true);
  }
  return new JsonNumber(pythonFloat(single), true); // NaN and the infinities
}

/**
 * Metrics as protobuf's JSON form writes them: single precision values, and what has its default left out (the type COUNTER, the
 * value 0).
 */
export function metricsThroughProto(metrics: readonly JsonNode[]): readonly JsonNode[] {
  return metrics.map((metric) => {
    if (!isObject(metric)) return metric;
    const out = new Map<string, JsonNode>();
    for (const [key, value] of metric) {
      if (key === "value" && value instanceof JsonNumber) {
        if (Number(value.text) !== 0) out.set(key, throughFloat(Number(value.text)));
      } else if (
        !(key === "type" && value === "COUNTER") &&
        !(key === "tags" && isObject(value) && value.size === 0)
      )
        out.set(key, value);
    }
    return out;
  });
}
