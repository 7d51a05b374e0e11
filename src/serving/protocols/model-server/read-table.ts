import { CsvError, numberOf, parseCsv, type CsvTable } from "../../../models/inputs/index.ts";
import { bytesOf, type TensorSpec } from "../../../models/tensor/index.ts";
import { packItems, type NamedTensor, type PredictorFacts } from "../../plane/index.ts";
import { requestInvalid, shortName, tensorInvalid } from "../request-errors.ts";
import { specsOf } from "./question.ts";

/** What the only input is called where the model does not say it. */
const UNNAMED = "input";
const encoder = new TextEncoder();

/**
 * Tensors of comma-separated values. A header that has the names of all inputs makes each column an input; else the rows are those of the
 * only input.
 * @throws InferenceError `REQUEST_INVALID` for what is no table; `TENSOR_INVALID` for a cell that its input cannot hold
 */
export function tensorsOfCsv(text: string, facts: PredictorFacts): readonly NamedTensor[] {
  const table = tableOf(text);
  const specs = specsOf(facts) ?? [{ name: UNNAMED, datatype: "FP64" as const, shape: [-1, -1] }];
  const { header } = table;
  if (header !== undefined && specs.every(({ name }) => header.includes(name)))
    return specs.map((spec) => columnTensor(spec, table, header.indexOf(spec.name)));
  const [spec, ...others] = specs;
  if (spec === undefined || others.length > 0)
    throw requestInvalid(
      `a table of ${table.rows[0]?.length ?? 0} columns has to say which is for which input`,
      `give it a header with ${specs.map(({ name }) => `"${shortName(name)}"`).join(", ")}`,
    );
  return [columnTensorOf(spec, table.rows, [table.rows.length, table.rows[0]?.length ?? 0])];
}

/** A text for the only input that takes text. @throws InferenceError `REQUEST_INVALID` when there is none */
export function tensorOfText(text: string, facts: PredictorFacts): NamedTensor {
  const specs = specsOf(facts);
  const [spec = { name: UNNAMED, datatype: "BYTES", shape: [-1] }, ...others] = specs ?? [];
  if (spec.datatype !== "BYTES" || others.length > 0)
    throw requestInvalid(
      "it is text, and the model does not take one text",
      "send JSON, CSV with Content-Type: text/csv, or an image",
    );
  const shape = spec.shape.map(() => 1);
  return { name: spec.name, datatype: "BYTES", shape, data: packItems([encoder.encode(text)]) };
}

function tableOf(text: string): CsvTable {
  try {
    return parseCsv(text);
  } catch (error) {
    if (error instanceof CsvError)
      throw requestInvalid(`it is no CSV in row ${error.line}: ${error.message}`);
    throw error;
  }
}

/** A column as an input: of shape `[rows]`, or `[rows, 1]` where the input has two axes. */
function columnTensor(spec: TensorSpec, { rows }: CsvTable, column: number): NamedTensor {
  const cells = rows.map((row) => [row[column] ?? ""]);
  return columnTensorOf(spec, cells, spec.shape.length === 1 ? [rows.length] : [rows.length, 1]);
}

function columnTensorOf(
  { name, datatype }: TensorSpec,
  rows: readonly (readonly string[])[],
  shape: readonly number[],
): NamedTensor {
  const cells = rows.flat();
  if (datatype === "BYTES")
    return { name, datatype, shape, data: packItems(cells.map((cell) => encoder.encode(cell))) };
  const wrong = cells.findIndex((cell) => numberOf(cell) === undefined);
  if (wrong >= 0) {
    const width = rows[0]?.length ?? 1;
    throw tensorInvalid({
      tensor: name,
      why: `row ${Math.floor(wrong / width) + 1}, column ${(wrong % width) + 1} of the table is "${shortName(cells[wrong] ?? "")}", and a number is wanted`,
      expected: datatype,
      actual: "text",
    });
  }
  const values = Float64Array.from(cells, (cell) => numberOf(cell) ?? 0);
  return { name, datatype: "FP64", shape, data: bytesOf(values) };
}
