/** The identity of a file at the time it was planned; a later read that finds another one refuses. */
export interface FileGuard {
  readonly dev: string;
  readonly ino: string;
  /** Bytes. */
  readonly size: number;
  /** Nanoseconds since the epoch, decimal. */
  readonly mtimeNs: string;
  /** Nanoseconds since the epoch, decimal. */
  readonly ctimeNs: string;
}

/** Literal bytes, or the whole of a file that is read when the content is streamed. */
export type Segment = { readonly kind: "bytes"; readonly bytes: Uint8Array } | { readonly kind: "file"; readonly path: string; readonly guard: FileGuard };

/** Content described rather than stored: no copy of the files exists. `size` is the sum of the segments, in bytes. */
export interface ContentPlan {
  readonly size: number;
  readonly segments: readonly Segment[];
}
