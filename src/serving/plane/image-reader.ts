import type { ImagePlan } from "../../models/inputs/index.ts";
import type { Tensor } from "../../models/tensor/index.ts";
import type { CallerOptions } from "./contracts.ts";

/** A picture as a model takes it. */
export interface ImageTensor {
  readonly tensor: Tensor;
  /** Of the picture as it was sent, upright, in pixels. */
  readonly width: number;
  readonly height: number;
}

/** Makes tensors of pictures, away from the thread that answers probes. */
export interface ImageReader extends AsyncDisposable {
  /**
   * Decodes a picture and makes the tensor that `plan` says.
   * @throws InferenceError `REQUEST_INVALID` for what is no picture, or is damaged; `LIMIT_EXCEEDED`, `OVERLOADED`, `MODEL_TIMEOUT`
   */
  read(bytes: Uint8Array, plan: ImagePlan, caller?: CallerOptions): Promise<ImageTensor>;
}
