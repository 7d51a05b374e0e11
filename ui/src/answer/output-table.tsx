import type { JSX } from "preact";
import type { OutputTensor } from "../../../src/serving/calls/index.ts";
import { formatValue } from "../format.ts";
import { useWords } from "../words.ts";

const MAX_ROWS = 100;
const MAX_COLUMNS = 50;

/** Values of a single row that stand side by side at the most; more stand below each other. */
const MAX_ACROSS = 8;

function rowsOf({ shape, values }: OutputTensor): number {
  const rows = shape.length === 0 ? 1 : (shape[0] ?? 0);
  return rows === 1 && values.length > MAX_ACROSS ? values.length : rows;
}

/** An output row by row; axes behind the first one lie in one line. */
export function OutputTable({ tensor }: { readonly tensor: OutputTensor }): JSX.Element {
  const words = useWords();
  const { name, datatype, shape, values } = tensor;
  const rowCount = rowsOf(tensor);
  const width = rowCount === 0 ? 0 : values.length / rowCount;
  const columns = Math.min(width, MAX_COLUMNS);
  const shown = Math.min(rowCount, MAX_ROWS);
  const left = values.length - shown * columns;
  return (
    <div class="output">
      <h3>
        {name} <code>{`${datatype} ${shape.join(" × ")}`}</code>
      </h3>
      <div class="scroll" tabIndex={0} role="group" aria-label={name}>
        <table class="values">
          {columns > 1 && (
            <thead>
              <tr>
                <th scope="col">
                  <span class="hidden">{words.row}</span>
                </th>
                {Array.from({ length: columns }, (_, column) => (
                  <th scope="col" key={column}>
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
          )}
          <tbody>
            {Array.from({ length: shown }, (_, row) => (
              <tr key={row}>
                <th scope="row">{row}</th>
                {values.slice(row * width, row * width + columns).map((value, column) => (
                  <td key={column} class={typeof value === "number" ? "number" : ""}>
                    {formatValue(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {left > 0 && <p class="quiet">{words.more(left)}</p>}
    </div>
  );
}
