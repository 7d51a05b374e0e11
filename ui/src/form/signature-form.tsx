import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { FormState } from "../model-view.tsx";
import { Tabs } from "../parts/tabs.tsx";
import type { TensorSpec } from "../server.ts";
import { shapeText } from "../../../src/serving/calls/index.ts";
import { useWords } from "../words.ts";
import { DrawEditor } from "./draw-editor.tsx";
import { editorsOf, type EditorName, type EditorProps, type FieldState } from "./field.ts";
import { NumbersEditor } from "./numbers-editor.tsx";
import { PictureEditor } from "./picture-editor.tsx";
import { TextEditor } from "./text-editor.tsx";

/** A field for each input of a signature. */
export function SignatureForm({
  inputs,
  isPrepared,
  onChange,
}: {
  readonly inputs: readonly TensorSpec[];
  /** True where the server makes tensors of pictures by settings of the project. */
  readonly isPrepared: boolean;
  readonly onChange: (state: FormState) => void;
}): JSX.Element {
  const [fields, setFields] = useState<Readonly<Record<string, FieldState>>>({});
  useEffect(() => onChange(formState(inputs, fields)), [fields]);
  return (
    <>
      {inputs.map((spec) => (
        <Field
          key={spec.name}
          {...{ spec, isPrepared }}
          onChange={(state) => setFields((all) => ({ ...all, [spec.name]: state }))}
        />
      ))}
    </>
  );
}

function formState(
  inputs: readonly TensorSpec[],
  fields: Readonly<Record<string, FieldState>>,
): FormState {
  const states = inputs.map(({ name }) => fields[name] ?? {});
  const tensors = states.map(({ value }) => value).filter((value) => value !== undefined);
  const at = states.findIndex(({ problem }) => problem !== undefined);
  const problem = states[at]?.problem;
  const picture = states.find((state) => state.picture !== undefined)?.picture;
  const file = states.length === 1 ? states[0]?.file : undefined;
  return {
    ...(tensors.length === inputs.length && {
      input: { kind: "tensors", tensors, ...(file !== undefined && { picture: file }) },
    }),
    ...(problem !== undefined && { problem: `${inputs[at]?.name ?? ""}: ${problem}` }),
    ...(picture !== undefined && { picture }),
  };
}

function Field({ spec, isPrepared, onChange }: EditorProps): JSX.Element {
  const words = useWords();
  const editors = editorsOf(spec);
  const [editor, setEditor] = useState<EditorName>(editors[0] ?? "json");
  const names: Readonly<Record<EditorName, string>> = words;
  const shown = <Editor key={editor} {...{ editor, spec, isPrepared, onChange }} />;
  return (
    <fieldset>
      <legend>
        {spec.name} <code>{`${spec.datatype} ${shapeText(spec)}`}</code>
      </legend>
      {editors.length > 1 ? (
        <Tabs
          label={spec.name}
          tabs={editors.map((name) => [name, names[name]] as const)}
          value={editor}
          choose={setEditor}
        >
          {shown}
        </Tabs>
      ) : (
        shown
      )}
    </fieldset>
  );
}

function Editor({ editor, ...props }: EditorProps & { readonly editor: EditorName }): JSX.Element {
  switch (editor) {
    case "draw":
      return <DrawEditor {...props} />;
    case "image":
      return <PictureEditor {...props} />;
    case "numbers":
      return <NumbersEditor {...props} />;
    case "text":
    case "csv":
    case "json":
      return <TextEditor {...props} form={editor} />;
  }
}
