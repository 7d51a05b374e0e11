import type { Bytes, CallOptions, ContentPlan } from "../../ground/bytes/index.ts";
import type { DeflatePool } from "../compress/index.ts";
import type { Descriptor, Digest, Sink, Source } from "../oci/index.ts";

/** Small JSON values that can be made again. */
export interface JsonCache {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
}

/** Where finished layers go and come from; weight layers go in by recipe. The local store is one. */
export interface PackStore extends Pick<Sink, "has" | "put">, Pick<Source, "open"> {
  putPlan(target: Descriptor, plan: ContentPlan, options?: CallOptions): Promise<void>;
}

/** Digests of file contents that were hashed before, found again without reading a byte of them. */
export interface DigestMemory {
  get(plan: ContentPlan): Promise<Digest | undefined>;
  set(plan: ContentPlan, digest: Digest): Promise<void>;
  /** True when such content was likely hashed before, under other times or another inode. */
  resembles(plan: ContentPlan, options?: CallOptions): Promise<boolean>;
}

/** How far a large file has been read for its digest, before anything is sent. */
export interface ReadProgress {
  /** Stable within one pack. */
  readonly id: string;
  readonly label: string;
  readonly state: "start" | "progress" | "done";
  readonly bytes: number;
  readonly size: number;
}

/** Parts of the tool itself that go into every image. Absolute paths on this machine. */
export interface ToolFiles {
  readonly version: string;
  /** Folder with `server.mjs` and its threads. */
  readonly serverFolder: string;
  /** Folder with `slipway_worker` and `compat`. */
  readonly workerFolder: string;
  /** Folder of the installed `onnxruntime-node` package, when there is one; `onnxruntime-common` lies beside it. */
  readonly onnxRuntimeFolder?: string | undefined;
  /** A Node binary of this machine that may be the pinned one; used when its hash says so. */
  readonly nodeBinary?: string | undefined;
}

/** What building an image needs from outside. */
export interface PackContext extends CallOptions {
  readonly store: PackStore;
  readonly digests: DigestMemory;
  /** A cache per namespace. */
  cache(namespace: string): JsonCache;
  /** For staging and downloads; safe to delete. */
  readonly cacheDir: string;
  readonly tool: ToolFiles;
  readonly pool: DeflatePool;
  /** Environment of the command, for the tools that resolve Python packages. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Downloads a package of the npm registry as a gzipped tar. */
  downloadPackage(name: string, version: string, options?: CallOptions): Bytes;
  readonly onStep?: ((text: string) => void) | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
  /** Told of reading that takes a while. */
  readonly onRead?: ((progress: ReadProgress) => void) | undefined;
}
