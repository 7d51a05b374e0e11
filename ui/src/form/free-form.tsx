import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import {
  type CallInput,
  type ProtocolName,
  checkJson,
  parseCsv,
  parseJsonValue,
  parseLines,
  ValueError,
} from "../../../src/serving/calls/index.ts";
import type { FormState } from "../model-view.tsx";
import { Tabs } from "../parts/tabs.tsx";
import type { TensorSpec } from "../server.ts";
import { formatBytes } from "../format.ts";
import { useWords } from "../words.ts";
import { DropZone } from "./drop-zone.tsx";

const FORMS = ["json", "csv", "text", "file"] as const;
type Form = (typeof FORMS)[number];

/** For models that do not say what they take: whatever their class is made for. */
export function FreeForm({
  protocol,
  onChange,
}: {
  readonly protocol: ProtocolName;
  readonly onChange: (state: FormState) => void;
}): JSX.Element {
  const words = useWords();
  const forms = FORMS.filter((form) => (protocol === "service" ? form !== "csv" : form !== "file"));
  const [form, setForm] = useState<Form>(protocol === "service" ? "text" : "json");
  const [text, setText] = useState(protocol === "service" ? "" : "[[0, 0, 0]]");
  const [file, setFile] = useState<File>();
  useEffect(() => {
    if (form === "file")
      onChange(
        file === undefined ? { problem: words.needsFile } : { input: { kind: "file", file } },
      );
    else onChange(read(protocol, form, text));
  }, [form, text, file]);
  return (
    <>
      <p class="quiet">{words.noSignature}</p>
      <Tabs
        label={words.inputs}
        tabs={forms.map((name) => [name, words[name]] as const)}
        value={form}
        choose={setForm}
      >
        {form === "file" ? (
          <DropZone text={words.dropFile} accept="*/*" take={setFile}>
            {file !== undefined && (
              <strong>{`${words.chosen}: ${file.name}, ${formatBytes(file.size)}`}</strong>
            )}
          </DropZone>
        ) : (
          <textarea
            rows={8}
            value={text}
            aria-label={words[form]}
            spellcheck={form === "text"}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
      </Tabs>
    </>
  );
}

/** The name that tensors have where no signature names them. */
const UNNAMED = "input";

function read(protocol: ProtocolName, form: Exclude<Form, "file">, text: string): FormState {
  try {
    return { input: inputOf(protocol, form, text) };
  } catch (error) {
    if (error instanceof ValueError) return { problem: error.message };
    throw error;
  }
}

function inputOf(protocol: ProtocolName, form: Exclude<Form, "file">, text: string): CallInput {
  if (form === "text" && (protocol === "service" || protocol === "seldon"))
    return { kind: "text", text };
  if (form === "json" && (protocol === "service" || isObject(text))) {
    checkJson(text);
    return { kind: "json", text };
  }
  const parse = { json: parseJsonValue, csv: parseCsv, text: parseLines }[form];
  return { kind: "tensors", tensors: [parse(specFor(form, text), text)] };
}

function specFor(form: Form, text: string): TensorSpec {
  const isText = form === "text" || (form === "json" && /^[\s[]*"/.test(text));
  return { name: UNNAMED, datatype: isText ? "BYTES" : "FP64", shape: [-1], isRankUnknown: true };
}

function isObject(text: string): boolean {
  return text.trimStart().startsWith("{");
}
