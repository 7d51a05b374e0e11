import type { CallOptions } from "../internal/index.ts";
import type { Descriptor, Layer, Platform, Reference } from "../oci/index.ts";

/** One blob or manifest on its way. `skipped`: it was there; `mounted`: it was taken from another repository of the same place. */
export interface CopyProgress {
  readonly kind: "blob";
  /** Stable within one call. */
  readonly id: string;
  readonly label: string;
  readonly state: "start" | "progress" | "done" | "skipped" | "mounted";
  /** Bytes moved so far. */
  readonly bytes: number;
  /** Bytes in all, as stored. */
  readonly size: number;
}

/** What a copy came to. Bytes as stored; manifests and configs are counted like blobs. */
export interface CopyResult {
  /** The manifest or index that was copied. */
  readonly descriptor: Descriptor;
  readonly bytesUploaded: number;
  readonly bytesMounted: number;
  readonly bytesSkipped: number;
  readonly blobsUploaded: number;
  readonly blobsMounted: number;
  readonly blobsSkipped: number;
}

export interface TransferOptions extends CallOptions {
  /** Names to move to the copied image, in order; none leaves it without a name. */
  readonly to?: readonly Reference[] | undefined;
  /** Blobs on their way at once. Default 4: what registries take without throttling, and enough to hide latency. */
  readonly concurrency?: number | undefined;
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
  /** Repositories of the sink's own place that may hold blobs already; tried in order before bytes are sent. */
  readonly mountFrom?: readonly Reference[] | undefined;
}

export interface CopyOptions extends TransferOptions {
  /** What to copy: a name to resolve, or a manifest that is known. */
  readonly from: Reference | Descriptor;
  /** Of an index, copy only the image for this platform; the names then point at that image. */
  readonly platform?: Platform | undefined;
}

export interface PushImageOptions extends TransferOptions {
  /** What to call a layer in progress; its short digest when absent. */
  readonly labelOf?: ((layer: Layer) => string | undefined) | undefined;
}
