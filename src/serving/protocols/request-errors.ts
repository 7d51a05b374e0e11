import { InferenceError } from "../../ground/errors/index.ts";

/** An error about one tensor of a request. */
export interface TensorProblem {
  readonly tensor: string;
  /** What is wrong, without the name. */
  readonly why: string;
  readonly expected?: string;
  readonly actual?: string;
  readonly hint?: string;
}

/** `TENSOR_INVALID`: names the tensor, and what came and what is wanted where both are known. */
export function tensorInvalid({ tensor, why, ...more }: TensorProblem): InferenceError {
  return new InferenceError("TENSOR_INVALID", `read the tensor "${shortName(tensor)}": ${why}`, {
    tensor,
    ...more,
  });
}

/** `REQUEST_INVALID`: the request cannot be read, or lacks something. */
export function requestInvalid(why: string, hint?: string): InferenceError {
  return new InferenceError("REQUEST_INVALID", `read the request: ${why}`, {
    ...(hint !== undefined && { hint }),
  });
}

const MAX_NAME = 100;

/** A name as it stands in messages. */
export function shortName(name: string): string {
  return name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME)}…`;
}
