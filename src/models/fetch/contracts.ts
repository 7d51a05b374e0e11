import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";
import type { HttpClient } from "../../ground/http/index.ts";

/** Variables, by name. */
export type FetchEnvironment = Readonly<Record<string, string | undefined>>;

/** An entry of a tar, as far as it matters here. */
export interface ArchiveEntry {
  /** Relative, parts joined by `/`, no `.` or `..` parts; `.` for the root itself. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "hardlink" | "device";
  /** Bytes of content. */
  readonly size: number;
}

/** Reads a tar as it streams. An entry's content must be read before the next entry is asked for. */
type ReadTar = (
  bytes: Bytes,
  options: CallOptions & {
    readonly maxEntries: number;
    readonly maxBytes: number;
    readonly refuseDuplicates: boolean;
  },
) => AsyncIterable<{
  readonly entry: ArchiveEntry;
  /** Offset of the content in the tar, in bytes. */
  readonly contentAt: number;
  readonly content: Bytes;
}>;

/** Unpacks a stream of one or more gzip members, or of zstd frames. */
type Uncompress = (
  stored: Bytes,
  compression: "gzip" | "zstd",
  options: { readonly maxBytes: number; readonly signal?: AbortSignal | undefined },
) => Bytes;

/** Part of an image or artifact in a registry. */
export interface ImagePart {
  /** `layer`: a file system change set, of which `/models` counts; `files`: a tar of the model's files; `file`: one file as it is. */
  readonly kind: "layer" | "files" | "file";
  /** Of a `file`: its path in the model. */
  readonly path?: string | undefined;
  /** True for a layer that has nothing of the model when its first entry has not, as ours are: the rest of it is not read. */
  readonly isSorted?: boolean | undefined;
  /** Bytes as stored. */
  readonly size: number;
  /** `sha256:…` of the bytes as stored. */
  readonly digest: string;
  /** From a byte on; verified here only where its digest is no sha256. A chunk stays as it is until 3 MiB more were taken. */
  open(offset: number, options?: CallOptions): Bytes;
}

/** What an image's or a ModelPack artifact's manifest lists that may be of the model, lowest first. */
export interface ImageParts {
  /** `sha256:…` of the manifest. */
  readonly digest: string;
  readonly parts: readonly ImagePart[];
}

/** Bounds of what is fetched. */
export interface FetchLimits {
  /** Bytes of a download, and of what an archive unpacks to. Default 64 GiB. */
  readonly maxBytes: number;
  /** Files of a model. Default 100 000. */
  readonly maxFiles: number;
}

/** How far a download is. */
export interface FetchProgress {
  /** Bytes that have come. */
  readonly bytes: number;
  /** Bytes in all, where that is known. */
  readonly size?: number | undefined;
}

/** What fetching needs of the world. */
export interface FetchContext extends CallOptions {
  /** Knows the names of `HOSTS`. */
  readonly client: HttpClient;
  readonly environment: FetchEnvironment;
  readonly readTar: ReadTar;
  readonly uncompressed: Uncompress;
  /** Opens an image, or a ModelPack artifact. @param name - `HOST/REPOSITORY:TAG` or `…@sha256:…` */
  readonly openImage: (name: string) => Promise<ImageParts>;
  readonly limits: FetchLimits;
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
  /** Told of what is tried again, one sentence each. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** One content to land: an archive that is unpacked, or a file of the model. */
export interface FetchedContent {
  /** Path of the file in the model, or the name by which the content is known; empty where there is none. */
  readonly name: string;
  /** `auto`: an archive when the content and the name are those of one. */
  readonly as: "auto" | "archive" | "file" | "layer";
  /** As that of an `ImagePart`. */
  readonly isSorted?: boolean | undefined;
  /** Lower-case hex, where it is known. */
  readonly sha256?: string | undefined;
  /** Bytes, where that is known. */
  readonly size?: number | undefined;
  /** A fresh stream for each call, whose chunks stay as they are until 3 MiB more were taken. `onName` is told a better name, from the answer. */
  open(options: OpenOptions): Bytes;
}

export interface OpenOptions extends CallOptions {
  readonly onName?: ((name: string) => void) | undefined;
  readonly onSize?: ((bytes: number) => void) | undefined;
  /** Told what names the content, where it can be had from any byte on. */
  readonly onValidator?: ((validator: string) => void) | undefined;
  /** What came of the content of that validator before: only the rest is given. Default: nothing. */
  readonly from?: { readonly position: number; readonly validator: string } | undefined;
}

/** Where a model comes from, looked at: what there is to fetch, and how to know it again. */
export interface FetchPlan {
  /** For messages, without secrets. */
  readonly label: string;
  /** What errors of its contents begin with, where the source itself says what failed. */
  readonly action: string;
  /** Another one means another model; without secrets. */
  readonly key: string;
  readonly contents: readonly FetchedContent[];
  /** A model that lies on this machine and is served where it is; absolute. */
  readonly inPlace?: string | undefined;
}
