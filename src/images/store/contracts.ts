import type { Bytes, CallOptions, ContentPlan } from "../../ground/bytes/index.ts";
import type {
  Descriptor,
  Digest,
  IngestSink,
  Reference,
  ResumableSink,
  Source,
} from "../oci/index.ts";
import type { RangeOptions } from "./blobs.ts";
import type { GcOptions, GcResult } from "./collect.ts";
import type { DigestCache } from "./digest-cache.ts";
import type { JsonCache } from "./json-cache.ts";
import type { StoredImage } from "./tags.ts";

/** Content by recipe: weight layers are streamed from the user's own files and never copied. */
export interface PlanStore {
  /**
   * Keeps a recipe as the content of `target`. The caller vouches for the digest; opening verifies it.
   * @throws ToolError `STORE_UNWRITABLE` or `DISK_FULL`.
   */
  putPlan(target: Descriptor, plan: ContentPlan, options?: CallOptions): Promise<void>;
  /** The recipe of a blob, also when its files have changed. */
  planOf(digest: Digest, options?: CallOptions): Promise<ContentPlan | undefined>;
  /** True when there is a recipe and every file it names is unchanged. */
  hasPlan(target: Descriptor, options?: CallOptions): Promise<boolean>;
}

/** What a registry needs beyond `Source` and `Sink`. */
export interface RawStore {
  /** Bytes of a blob, real or by recipe, or `undefined`. Reads no content. */
  sizeOf(digest: Digest, options?: CallOptions): Promise<number | undefined>;
  /** A part of a blob, **not** verified. @throws ContentError `BLOB_NOT_FOUND` before the first byte. */
  read(digest: Digest, options?: RangeOptions): Bytes;
  /** The path of a blob that is a real file. Read only. */
  blobPath(digest: Digest, options?: CallOptions): Promise<string | undefined>;
  /** Takes over a file of `dataDir` whose content the caller has verified. */
  adoptFile(path: string, digest: Digest, options?: CallOptions): Promise<void>;
  /** All digests that the roots lead to through manifests and indexes of the store, the roots included. */
  reach(roots: readonly Descriptor[], options?: CallOptions): Promise<ReadonlySet<Digest>>;
  /** Forgets a blob and its recipe. @returns false when there was none. */
  removeBlob(digest: Digest, options?: CallOptions): Promise<boolean>;
}

/** Names in the store. */
export interface ImageList {
  /** All names, or those of one repository, sorted. */
  list(options?: ListOptions): Promise<readonly StoredImage[]>;
  /** When a name was last given to something else than before. */
  taggedAt(reference: Reference): Promise<Date | undefined>;
  /** Removes a name; its content goes with the next `gc`. @returns false when there was no such name. */
  untag(reference: Reference, options?: CallOptions): Promise<boolean>;
}

interface ListOptions extends CallOptions {
  readonly repository?: Pick<Reference, "registry" | "repository"> | undefined;
}

/**
 * The local store: every image that was packed or pulled, on disk, shared by all processes of the user. Safe for
 * concurrent use, within a process and between processes. Disposing removes this instance's unfinished files; a
 * process that dies without it leaves them for the next one to remove.
 *
 * `has` is a `stat`; a recipe counts as there only while its files are unchanged. `tag` with a reference that has a
 * digest and no tag makes the repository hold that manifest without a name.
 */
export interface Store
  extends Source, IngestSink, ResumableSink, PlanStore, RawStore, ImageList, AsyncDisposable {
  readonly dataDir: string;
  readonly cacheDir: string;
  /** Removes what no name reaches. */
  gc(options?: GcOptions): Promise<GcResult>;
  /** Small JSON values below `cacheDir`, safe to lose. `namespace`: lower-case letters, digits, dashes. */
  cache(namespace: string): JsonCache;
  /** Digests of contents that were hashed before. */
  digestCache(): DigestCache;
}
