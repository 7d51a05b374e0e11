import type { ModelFacts } from "../contracts.ts";

/** A model that takes rows of numbers and answers one number or a few for each. */
export interface Predictor {
  /** Columns of a row. */
  readonly features: number;
  /** Numbers in the answer to one row; absent when not known. */
  readonly answers?: number;
  readonly requirements: readonly string[];
  readonly details: ModelFacts["details"];
  readonly warnings?: readonly string[];
  readonly labels?: readonly string[];
}

/** Facts of such a model: input `X` with a row for each case, output `predict`. */
export function predictorFacts(
  path: string,
  { features, answers, requirements, details, warnings = [], labels }: Predictor,
): ModelFacts {
  const shape = answers !== undefined && answers > 1 ? [-1, answers] : [-1];
  return {
    ...(features > 0 && {
      signature: {
        inputs: [{ name: "X", datatype: "FP64", shape: [-1, features] }],
        outputs: answers === undefined ? [] : [{ name: "predict", datatype: "FP64", shape }],
      },
    }),
    files: [path],
    warnings,
    requirements,
    details,
    ...(labels !== undefined && { labels }),
  };
}
