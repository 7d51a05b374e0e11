import type { Digest, Image, Layer, Platform } from "../oci/index.ts";

/** `new`: made or read now; `cached`: known from an earlier pack; `base`: of the base image. */
export type LayerState = "new" | "cached" | "base";

/** One layer of the plan, lowest first. */
export interface PlannedLayer {
  readonly label: string;
  readonly kind:
    | "base"
    | "node"
    | "server"
    | "onnxruntime"
    | "python"
    | "model"
    | "code"
    | "description";
  readonly state: LayerState;
  /** Bytes as stored. */
  readonly size: number;
  /** Absent for content that was never hashed. */
  readonly digest?: Digest | undefined;
  readonly layer: Layer;
  /** Of Python packages: the names that an import finds in the layer. */
  readonly modules?: readonly string[] | undefined;
}

/** An image that is ready to go anywhere, and how it came about. */
export interface PackedImage {
  readonly image: Image;
  readonly platform: Platform;
  readonly layers: readonly PlannedLayer[];
}
