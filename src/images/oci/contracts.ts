import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";
import type { Descriptor, Digest } from "./descriptor.ts";
import type { Reference } from "./reference.ts";

/** One file-system change set. Immutable: every call may be repeated and gives the same answer. */
export interface Layer {
  /** Describes the stored blob. Free for a remote layer; hashes the content once for a local one. */
  descriptor(options?: CallOptions): Promise<Descriptor>;
  /** Digest of the tar before compression (`rootfs.diff_ids`). */
  diffId(options?: CallOptions): Promise<Digest>;
  /** The stored blob, a fresh stream per call. */
  open(options?: CallOptions): Bytes;
  /** The stored blob from a byte offset on; there where that is cheaper than reading what comes before. */
  openFrom?(offset: number, options?: CallOptions): Bytes;
}

/**
 * A layer whose length and media type are known but whose digest may not be yet. Lets a sink hash and
 * upload in one pass; `adopt` tells the layer what that pass found, so that `descriptor` is free afterwards.
 */
export interface UnhashedLayer extends Layer {
  readonly mediaType: string;
  /** Bytes as stored. */
  readonly size: number;
  /** Names the content before its digest is known: equal keys mean equal bytes, also in a later process. */
  readonly key?: string | undefined;
  /** The descriptor if it is known without reading the content. */
  known(options?: CallOptions): Promise<Descriptor | undefined>;
  /** True when the content was likely hashed before, so that a pass for the digest may save sending it. Default: it was not. */
  resemblesKnown?(options?: CallOptions): Promise<boolean>;
  /** Takes the digest found by a pass over `open()` that ended well. */
  adopt(digest: Digest): Promise<void>;
}

/** A single-platform image. Raw bytes are its identity; parsed views are derived, never re-serialised. */
export interface Image {
  /** Exact manifest bytes; their sha256 is the image digest. */
  rawManifest(options?: CallOptions): Promise<Uint8Array>;
  /** Exact config bytes; their sha256 is what Docker calls the image ID. */
  rawConfig(options?: CallOptions): Promise<Uint8Array>;
  /** Base layer first. */
  layers(options?: CallOptions): Promise<readonly Layer[]>;
}

/** How content is read for somebody who verifies the whole of it. */
export interface RawOptions {
  /**
   * Nothing is verified on the way, and each chunk is taken at once: it stays as it is until 3 MiB more were taken. Default false: content
   * from its first byte on is verified, and chunks are the reader's.
   */
  readonly isRaw?: boolean | undefined;
}

/** Read side of a content-addressed place: registry, layout directory, archive, store, memory. */
export interface Source {
  /** @throws ContentError `REFERENCE_NOT_FOUND`; registries may also throw RegistryError. */
  resolve(reference: Reference, options?: CallOptions): Promise<Descriptor>;
  /**
   * Verifies size and digest while streaming.
   * @throws ContentError `DIGEST_MISMATCH` or `SIZE_MISMATCH` in place of a clean end, `BLOB_NOT_FOUND` before the first byte.
   */
  open(target: Descriptor, options?: CallOptions): Bytes;
  /**
   * The content from a byte offset on, there where that is cheaper than reading what comes before. Only its length is verified: it is
   * for a sink that has the bytes before it and verifies the whole.
   */
  openFrom?(target: Descriptor, offset: number, options?: CallOptions & RawOptions): Bytes;
}

/** Write side. Children before parents: layers, config, manifest, index, then the tag. */
export interface Sink {
  /** True when the whole content is already there; lets `copy` skip it. */
  has(target: Descriptor, options?: CallOptions): Promise<boolean>;
  /** Idempotent and atomic: after an error or an abort the content is absent or whole, never partial. */
  put(target: Descriptor, content: Bytes, options?: CallOptions): Promise<void>;
  /** Moves the tag. The target must have been put. */
  tag(target: Descriptor, reference: Reference, options?: CallOptions): Promise<void>;
  /** True when it bounds by itself what it takes at the same time. Default false. */
  readonly hasOwnLimit?: boolean;
}

/** A sink that can take content of unknown digest in one pass. */
export interface IngestSink extends Sink {
  /** Hashes and stores `size` bytes at once. @returns the digest it stored them under. */
  ingest(content: Bytes, size: number, options?: CallOptions): Promise<Digest>;
}

/** Content of unknown digest that can be opened more than once, from any offset. */
export interface ReopenableContent {
  /** Bytes. */
  readonly size: number;
  /** The content from an offset on, a fresh stream per call. */
  open(offset: number, options?: CallOptions): Bytes;
  /** Names the content before its digest is known: equal keys mean equal bytes. Lets a later process go on with its upload. */
  readonly key?: string | undefined;
}

/** An ingest sink that survives cut connections, and killed processes when the content has a key. */
export interface ResumableIngestSink extends IngestSink {
  ingestFrom(content: ReopenableContent, options?: CallOptions): Promise<Digest>;
}

/** A sink that can make a blob of another repository appear without moving its bytes. */
export interface MountSink extends Sink {
  /** @returns false when the place would not mount; the caller then copies. */
  mount(target: Descriptor, from: Reference, options?: CallOptions): Promise<boolean>;
  /** Where the content is believed to be, best first, from what this place has seen earlier. Default: nowhere. */
  mountSources?(target: Descriptor, options?: CallOptions): Promise<readonly Reference[]>;
}

/**
 * A sink whose uploads can be taken up again after a crash. `open(offset)` gives the same content from a byte offset.
 * `put` of such a sink behaves the same for content that cannot be reopened.
 */
export interface ResumableSink extends Sink {
  putFrom(
    target: Descriptor,
    open: (offset: number, options?: RawOptions) => Bytes,
    options?: CallOptions,
  ): Promise<void>;
}
