export type { Datatype, Signature, Tensor, TensorSpec } from "./types.ts";
