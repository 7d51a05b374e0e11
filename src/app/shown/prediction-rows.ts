import { classShares, type OutputTensor, type Value } from "../../serving/calls/index.ts";

/** A value of an output, or lists of them. */
type RowValue = Value | readonly RowValue[];

/** What came back for one row, by the names of the outputs. */
export type PredictionRow = Readonly<Record<string, RowValue>>;

/** What an answer holds, and for how many rows it was asked. */
interface Answered {
  readonly outputs?: readonly OutputTensor[];
  readonly rows: number;
}

/** The rows of an answer: one for each that was asked for where every output has them, else one. None for an answer that is no tensors. */
export function predictionRows({ outputs, rows }: Answered): readonly PredictionRow[] {
  if (outputs === undefined) return [];
  const [first] = outputs;
  const count = first?.shape[0] ?? 0;
  const isByRow =
    count > 0 && (rows === 1 || count === rows) && outputs.every(({ shape }) => shape[0] === count);
  if (!isByRow) return [Object.fromEntries(outputs.map((one) => [one.name, nestedValues(one)]))];
  const columns = outputs.map((one) => [one.name, nestedValues(one)] as const);
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(
      columns.map(([name, values]) => [
        name,
        Array.isArray(values) ? (values[row] ?? null) : values,
      ]),
    ),
  );
}

function nestedValues({ shape, values }: OutputTensor): RowValue {
  const [size, ...rest] = shape;
  if (size === undefined) return values[0] ?? null;
  if (rest.length === 0) return values;
  const step = rest.reduce((product, one) => product * one, 1);
  return Array.from({ length: size }, (_, at) =>
    nestedValues({
      ...{ name: "", datatype: "", shape: rest },
      values: values.slice(at * step, (at + 1) * step),
    }),
  );
}

const MAX_VALUES = 8;
const DIGITS = 6;

/** A row as cells for a table: short lists as they are, shares of classes as the best one, long ones by their size. */
export function rowCells(row: PredictionRow): readonly string[] {
  return Object.values(row).map(cellText);
}

function cellText(value: RowValue): string {
  if (!isList(value)) return numberText(value);
  const flat = flatValues(value);
  const best = classShares({
    name: "",
    datatype: "",
    shape: [1, flat.length],
    values: flat,
  })?.[0]?.[0];
  if (best !== undefined && flat.length > 2)
    return `${best.label} (${(100 * best.share).toFixed(1)} %)`;
  return flat.length <= MAX_VALUES
    ? `[${flat.map(numberText).join(", ")}]`
    : `[${flat.slice(0, MAX_VALUES).map(numberText).join(", ")}, … ${flat.length} values]`;
}

function flatValues(value: RowValue): readonly Value[] {
  return isList(value) ? value.flatMap(flatValues) : [value];
}

function isList(value: RowValue): value is readonly RowValue[] {
  return Array.isArray(value);
}

function numberText(value: Value): string {
  return typeof value === "number" && !Number.isInteger(value)
    ? String(Number(value.toPrecision(DIGITS)))
    : String(value);
}
