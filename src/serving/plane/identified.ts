import type { CallerOptions, InferRequest, ModelIdentity, Predictor } from "./contracts.ts";
import { wrapped } from "./wrapped.ts";

/** The parts of an identity under the names that answers give them. */
export function identityHeaders({ model, code, image }: ModelIdentity): [string, string][] {
  const all = [
    ["slipway-model-digest", model],
    ["slipway-code-digest", code],
    ["slipway-image-digest", image],
  ] as const;
  return all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

/** Tells every caller which bytes answer it, by headers of the answer. */
export function identified(predictor: Predictor): Predictor {
  const { graph, inferStream } = predictor;
  let known: ModelIdentity | undefined;
  let headers: readonly (readonly [string, string])[] = [];
  const tell = (caller: CallerOptions | undefined): void => {
    if (caller?.answerHeader === undefined) return;
    const { identity } = predictor.describe();
    if (identity !== known) {
      known = identity;
      headers = identity === undefined ? [] : identityHeaders(identity);
    }
    for (const [name, value] of headers) caller.answerHeader(name, value);
  };
  return wrapped(predictor, {
    infer: (request) => {
      tell(request.caller);
      return predictor.infer(request);
    },
    ...(inferStream !== undefined && {
      inferStream: (request: InferRequest) => {
        tell(request.caller);
        return inferStream(request);
      },
    }),
    ...(graph !== undefined && {
      graph: {
        get facts() {
          return graph.facts;
        },
        call: (request, caller) => {
          tell(caller);
          return graph.call(request, caller);
        },
      },
    }),
  });
}
