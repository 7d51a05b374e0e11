import type { JSX } from "preact";
import { formatBytes } from "./format.ts";
import { CopyButton } from "./parts/copy-button.tsx";
import { StateDot } from "./parts/state-dot.tsx";
import type { ModelDocument, TensorSpec } from "./server.ts";
import { shapeText } from "../../src/serving/calls/index.ts";
import { useWords, type Words } from "./words.ts";

const DIGEST_CHARACTERS = 19;

/** Name, kind, state, facts and signature of a model. */
export function ModelHead({ model }: { readonly model: ModelDocument }): JSX.Element {
  const words = useWords();
  const { digest } = model;
  return (
    <header class="model-head">
      <div class="title">
        <h1>{model.name}</h1>
        {model.kind !== undefined && <span class="chip">{model.kind}</span>}
        <span class="chip chip-state">
          <StateDot model={model} />
          {stateText(model, words)}
        </span>
      </div>
      {!model.isReady && model.reason !== "" && (
        <p class="problem" role="status">
          {model.reason}
        </p>
      )}
      <dl class="facts">
        {factsOf(model, words).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {digest !== undefined && (
          <div>
            <dt>{words.digest}</dt>
            <dd class="digest">
              <code title={digest}>{`${digest.slice(0, DIGEST_CHARACTERS)}…`}</code>
              <CopyButton text={digest} about={words.digest} />
            </dd>
          </div>
        )}
      </dl>
      {model.inputs.length + model.outputs.length > 0 && (
        <details class="signature" open={model.inputs.length + model.outputs.length <= 6}>
          <summary>{words.signature}</summary>
          <div class="signature-tables">
            <SpecTable title={words.inputs} specs={model.inputs} />
            <SpecTable title={words.outputs} specs={model.outputs} />
          </div>
        </details>
      )}
    </header>
  );
}

/** The server's own word, where this page has none in the reader's language. */
function stateText({ isReady, state }: ModelDocument, words: Words): string {
  if (isReady) return words.ready;
  return state === "asleep" ? words.asleep : state;
}

function factsOf(model: ModelDocument, words: Words): readonly (readonly [string, string])[] {
  const { version, platform, sizeBytes, limits, joinsRows } = model;
  const { maxBatch, maxWaitMs, workers } = limits;
  return [
    [words.version, version],
    ...(platform === undefined ? [] : [[words.platform, platform] as const]),
    ...(sizeBytes === undefined ? [] : [[words.size, formatBytes(sizeBytes)] as const]),
    [words.workers, String(workers)],
    [
      words.batching,
      joinsRows && maxBatch > 1 ? words.batchRows(maxBatch, maxWaitMs) : words.batchOff,
    ],
  ];
}

function SpecTable({
  title,
  specs,
}: {
  readonly title: string;
  readonly specs: readonly TensorSpec[];
}): JSX.Element | null {
  const words = useWords();
  if (specs.length === 0) return null;
  return (
    <div class="scroll">
      <table>
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col">{words.name}</th>
            <th scope="col">{words.type}</th>
            <th scope="col">{words.shape}</th>
          </tr>
        </thead>
        <tbody>
          {specs.map((spec) => (
            <tr key={spec.name}>
              <th scope="row">{spec.name}</th>
              <td>
                <code>{spec.datatype}</code>
              </td>
              <td>
                <code>{shapeText(spec)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
