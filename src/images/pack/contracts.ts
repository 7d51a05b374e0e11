import type { DeflatePool } from "../compress/index.ts";
import type { Bytes, CallOptions, ContentPlan } from "../../ground/bytes/index.ts";
import type {
  CodeEntry,
  Contract,
  ModelKind,
  Ports,
  ServerSettings,
  ServiceType,
} from "../../models/description/index.ts";
import type {
  Descriptor,
  Digest,
  Image,
  Layer,
  Platform,
  Reference,
  Sink,
  Source,
} from "../oci/index.ts";
import type { Signature } from "../../models/tensor/index.ts";
import type { IndexOptions } from "../python-packages/index.ts";

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

/** What packing needs from outside. */
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

/** The Python of a base image. */
export interface PythonFacts {
  readonly version: string;
  readonly executable: string;
  readonly sitePackages: string;
  /** False when the base has no `/usr/bin/python`; absent where nobody looked. */
  readonly hasPlainName?: boolean | undefined;
}

/** What is known of a base image beyond its manifest and config. */
export interface BaseFacts {
  readonly python?: PythonFacts | undefined;
  /** Such as `2.36`; absent when the base has no glibc. */
  readonly glibc?: string | undefined;
  /** True when the base brings the server of the old inference service, which gunicorn starts. */
  readonly hasUaiServer?: boolean | undefined;
  /** File names of shared libraries in the loader's folders. */
  readonly sonames: readonly string[];
  /** Folders that are not plain 0755 of root, by absolute path. */
  readonly directories: Readonly<
    Record<string, { readonly mode: number; readonly uid: number; readonly gid: number }>
  >;
}

/** A base image for one platform. */
export interface BaseImage {
  readonly image: Image;
  readonly platform: Platform;
  readonly facts: BaseFacts;
  /** Full name, for `org.opencontainers.image.base.name`. */
  readonly name: string;
  /** Digest of the image's manifest. */
  readonly digest: Digest;
  /** Debian packages that the project asks for, and how many layers of `image` hold them: the last ones. */
  readonly added?: { readonly packages: readonly string[]; readonly layers: number } | undefined;
  /** The repository to mount the base's blobs from. */
  readonly mountFrom?: Reference | undefined;
}

/** A project with everything decided; paths absolute. */
export interface PackProject {
  readonly root: string;
  readonly name: string;
  readonly kind: ModelKind;
  /** File or folder below `root`; absent when user code brings everything itself. */
  readonly modelPath?: string | undefined;
  /** Files that the model is made of, relative to `root`; they are weights whatever their names. */
  readonly modelFiles?: readonly string[] | undefined;
  readonly code?: CodeEntry | undefined;
  readonly signature?: Signature | undefined;
  readonly contract: Contract;
  readonly service: ServiceType;
  readonly ports: Ports;
  readonly server: ServerSettings;
  /** Starts a server that the base brings: nothing of ours goes in, and the base's user stays. Absent when our server serves. */
  readonly startCommand?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Requirements files, relative to `root`. */
  readonly requirements: readonly string[];
  /** More requirements, as lines of such a file. */
  readonly requirementLines: readonly string[];
  readonly indexes?: IndexOptions | undefined;
  /** The Python that the base must have, such as `3.11`. */
  readonly pythonVersion?: string | undefined;
  /** Shared libraries that Python packages may miss. */
  readonly ignoreLibraries?: readonly string[] | undefined;
  readonly ignore: readonly string[];
  /** Files that the tool adds, by their path in the image without a leading slash; they take the place of the project's own. */
  readonly added?: readonly { readonly path: string; readonly bytes: Uint8Array }[] | undefined;
  /** Patterns of files in which secrets are allowed. */
  readonly allowSecrets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Seconds since the epoch, `SOURCE_DATE_EPOCH`. Default 0. */
  readonly epochS: number;
}

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
}

/** An image that is ready to go anywhere, and how it came about. */
export interface PackedImage {
  readonly image: Image;
  readonly platform: Platform;
  readonly layers: readonly PlannedLayer[];
}
