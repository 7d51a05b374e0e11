import type { Signature } from "../../../models/tensor/index.ts";
import { InferenceError } from "../../../ground/errors/index.ts";
import {
  isRaw,
  matchInputs,
  type InferRequest,
  type InferResponse,
  type NamedTensor,
  type Predictor,
  type PredictorFacts,
} from "../../plane/index.ts";
import { joinAnswers } from "../join-answers.ts";
import type { ThreadPool } from "../threads/index.ts";
import type { TypedCall, TypedFacts } from "./typed-adapter.ts";

export interface TypedClass {
  readonly model: string;
  readonly signature: Signature | undefined;
  readonly facts: TypedFacts;
}

/** `describe`, `infer` and `inferStream` for a JavaScript class of the typed contract. */
export function typedPredictor(
  pool: ThreadPool,
  { model, signature, facts: { asks, streams } }: TypedClass,
): Pick<Predictor, "describe" | "infer" | "inferStream"> {
  const wantsHeaders = asks.includes("headers");
  const facts: PredictorFacts = {
    ...(signature !== undefined && { signature }),
    ...{ platform: "javascript_class", takesTensors: true, takesRawBody: false },
    ...{ streams, wantsHeaders },
    joinsRows: !streams && !wantsHeaders && !asks.includes("requestId"),
  };
  const callOf = (request: InferRequest, isStreamed: boolean): TypedCall => {
    const inputs =
      signature === undefined || signature.inputs.length === 0
        ? tensorsOf(request, model)
        : matchInputs(request, signature, model);
    const { parameters = {}, headers = {}, id, outputs } = request;
    return {
      inputs: inputs.map(ownBytes),
      ...{ parameters, headers, requestId: id, outputs, isStreamed },
    };
  };
  const answer = (request: InferRequest, outputs: unknown): InferResponse =>
    wanted(request, outputs as readonly NamedTensor[], model); // our own thread sends tensors
  return {
    describe: () => facts,
    infer: async (request) => {
      const call = callOf(request, false);
      const all = (await pool.call(call, transferOf(call), request.caller)) as unknown[]; // likewise
      return joinAnswers(
        all.map((outputs) => answer(request, outputs)),
        model,
      );
    },
    inferStream: async function* (request) {
      for await (const outputs of pool.stream(callOf(request, true), request.caller))
        yield answer(request, outputs);
    },
  };
}

function tensorsOf({ inputs }: InferRequest, model: string): readonly NamedTensor[] {
  if (!isRaw(inputs)) return inputs;
  throw new InferenceError(
    "UNSUPPORTED",
    `call the model "${model}": it takes tensors, no bodies`,
    {
      model,
    },
  );
}

/** A view takes the whole of its memory along to another thread, so every tensor gets memory of its own. */
function ownBytes(tensor: NamedTensor): NamedTensor {
  return { ...tensor, data: Uint8Array.from(tensor.data) };
}

function transferOf({ inputs }: TypedCall): ArrayBuffer[] {
  return inputs.map(({ data }) => data.buffer as ArrayBuffer); // made by `ownBytes`
}

/** The outputs that were asked for, in that order. @throws InferenceError `REQUEST_INVALID` for one that there is not */
function wanted(
  { outputs: names }: InferRequest,
  outputs: readonly NamedTensor[],
  model: string,
): InferResponse {
  if (names === undefined) return { outputs };
  return {
    outputs: names.map((name) => {
      const found = outputs.find((output) => output.name === name);
      if (found !== undefined) return found;
      throw new InferenceError(
        "REQUEST_INVALID",
        `call the model "${model}": it gave no output "${name}"; it gave ${outputs.map((one) => one.name).join(", ")}`,
        { model },
      );
    }),
  };
}
