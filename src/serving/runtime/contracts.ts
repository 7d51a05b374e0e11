import type { CallOptions } from "../../ground/bytes/index.ts";
import type { ModelDescription } from "../../models/description/index.ts";
import type { Signature, Tensor } from "../../models/tensor/index.ts";

/** Who asks a model, as far as waiting goes. */
export interface CallerOptions extends CallOptions {
  /**
   * Asked for when a call cannot begin at once, and not otherwise, since a signal costs more than a small call does. Its abort takes the call
   * out of the queue and rejects it; a call that has begun goes on.
   */
  whileWaiting?(): AbortSignal;
}

/** A loaded model. A Python worker, an ONNX session, a batcher and a test double are all models. */
export interface Model extends AsyncDisposable {
  readonly signature: Signature;
  /** Safe to call concurrently. @throws InferenceError `TENSOR_INVALID` (caller's fault) or `MODEL_FAILED` (ours). */
  infer(inputs: readonly Tensor[], options?: CallerOptions): Promise<readonly Tensor[]>;
}

/** Knows how to load one kind of model; chosen by `kind` and `code` of the model description. */
export interface Runtime {
  readonly name: string;
  /** Resolves when the model is ready to infer. @throws InferenceError `MODEL_LOAD_FAILED`, `RUNTIME_MISSING`. */
  load(description: ModelDescription, options?: CallOptions): Promise<Model>;
}
