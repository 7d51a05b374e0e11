import type { NamedTensor } from "../../plane/index.ts";
import { arrayText, byteItemTexts, nestTexts, stringText, tensorText } from "../json/index.ts";
import { requestInvalid, shortName } from "../request-errors.ts";
import type { PredictCall } from "./read-predict.ts";

/**
 * An answer in JSON, in ASCII. By rows: `{"predictions": [row, …]}`, a row being the value of the only output or an object with all;
 * by columns: `{"outputs": tensor}`, or an object with all by name. NaN and the infinities are bare words.
 * @throws InferenceError `REQUEST_INVALID` for outputs that have no rows, or are bytes that JSON cannot carry
 * @see TensorFlow Serving's api_rest.md
 */
export function writePredictions(
  form: PredictCall["form"],
  outputs: readonly NamedTensor[],
): Buffer {
  if (form === "rows") checkRows(outputs);
  const [only] = outputs;
  const key = form === "rows" ? '{"predictions":' : '{"outputs":';
  const parts: (string | Buffer)[] = [key];
  if (outputs.length === 1 && only !== undefined) parts.push(tensorText(only));
  else if (form === "columns") writeMembers(parts, outputs.map(wholeOf));
  else writeRows(parts, outputs);
  parts.push("}");
  return Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)),
  );
}

type Text = string | Buffer;
type Member = readonly [name: string, text: Text];

function wholeOf(tensor: NamedTensor): Member {
  return [tensor.name, tensorText(tensor)];
}

function writeMembers(parts: Text[], members: readonly Member[]): void {
  members.forEach(([name, text], at) =>
    parts.push(`${at === 0 ? "{" : ","}${stringText(name, true)}:`, text),
  );
  parts.push(members.length === 0 ? "{}" : "}");
}

function writeRows(parts: Text[], outputs: readonly NamedTensor[]): void {
  const rowTexts = outputs.map((tensor) => ({ name: tensor.name, textAt: rowsOf(tensor) }));
  const rows = outputs[0]?.shape[0] ?? 0;
  parts.push("[");
  for (let row = 0; row < rows; row += 1) {
    if (row > 0) parts.push(",");
    writeMembers(
      parts,
      rowTexts.map(({ name, textAt }) => [name, textAt(row)]),
    );
  }
  parts.push("]");
}

/** The text of each row of a tensor of one axis at least. */
function rowsOf(tensor: NamedTensor): (row: number) => Text {
  const { shape, data, datatype } = tensor;
  const [rows = 0, ...inner] = shape;
  if (datatype === "BYTES") {
    const texts = byteItemTexts(tensor);
    const size = rows === 0 ? 0 : texts.length / rows;
    return (row) => nestTexts(inner, texts.slice(row * size, (row + 1) * size));
  }
  const size = rows === 0 ? 0 : data.byteLength / rows;
  return (row) =>
    arrayText(
      { ...tensor, shape: inner, data: data.subarray(row * size, (row + 1) * size) },
      "nested",
      true,
    );
}

function checkRows(outputs: readonly NamedTensor[]): void {
  const [rows] = outputs[0]?.shape ?? [];
  for (const { name, shape } of outputs)
    if (shape[0] === undefined || shape[0] !== rows)
      throw requestInvalid(
        `the output "${shortName(name)}" has ${shape[0] === undefined ? "no rows" : `${shape[0]} rows, and the first output has ${rows}`}, so there is no answer by instances`,
        "send inputs in place of instances",
      );
}
