import { joinAnswers } from "../join-answers.ts";
import { InferenceError } from "../../../ground/errors/index.ts";
import {
  isRaw,
  matchInputs,
  type InferRequest,
  type InferResponse,
  type Predictor,
  type PredictorFacts,
} from "../../plane/index.ts";
import type { ReadyFacts } from "./facts.ts";
import type { PoolCalls } from "./pool.ts";

/** Answers that wait for a client that reads slowly; at more the stream is ended. */
const MAX_WAITING_BYTES = 64 * 2 ** 20;
const MAX_WAITING = 10_000;

/** What `infer` of a class on named tensors needs to know of it. */
export interface TensorClass {
  readonly model: string;
  readonly platform: string;
  readonly ready: ReadyFacts;
}

/** `describe`, `infer` and `inferStream` for a class of the typed contract. */
export function tensorPredictor(
  pool: PoolCalls,
  { model, platform, ready }: TensorClass,
): Pick<Predictor, "describe" | "infer" | "inferStream"> {
  const { signature, streams, asks } = ready;
  const wantsHeaders = asks.includes("headers");
  const facts: PredictorFacts = {
    ...(signature !== undefined && { signature }),
    ...{ takesJson: asks.includes("json") },
    ...{ platform, takesTensors: true, takesRawBody: false, streams, wantsHeaders },
    joinsRows: !streams && !wantsHeaders && !asks.includes("request_id"),
  };
  const checked = (request: InferRequest): InferRequest =>
    signature === undefined || signature.inputs.length === 0 || asks.includes("unchecked")
      ? request
      : { ...request, inputs: matchInputs(request, signature, model) };
  return {
    describe: () => facts,
    infer: async (request) => joinAnswers(await allAnswers(pool, checked(request)), model),
    inferStream: (request) =>
      answersOneByOne(pool, { ...checked(request), isStreamed: true }, model),
  };
}

async function allAnswers(
  pool: PoolCalls,
  request: InferRequest,
): Promise<readonly InferResponse[]> {
  const answers: InferResponse[] = [];
  const onAnswer = (response: InferResponse): void => void answers.push(response);
  await pool.enter({ kind: "infer", request, onAnswer }, request.caller ?? {}).done;
  return answers;
}

/** Gives answers as they come. Code whose answers nobody takes any more is told to stop. */
async function* answersOneByOne(
  pool: PoolCalls,
  request: InferRequest,
  model: string,
): AsyncGenerator<InferResponse, void> {
  const waiting = new WaitingAnswers();
  const { flight, done } = pool.enter(
    { kind: "infer", request, onAnswer: (response) => waiting.add(response) },
    request.caller ?? {},
  );
  done.then(
    () => waiting.end(undefined),
    (error: unknown) => waiting.end({ error }),
  );
  try {
    for (;;) {
      const answer = await waiting.next();
      if (answer === undefined) return;
      yield answer;
      if (waiting.isTooMuch)
        throw new InferenceError(
          "LIMIT_EXCEEDED",
          `call the model "${model}": its answers are read more slowly than they come`,
          { model },
        );
    }
  } finally {
    if (!waiting.isEnded) pool.cancel(flight);
  }
}

/** Answers between the worker and whoever reads them. */
class WaitingAnswers {
  readonly #answers: InferResponse[] = [];
  #bytes = 0;
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  get isTooMuch(): boolean {
    return this.#bytes > MAX_WAITING_BYTES || this.#answers.length > MAX_WAITING;
  }

  add(answer: InferResponse): void {
    if (this.isTooMuch) return; // the reader is told at its next step
    this.#answers.push(answer);
    this.#bytes += bytesIn(answer);
    this.#wake?.();
  }

  end(end: { readonly error: unknown } | undefined): void {
    this.#end = end ?? {};
    this.#wake?.();
  }

  /** The next answer; undefined at the end. @throws what ended the call */
  async next(): Promise<InferResponse | undefined> {
    while (this.#answers.length === 0 && this.#end === undefined)
      await new Promise<void>((resolve) => (this.#wake = resolve));
    const answer = this.#answers.shift();
    if (answer !== undefined) this.#bytes -= bytesIn(answer);
    else if (this.#end !== undefined && "error" in this.#end) throw this.#end.error;
    return answer;
  }
}

function bytesIn({ outputs }: InferResponse): number {
  if (isRaw(outputs)) return outputs.bytes.byteLength;
  return outputs.reduce((sum, { data }) => sum + data.byteLength, 0);
}
