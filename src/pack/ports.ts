import type { DeflatePool } from "../compress/index.ts";
import type { CallOptions, ContentPlan } from "../internal/index.ts";
import type { Descriptor, Digest, Sink, Source } from "../oci/index.ts";
import type { JsonCache } from "./python/index.ts";

/** Where finished layers go and come from. `has` must not answer true for a blob that `open` cannot give. A store is one. */
export type BlobStore = Pick<Sink, "has" | "put"> & Pick<Source, "open">;

/** A blob store that also keeps content by recipe, so that weights are never copied. */
export interface PlanSink {
  /** The caller vouches for the digest. */
  putPlan(target: Descriptor, plan: ContentPlan, options?: CallOptions): Promise<void>;
}

/** Digests of contents that were hashed before, found again without reading them. */
export interface DigestCache {
  get(plan: ContentPlan): Promise<Digest | undefined>;
  /** Keeps a digest that a whole pass over the plan found. */
  set(plan: ContentPlan, digest: Digest): Promise<void>;
}

/** What packing needs from outside. */
export interface PackDeps {
  readonly store: BlobStore;
  readonly digests: DigestCache;
  readonly cache: JsonCache;
  /** Folder for temporary files; best on the file system of uv's cache. */
  readonly workDir: string;
  /** Compressor threads to share. Default: some of its own, only when they pay. */
  readonly pool?: DeflatePool | undefined;
}

export type { JsonCache };
