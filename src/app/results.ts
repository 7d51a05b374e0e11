import type { Descriptor, Digest } from "../images/oci/index.ts";
import type { PlannedLayer } from "../images/pack/index.ts";
import type { Detail } from "../models/kinds/index.ts";
import type { Conversion } from "./convert/convert-model.ts";
import type { Fate, PushForecast } from "./pack/forecast.ts";

/** One layer of an image that was made or planned, base first. */
export interface LayerResult extends Pick<PlannedLayer, "label" | "kind" | "size" | "state"> {
  /** Absent in a plan, for files that nobody has read yet. */
  readonly digest?: Digest | undefined;
  /** In a plan: what a push to the first name would do with it. */
  readonly push?: Fate | undefined;
}

/** One image for one platform, made or planned. Every use case that makes images gives a list of them. */
export interface ImageResult {
  /** `os/architecture`. */
  readonly platform: string;
  /** Of its manifest. Absent in a plan. */
  readonly digest?: Digest | undefined;
  readonly names: readonly string[];
  /** True when a registry has it under its names; else the local store has. */
  readonly isPushed: boolean;
  readonly base: {
    readonly name: string;
    readonly digest: Digest;
    /** Version, `3.11.2`. Absent where the base has none. */
    readonly python?: string | undefined;
    readonly glibc?: string | undefined;
  };
  readonly layers: readonly LayerResult[];
}

/** Bytes of blobs, as stored, by what became of them at a push. */
export interface TransferResult {
  readonly bytesUploaded: number;
  readonly bytesMounted: number;
  readonly bytesSkipped: number;
}

/** What was made, and where it went. */
export interface ImagesResult extends TransferResult {
  readonly kind: "made";
  readonly images: readonly ImageResult[];
  readonly names: readonly string[];
  /** What the names point at: the image, or the index over several. */
  readonly descriptor: Descriptor;
  readonly isPushed: boolean;
  /** Bytes of all layers as stored; what platforms share counts once. */
  readonly sizeBytes: number;
  readonly tookMs: number;
  /** How the model became ONNX, where it was converted for the pack. */
  readonly conversion?: Conversion | undefined;
}

/** What would be made. */
export interface PlanResult {
  readonly kind: "plan";
  readonly name: string;
  readonly model: {
    readonly kind: string;
    readonly contract: string;
    readonly label: string;
    readonly details: Readonly<Record<string, Detail>>;
  };
  readonly images: readonly ImageResult[];
  /** What pushes would do, one for each name in a registry. */
  readonly pushes: readonly PushForecast[];
  /** How the model became ONNX, where it was converted for the pack. */
  readonly conversion?: Conversion | undefined;
}
