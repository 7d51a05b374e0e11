import type { CallOptions } from "../../ground/bytes/index.ts";
import type { Descriptor, Layer, Platform, Reference } from "../oci/index.ts";

/** What has become of one blob so far. Events of one blob come in order; those of several are mixed. */
export interface CopyProgress {
  readonly kind: "blob";
  /** Stable within one call. */
  readonly id: string;
  /** What a person would call it. */
  readonly label: string;
  /**
   * `skipped`: it was there; `mounted`: it was taken from another repository of the same place; `resumed`: an upload that broke off, here or in an earlier
   * process, goes on at `bytes`.
   */
  readonly state: "start" | "progress" | "resumed" | "done" | "skipped" | "mounted";
  /** Bytes moved so far; after a resumed upload those of the earlier try count too. */
  readonly bytes: number;
  /** Bytes in all, as stored. */
  readonly size: number;
}

/** What a copy came to. Blobs are layers and configs, each counted once; manifests and indexes are counted apart. */
export interface CopyResult {
  /** Of the manifest or index at the top, as it is in the sink. */
  readonly descriptor: Descriptor;
  readonly blobs: number;
  readonly blobsUploaded: number;
  readonly blobsMounted: number;
  readonly blobsSkipped: number;
  /** Manifests and indexes written; the ones that were there are not. */
  readonly manifestsUploaded: number;
  /** Sizes of the blobs and manifests that were uploaded. */
  readonly bytesUploaded: number;
  readonly bytesMounted: number;
  /** Sizes of the blobs that were there. */
  readonly bytesSkipped: number;
  /** Bytes handed to the sink: less than `bytesUploaded` when an upload was resumed, more when one was repeated. */
  readonly bytesSent: number;
}

export interface TransferOptions extends CallOptions {
  /** Names that the image gets at the end, in order; none leaves it without a name. */
  readonly to?: readonly Reference[] | undefined;
  /**
   * Blobs on their way at once. Default 4: enough to hide latency, and what a disk or an archive likes. 16 for a sink that resumes, that
   * is a registry, since that one has a limit of its own, which adapts.
   */
  readonly concurrency?: number | undefined;
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
  /**
   * Repositories of the sink's own place that may hold blobs already, best first; asked of each blob that the sink lacks,
   * before bytes are sent. The first two are tried.
   */
  readonly mountFrom?:
    | readonly Reference[]
    | ((target: Descriptor) => readonly Reference[])
    | undefined;
}

export interface CopyOptions extends TransferOptions {
  /** What to copy: a name to resolve, or a manifest that is known. */
  readonly from: Reference | Descriptor;
  /** Of an index, only the image for this platform; the names then point at that image. A single image for another one is refused. */
  readonly platform?: Platform | undefined;
  /** Gives what is copied OCI media types. Blobs stay as they are; a Docker manifest, and what lists it, get new digests. */
  readonly convert?: "oci" | undefined;
  /** What to call a blob in progress. Default: its title, else the start of its digest. */
  readonly labelOf?: ((blob: Descriptor) => string | undefined) | undefined;
  /** Finds what refers to a manifest (signatures, bills of materials); what it names is copied too. Default: nothing is. */
  readonly referrersOf?:
    | ((subject: Descriptor, options: CallOptions) => Promise<readonly Descriptor[]>)
    | undefined;
}

export interface PushImageOptions extends TransferOptions {
  /** What to call a layer in progress; `index` counts from the base up. Default: the start of its digest. */
  readonly labelOf?: ((layer: Layer, index: number) => string | undefined) | undefined;
}
