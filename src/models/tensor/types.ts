/** Open Inference v2 names; `BF16` is an extension some servers use. @see open-inference-protocol, inference_rest.md#tensor-data-types */
export type Datatype =
  | "BOOL"
  | "UINT8"
  | "UINT16"
  | "UINT32"
  | "UINT64"
  | "INT8"
  | "INT16"
  | "INT32"
  | "INT64"
  | "FP16"
  | "BF16"
  | "FP32"
  | "FP64"
  | "BYTES";

/** `shape` has one entry per axis; -1 marks an axis of any length. Axis 0 is the batch when the model batches. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** True when not even the number of axes is known; `shape` is `[-1]` then, and not to be checked. */
  readonly isRankUnknown?: boolean;
}

/** `data` is row-major, little-endian, unpadded: product(shape) × item size bytes; in `BYTES` a u32 length precedes each item. No -1 in `shape`. */
export interface Tensor extends TensorSpec {
  readonly data: Uint8Array;
}

/** What a model takes and gives, in order. */
export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}
