import { InferenceError } from "../../../ground/errors/index.ts";
import {
  isRaw,
  type CallerOptions,
  type InferRequest,
  type InferResponse,
  type ModelName,
  type NamedTensor,
  type PredictorFacts,
  type SpanContext,
} from "../../plane/index.ts";
import { classify } from "./classify.ts";
import type { InferCall, WantedOutput } from "./infer-call.ts";
import type { InferAnswer } from "./write-infer-json.ts";

/** Who asks, as far as the model is concerned. */
export interface Asker {
  /** Needs its `this`. */
  readonly caller: Pick<CallerOptions, "deadlineAt" | "priority"> & {
    whileWaiting(): AbortSignal;
    answerHeader(name: string, value: string): void;
  };
  readonly span?: SpanContext | undefined;
  /** Those of the request, names in lower case; asked for only where user code wants them. */
  readonly headers: () => Readonly<Record<string, string>>;
}

/** As refusals name it. */
export const PROTOCOL = "V2";

/** A call as the plane takes it. */
export function inferRequestOf(
  call: InferCall,
  { wantsHeaders }: PredictorFacts,
  asker: Asker,
): InferRequest {
  const { inputs, parameters, outputs, id, timeoutMs, priority } = call;
  const { caller, span } = asker;
  return {
    inputs,
    ...(parameters !== undefined && { parameters }),
    ...(outputs !== undefined && { outputs: outputs.map(({ name }) => name) }),
    ...(id !== undefined && { id }),
    ...(span !== undefined && { trace: span }),
    ...(wantsHeaders && { headers: asker.headers() }),
    caller: timeoutMs === undefined && priority === undefined ? caller : urgent(caller, call),
  };
}

/** The caller with what the request itself says of its waiting. */
function urgent(caller: Asker["caller"], { timeoutMs, priority }: InferCall): CallerOptions {
  const said = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
  return {
    whileWaiting: () => caller.whileWaiting(),
    answerHeader: (name, value) => caller.answerHeader(name, value),
    deadlineAt: Math.min(said, caller.deadlineAt ?? Infinity),
    priority: priority ?? caller.priority,
  };
}

/**
 * What a model gave, as it is to be sent: classes in place of scores where they are wanted.
 * @throws InferenceError `UNSUPPORTED` when the model gave a body in place of tensors
 */
export function answerOf(
  { name: model, version }: ModelName,
  { labels = {} }: PredictorFacts,
  call: InferCall,
  { outputs, parameters }: InferResponse,
): InferAnswer {
  if (isRaw(outputs))
    throw new InferenceError(
      "UNSUPPORTED",
      `call the model "${model}": it gives bodies, not tensors`,
      {
        model,
      },
    );
  const wanted = new Map(call.outputs?.map((output) => [output.name, output]));
  return {
    ...{ model, version, id: call.id, parameters },
    outputs: outputs.map((tensor) => {
      const { name } = tensor;
      const output = wanted.get(name);
      return {
        tensor: classesOf(tensor, output, Object.hasOwn(labels, name) ? labels[name] : undefined),
        isBinary: output?.isBinary ?? call.isBinaryOut,
      };
    }),
  };
}

function classesOf(
  tensor: NamedTensor,
  output: WantedOutput | undefined,
  labels: readonly string[] | undefined,
): NamedTensor {
  return output === undefined || output.classes === 0
    ? tensor
    : classify(tensor, output.classes, labels);
}
