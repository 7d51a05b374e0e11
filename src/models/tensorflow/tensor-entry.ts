import type { ByteRange } from "./byte-source.ts";

/** One axis of a slice. */
export interface Extent {
  readonly start: number;
  readonly length: number;
}

/** How the bytes of a part are to be read: plain little-endian elements, a bundle's strings, or the value fields of a TensorProto. */
type PartEncoding = "raw" | "bundle-strings" | "tensor-proto";

/** A box of a tensor and where its values lie. */
export interface TensorPart {
  /** One extent per axis. */
  readonly extents: readonly Extent[];
  readonly encoding: PartEncoding;
  /** Opened when the values are wanted: a file that lacks them does not matter until then. @throws ProjectError naming the tensor. */
  readonly locate: () => ByteRange;
  /** Masked CRC-32C of the values, where the format has one. */
  readonly crc32c?: number | undefined;
}

/** A tensor of a checkpoint, not read yet. */
export interface TensorEntry {
  readonly name: string;
  /** DataType's number. */
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly parts: readonly TensorPart[];
}

/** An open checkpoint. */
export interface Checkpoint extends Disposable {
  /** By the key that the training gave. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Name for messages, such as `model.ckpt-200000`. */
  readonly name: string;
}

/** Elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
