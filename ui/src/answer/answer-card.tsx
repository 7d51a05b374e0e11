import type { JSX } from "preact";
import { useState } from "preact/hooks";
import {
  type ProtocolName,
  boxesIn,
  classShares,
  type Box,
  readTensors,
  type OutputTensor,
} from "../../../src/serving/calls/index.ts";
import type { Answer } from "../call/send-call.ts";
import type { PictureShown } from "../form/field.ts";
import { formatBytes, formatMs } from "../format.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { Tabs } from "../parts/tabs.tsx";
import type { ModelDocument } from "../server.ts";
import { useWords } from "../words.ts";
import { Bars } from "./bars.tsx";
import { Boxes } from "./boxes.tsx";
import { OutputTable } from "./output-table.tsx";

/** An answer with what was asked. */
export interface Answered {
  readonly answer: Answer;
  readonly protocol: ProtocolName;
  readonly picture: PictureShown | undefined;
}

/** What came back, in the views that fit it. */
export function AnswerCard({
  answered,
  model,
}: {
  readonly answered: Answered | undefined;
  readonly model: ModelDocument;
}): JSX.Element {
  const words = useWords();
  return (
    <section class="card" aria-labelledby="answer">
      <div class="card-head">
        <h2 id="answer">{words.answer}</h2>
        {answered !== undefined && <Figures {...answered.answer} />}
      </div>
      <div aria-live="polite">
        {answered === undefined ? (
          <div class="empty">
            <p>{words.noAnswer}</p>
            <p class="quiet">{words.noAnswerHint}</p>
          </div>
        ) : answered.answer.status === 200 ? (
          <Views answered={answered} model={model} />
        ) : (
          <Failure {...answered.answer} />
        )}
      </div>
    </section>
  );
}

function Figures({ status, ms, text }: Answer): JSX.Element {
  return (
    <span class="figures">
      <span class={status === 200 ? "status" : "status status-failed"}>
        {status === 0 ? "—" : status}
      </span>
      <span>{formatMs(ms)}</span>
      <span>{formatBytes(new TextEncoder().encode(text).byteLength)}</span>
    </span>
  );
}

/** The server's own words, whatever they are. */
function Failure({ status, text }: Answer): JSX.Element {
  const words = useWords();
  return (
    <div class="failure" role="alert">
      <strong>{status === 0 ? words.noReply : `${words.failed}: ${status}`}</strong>
      <pre tabIndex={0}>{indented(text)}</pre>
    </div>
  );
}

type View = "objects" | "classes" | "table" | "raw";

function Views({
  answered,
  model,
}: {
  readonly answered: Answered;
  readonly model: ModelDocument;
}): JSX.Element {
  const words = useWords();
  const { answer, protocol, picture } = answered;
  const tensors = readTensors(protocol, answer.text) ?? [];
  const boxes = picture === undefined ? undefined : boxesIn(tensors, picture, firstLabels(model));
  const shares = tensors.filter((tensor) => classShares(tensor) !== undefined);
  const fits: readonly (readonly [View, boolean])[] = [
    ["objects", boxes !== undefined],
    ["classes", shares.length > 0],
    ["table", tensors.length > 0],
    ["raw", true],
  ];
  const views = fits.filter(([, isFit]) => isFit).map(([view]) => view);
  const [chosen, setChosen] = useState<View>();
  const view = views.find((one) => one === chosen) ?? views[0] ?? "raw";
  return (
    <Tabs
      label={words.answer}
      tabs={views.map((name) => [name, words[name]] as const)}
      value={view}
      choose={setChosen}
    >
      <Shown {...{ view, tensors, shares, model, picture, boxes }} text={answer.text} />
    </Tabs>
  );
}

function firstLabels({ labels }: ModelDocument): readonly string[] | undefined {
  return Object.values(labels)[0];
}

interface ShownProps {
  readonly view: View;
  readonly text: string;
  readonly tensors: readonly OutputTensor[];
  readonly shares: readonly OutputTensor[];
  readonly model: ModelDocument;
  readonly picture: PictureShown | undefined;
  readonly boxes: readonly Box[] | undefined;
}

function Shown({ view, text, tensors, shares, model, picture, boxes }: ShownProps): JSX.Element {
  const words = useWords();
  switch (view) {
    case "objects":
      return <Boxes url={picture?.url ?? ""} boxes={boxes ?? []} />;
    case "classes":
      return (
        <>
          {shares.map((tensor) => (
            <Bars
              key={tensor.name}
              name={tensor.name}
              rows={classShares(tensor, model.labels[tensor.name] ?? firstLabels(model)) ?? []}
            />
          ))}
        </>
      );
    case "table":
      return (
        <>
          {tensors.map((tensor) => (
            <OutputTable key={tensor.name} tensor={tensor} />
          ))}
        </>
      );
    case "raw":
      return (
        <div class="raw">
          <CopyButton text={text} about={words.answer} />
          <pre class="code" tabIndex={0}>
            <code>{indented(text)}</code>
          </pre>
        </div>
      );
  }
}

const MAX_INDENTED = 20_000;

/** JSON of moderate length with line breaks, numbers as they came; other text as it is. */
function indented(text: string): string {
  if (text.length > MAX_INDENTED || /\d{16,}/.test(text)) return text;
  try {
    const spread = JSON.stringify(JSON.parse(text), undefined, 2);
    return spread.replaceAll(
      /\[\s+([-\d.e+,\s]+?)\s+\]/g,
      (_, list: string) => `[${list.replaceAll(/\s+/g, " ")}]`,
    );
  } catch {
    return text; // no JSON
  }
}
