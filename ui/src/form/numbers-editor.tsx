import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { literalOf, columnsOf, ValueError } from "../../../src/serving/calls/index.ts";
import { useWords } from "../words.ts";
import type { EditorProps, FieldState } from "./field.ts";

const MAX_ROWS = 100;

/** A small table of numbers, typed one by one. */
export function NumbersEditor({ spec, onChange }: EditorProps): JSX.Element {
  const words = useWords();
  const columns = columnsOf(spec) ?? 1;
  const isTable = spec.shape.length === 2;
  const fixedRows = isTable && (spec.shape[0] ?? -1) > 0 ? spec.shape[0] : undefined;
  const [rows, setRows] = useState<readonly (readonly string[])[]>(() =>
    Array.from({ length: fixedRows ?? 1 }, () => emptyRow(columns)),
  );
  useEffect(() => onChange(read(spec, rows)), [rows]);
  const type = (row: number, column: number, text: string): void =>
    setRows((all) =>
      all.map((cells, at) =>
        at === row ? cells.map((cell, index) => (index === column ? text : cell)) : cells,
      ),
    );
  return (
    <>
      <div class="scroll">
        {rows.map((cells, row) => (
          <div class="cells" data-columns={columns} key={row}>
            {cells.map((cell, column) => (
              <input
                key={column}
                type="text"
                inputMode="decimal"
                autocomplete="off"
                spellcheck={false}
                value={cell}
                aria-label={`${spec.name}, ${words.rowOf(row + 1, column + 1)}`}
                onInput={(event) => type(row, column, event.currentTarget.value)}
                onFocus={(event) => event.currentTarget.select()}
              />
            ))}
          </div>
        ))}
      </div>
      {isTable && fixedRows === undefined && (
        <div class="row-buttons">
          <button
            type="button"
            class="small"
            disabled={rows.length >= MAX_ROWS}
            onClick={() => setRows((all) => [...all, emptyRow(columns)])}
          >
            {words.addRow}
          </button>
          {rows.length > 1 && (
            <button type="button" class="small" onClick={() => setRows((all) => all.slice(0, -1))}>
              {words.removeRow}
            </button>
          )}
        </div>
      )}
    </>
  );
}

function emptyRow(columns: number): readonly string[] {
  return Array.from({ length: columns }, () => "0");
}

function read(spec: EditorProps["spec"], rows: readonly (readonly string[])[]): FieldState {
  try {
    const literals = rows.flat().map((cell) => literalOf(cell, spec.datatype));
    const shape =
      spec.shape.length === 2
        ? [rows.length, rows[0]?.length ?? 0]
        : spec.shape.length === 1
          ? [literals.length]
          : [];
    return { value: { name: spec.name, datatype: spec.datatype, shape, literals } };
  } catch (error) {
    if (error instanceof ValueError) return { problem: error.message };
    throw error;
  }
}
