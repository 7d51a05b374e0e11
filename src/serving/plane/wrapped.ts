import type { Predictor, PredictorStats } from "./contracts.ts";

/** A predictor with some of its members in another way; the rest, its end included, is the inner one's. */
export function wrapped(
  inner: Predictor,
  changes: Partial<Omit<Predictor, "stats">> & { readonly statsOf?: () => PredictorStats },
): Predictor {
  const { statsOf, ...members } = changes;
  const { graph, inferStream, abandon } = inner;
  const base: Predictor = {
    describe: () => inner.describe(),
    infer: (request) => inner.infer(request),
    ...(inferStream !== undefined && { inferStream }),
    ...(graph !== undefined && { graph }),
    ...(abandon !== undefined && { abandon }),
    [Symbol.asyncDispose]: async () => inner[Symbol.asyncDispose](),
    ...members,
  };
  if (inner.stats === undefined) return base;
  return Object.defineProperty(base, "stats", {
    get: statsOf ?? (() => inner.stats),
    enumerable: true,
  });
}
