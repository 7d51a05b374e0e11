import type { CallOptions } from "../internal/index.ts";
import type { ModelDescription } from "../model/index.ts";
import type { Signature, Tensor } from "../tensor/index.ts";

/** A loaded model. A Python worker, an ONNX session, a batcher and a test double are all models. */
export interface Model extends AsyncDisposable {
  readonly signature: Signature;
  /** Safe to call concurrently. @throws InferenceError `TENSOR_INVALID` (caller's fault) or `MODEL_FAILED` (ours). */
  infer(inputs: readonly Tensor[], options?: CallOptions): Promise<readonly Tensor[]>;
}

/** Knows how to load one kind of model; chosen by `kind` and `code` of the model description. */
export interface Runtime {
  readonly name: string;
  /** Resolves when the model is ready to infer. @throws InferenceError `MODEL_LOAD_FAILED`, `RUNTIME_MISSING`. */
  load(description: ModelDescription, options?: CallOptions): Promise<Model>;
}
