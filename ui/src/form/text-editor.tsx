import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { TensorSpec } from "../server.ts";
import {
  nested,
  parseCsv,
  parseJsonValue,
  parseLines,
  elementsIn,
  ValueError,
} from "../../../src/serving/calls/index.ts";
import { useWords } from "../words.ts";
import type { EditorProps, FieldState } from "./field.ts";

export type TextForm = "text" | "csv" | "json";

const PARSERS = { text: parseLines, csv: parseCsv, json: parseJsonValue };
/** Values that an example in JSON has at the most; a larger one is nothing to be edited by hand. */
const MAX_EXAMPLE = 2000;

/** Values as text: lines, a table, or JSON. */
export function TextEditor({
  spec,
  form,
  onChange,
}: EditorProps & { readonly form: TextForm }): JSX.Element {
  const words = useWords();
  const [text, setText] = useState(() => (form === "json" ? exampleText(spec) : ""));
  useEffect(() => onChange(read(spec, form, text)), [text]);
  const hint = { text: words.textHint, csv: words.csvHint, json: words.jsonHint }[form];
  return (
    <label class="long">
      <span class="quiet">{hint}</span>
      <textarea
        rows={form === "text" ? 4 : 8}
        value={text}
        spellcheck={form === "text"}
        aria-label={spec.name}
        placeholder={form === "csv" ? "5.1, 3.5, 1.4, 0.2\n6.2, 2.9, 4.3, 1.3" : ""}
        onInput={(event) => setText(event.currentTarget.value)}
      />
    </label>
  );
}

function exampleText({ shape, datatype }: TensorSpec): string {
  const sizes = shape.map((size) => (size < 0 ? 1 : size));
  const count = elementsIn(sizes);
  if (count > MAX_EXAMPLE) return "";
  const zero = datatype === "BYTES" ? '""' : datatype === "BOOL" ? "false" : "0";
  return nested(
    sizes,
    Array.from({ length: count }, () => zero),
  );
}

function read(spec: TensorSpec, form: TextForm, text: string): FieldState {
  if (text.trim() === "") return {};
  try {
    return { value: PARSERS[form](spec, text) };
  } catch (error) {
    if (error instanceof ValueError) return { problem: error.message };
    throw error;
  }
}
