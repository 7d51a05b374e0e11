import type { NamedTensor, PredictorFacts } from "../../plane/index.ts";
import type { TensorSpec } from "../../../models/tensor/index.ts";

/** A picture of a request. */
export interface SentImage {
  /** Name of the input that it is for; absent where the request leaves that to the model. */
  readonly input?: string;
  readonly bytes: Uint8Array;
}

/** What a body holds, before pictures are decoded. */
export interface Question {
  /** Named tensors; an input that has several parts stands several times, and its parts are joined along axis 0. */
  readonly tensors: readonly NamedTensor[];
  readonly images: readonly SentImage[];
  /** Settings that stand in the body. */
  readonly settings: ReadonlyMap<string, string>;
}

/** Inputs of the model; absent when it does not say them. */
export function specsOf({ signature }: PredictorFacts): readonly TensorSpec[] | undefined {
  const inputs = signature?.inputs ?? [];
  return inputs.length === 0 ? undefined : inputs;
}

export const NO_SETTINGS: ReadonlyMap<string, string> = new Map();
