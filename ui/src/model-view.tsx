import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { AnswerCard, type Answered } from "./answer/answer-card.tsx";
import {
  buildCall,
  protocolsOf,
  type Call,
  type CallInput,
  type ProtocolName,
} from "../../src/serving/calls/index.ts";
import { sendCall } from "./call/send-call.ts";
import { CodeCard } from "./code-card.tsx";
import { FreeForm } from "./form/free-form.tsx";
import { SignatureForm } from "./form/signature-form.tsx";
import type { PictureShown } from "./form/field.ts";
import { LiveCard } from "./live/live-card.tsx";
import { ModelHead } from "./model-head.tsx";
import { Choices } from "./parts/choices.tsx";
import type { ModelDocument, ServerDocument } from "./server.ts";
import { useWords } from "./words.ts";

const PROTOCOL_NAMES = {
  ...{ v2: "Open Inference V2", v1: "V1", seldon: "Seldon", service: "/service" },
  "model-server": "/predict",
};

/** What the form has: a request, or why there is none. */
export interface FormState {
  readonly input?: CallInput;
  /** In words for people; absent while nothing has been typed. */
  readonly problem?: string;
  /** The picture that is sent, for boxes that are drawn on it. */
  readonly picture?: PictureShown;
}

/** True for a picture that the server has to make the tensor of. */
function isUpload({ input }: FormState): boolean {
  return input?.kind === "tensors" && input.picture !== undefined;
}

/** One model: what it is, a form, the answer, code, and numbers. */
export function ModelView({
  model,
  server,
  isFirst,
}: {
  readonly model: ModelDocument;
  readonly server: ServerDocument;
  readonly isFirst: boolean;
}): JSX.Element {
  const protocols = protocolsOf(model, isFirst);
  const [chosen, setChosen] = useState<string>();
  const [state, setState] = useState<FormState>({});
  const handiest = isUpload(state) ? "model-server" : protocols[0];
  const protocol = protocols.find((name) => name === chosen) ?? handiest;
  const { answered, isBusy, send } = useCalls();
  const call =
    protocol === undefined || state.input === undefined
      ? undefined
      : buildCall(protocol, model, state.input);
  return (
    <>
      <ModelHead model={model} />
      <div class="pair">
        <TryCard
          {...{ model, protocols, protocol, isBusy }}
          problem={state.problem}
          choose={setChosen}
          onChange={setState}
          send={call === undefined ? undefined : () => void send(call, state.picture)}
        />
        <AnswerCard answered={answered} model={model} />
      </div>
      <CodeCard call={call} grpcPort={server.grpcPort} />
      <LiveCard model={model} isAlone={server.models.length === 1} />
    </>
  );
}

interface TryProps {
  readonly model: ModelDocument;
  readonly protocols: readonly ProtocolName[];
  readonly protocol: ProtocolName | undefined;
  readonly isBusy: boolean;
  readonly problem: string | undefined;
  readonly choose: (protocol: string) => void;
  readonly onChange: (state: FormState) => void;
  /** Absent while there is nothing that could be sent. */
  readonly send: (() => void) | undefined;
}

function TryCard({ model, protocols, protocol, choose, ...props }: TryProps): JSX.Element {
  const words = useWords();
  const { isBusy, problem, onChange, send } = props;
  return (
    <section class="card" aria-labelledby="try">
      <div class="card-head">
        <h2 id="try">{words.tryIt}</h2>
        {protocols.length > 1 && (
          <Choices
            label={words.protocol}
            value={protocol ?? ""}
            options={protocols.map((name) => [name, PROTOCOL_NAMES[name]] as const)}
            choose={choose}
          />
        )}
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send?.();
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey))
            event.currentTarget.requestSubmit();
        }}
      >
        <Inputs {...{ model, protocol, onChange }} />
        {problem !== undefined && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <div class="send">
          <button type="submit" class="primary" disabled={send === undefined || isBusy}>
            {isBusy ? words.sending : words.send}
          </button>
          <span class="quiet">{words.sendHint}</span>
        </div>
      </form>
    </section>
  );
}

function Inputs({
  model,
  protocol,
  onChange,
}: Pick<TryProps, "model" | "protocol" | "onChange">): JSX.Element | null {
  if (protocol === undefined) return null;
  return model.inputs.length > 0 && protocol !== "service" ? (
    <SignatureForm {...{ inputs: model.inputs, isPrepared: model.isPrepared, onChange }} />
  ) : (
    <FreeForm key={protocol} protocol={protocol} onChange={onChange} />
  );
}

/** Sends calls one at a time; a new one gives up the one before. */
function useCalls(): {
  readonly answered: Answered | undefined;
  readonly isBusy: boolean;
  readonly send: (call: Call, picture: PictureShown | undefined) => Promise<void>;
} {
  const [answered, setAnswered] = useState<Answered>();
  const [isBusy, setBusy] = useState(false);
  const current = useRef(new AbortController());
  useEffect(() => () => current.current.abort(), []);
  const send = async (call: Call, picture: PictureShown | undefined): Promise<void> => {
    current.current.abort();
    const controller = new AbortController();
    current.current = controller;
    setBusy(true);
    try {
      const answer = await sendCall(call, controller.signal);
      setAnswered({ answer, protocol: call.protocol, picture });
      setBusy(false);
    } catch (error) {
      if (!controller.signal.aborted) throw error; // given up for a newer call
    }
  };
  return { answered, isBusy, send };
}
