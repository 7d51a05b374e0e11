import { InferenceError } from "../../ground/errors/index.ts";
import type { InferRequest, InferResponse, Predictor } from "./contracts.ts";
import { wrapped } from "./wrapped.ts";

export interface LimitOptions {
  /** Name of the model, for messages. */
  readonly model: string;
  /** Calls that may be inside at the same time, those that wait included; at least 1. */
  readonly maxCalls: number;
}

/** Refuses a call with `OVERLOADED` while `maxCalls` others are inside, so that no queue below grows without bound. */
export function limited(predictor: Predictor, options: LimitOptions): Predictor {
  let inside = 0;
  const enter = (): void => {
    if (inside >= options.maxCalls)
      throw new InferenceError(
        "OVERLOADED",
        `call the model "${options.model}": ${inside} calls are under way already`,
        { model: options.model, hint: "try again after the time that Retry-After says" },
      );
    inside += 1;
  };
  const { inferStream } = predictor;
  return wrapped(predictor, {
    infer: async (request) => {
      enter();
      try {
        return await predictor.infer(request);
      } finally {
        inside -= 1;
      }
    },
    ...(inferStream !== undefined && {
      inferStream: async function* (request: InferRequest): AsyncGenerator<InferResponse, void> {
        enter();
        try {
          yield* inferStream(request);
        } finally {
          inside -= 1;
        }
      },
    }),
  });
}
