import type { ProtocolName } from "./build-call.ts";

export type Value = string | number | boolean | null;

/** An output as it is shown: values row by row. Integers that a double cannot hold are text. */
export interface OutputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly values: readonly Value[];
}

/** Parses JSON; integers beyond 2⁵³ become their own text where the browser lets us see it. */
function parseExact(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
    typeof value === "number" &&
    !Number.isSafeInteger(value) &&
    /^-?\d{16,}$/.test(context?.source ?? "")
      ? context?.source
      : value,
  );
}

/** The tensors in an answer; undefined for an answer that is something else, which is shown as it is. */
export function readTensors(
  protocol: ProtocolName,
  text: string,
): readonly OutputTensor[] | undefined {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch {
    return undefined; // text, or whatever user code gives
  }
  switch (protocol) {
    case "v2":
      return readV2(value);
    case "v1":
      return readV1(value);
    case "seldon":
      return readSeldon(value);
    case "model-server":
      return namedOf(member(value, "outputs"));
    case "service":
      return namedOf(value);
  }
}

function member(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined),
    value,
  );
}

function readV2(value: unknown): readonly OutputTensor[] | undefined {
  const outputs = member(value, "outputs");
  if (!Array.isArray(outputs)) return undefined;
  return outputs.map((output: unknown) => ({
    name: String(member(output, "name")),
    datatype: String(member(output, "datatype")),
    shape: numbersIn(member(output, "shape")),
    values: valuesIn(member(output, "data")),
  }));
}

function readV1(value: unknown): readonly OutputTensor[] | undefined {
  const outputs = member(value, "outputs");
  if (outputs !== undefined) return namedOf(outputs);
  const predictions = member(value, "predictions");
  const [first] = Array.isArray(predictions) ? (predictions as readonly unknown[]) : [];
  if (!isRecord(first) || !Array.isArray(predictions)) return namedOf(predictions);
  return compact(
    Object.keys(first).map((name) =>
      outputTensor(
        name,
        predictions.map((row: unknown) => member(row, name)),
      ),
    ),
  );
}

function readSeldon(value: unknown): readonly OutputTensor[] | undefined {
  const text = member(value, "strData");
  if (typeof text === "string") return compact([outputTensor("strData", [text])]);
  const shape = member(value, "data", "tensor", "shape");
  if (Array.isArray(shape)) {
    const values = valuesIn(member(value, "data", "tensor", "values"));
    return [{ name: "data", datatype: kindOf(values), shape: numbersIn(shape), values }];
  }
  const rows = member(value, "data", "ndarray");
  return rows === undefined ? namedOf(member(value, "jsonData")) : namedOf(rows);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object of lists, or one list. */
function namedOf(value: unknown): readonly OutputTensor[] | undefined {
  return isRecord(value)
    ? compact(Object.entries(value).map(([name, one]) => outputTensor(name, one)))
    : compact([outputTensor("output", value)]);
}

function compact(
  tensors: readonly (OutputTensor | undefined)[],
): readonly OutputTensor[] | undefined {
  const found = tensors.filter((tensor) => tensor !== undefined);
  return found.length > 0 && found.length === tensors.length ? found : undefined;
}

/** Nested lists that fill their shape; undefined for ragged ones and for objects. */
function outputTensor(name: string, value: unknown): OutputTensor | undefined {
  const shape: number[] = [];
  for (let at = value; Array.isArray(at); at = at[0] as unknown) shape.push(at.length);
  const values = valuesIn(Array.isArray(value) ? value : [value]);
  const count = shape.reduce((product, size) => product * size, 1);
  return values.length === count && value !== undefined
    ? { name, datatype: kindOf(values), shape, values }
    : undefined;
}

function kindOf(values: readonly Value[]): string {
  const [first] = values;
  return typeof first === "number" ? "number" : typeof first === "boolean" ? "boolean" : "text";
}

function numbersIn(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}

/** Values at any depth; others than text, numbers and booleans make the list empty. */
function valuesIn(value: unknown): readonly Value[] {
  const flat: readonly unknown[] = Array.isArray(value) ? value.flat(Infinity) : [];
  return flat.every(isValue) ? flat : [];
}

function isValue(value: unknown): value is Value {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}
