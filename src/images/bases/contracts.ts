import type { CallOptions } from "../../ground/bytes/index.ts";
import type { Digest, Image, Platform, Sink, Source } from "../oci/index.ts";

/** Where finished layers go and are read back from. A store is one. */
export type BlobStore = Pick<Sink, "has" | "put"> & Source;

/** Debian's names of the architectures that bases are made for. */
export type DebianArchitecture = "amd64" | "arm64";

/** One package, exactly: what the signed index says of it. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  /** `all` for packages without machine code. */
  readonly architecture: string;
  /** Bytes of the `.deb`. */
  readonly size: number;
  /** Of the `.deb`, 64 hex digits. */
  readonly sha256: string;
  /** Where the index says the `.deb` is. */
  readonly url: string;
}

/** A package that is there already, as far as solving needs to know. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** The `Provides` field, verbatim. */
  readonly provides?: string | undefined;
}

/** Exact packages of a base, one list per architecture; plain data for a lock file. */
export interface DebianLock {
  readonly version: 1;
  readonly suite: string;
  readonly include: readonly string[];
  readonly architectures: Readonly<Partial<Record<DebianArchitecture, readonly DebianPackage[]>>>;
}

/** Where packages come from and what may be kept. */
export interface AptOptions extends CallOptions {
  /** Release name such as `bookworm`. Default: the host's own when it is a Debian release, else `bookworm`. */
  readonly suite?: string | undefined;
  /** Base address of a mirror. Default: the host's, else `http://deb.debian.org/debian`. */
  readonly mirror?: string | undefined;
  /** Time stamp of snapshot.debian.org, such as `20260101T000000Z`; excludes `mirror`. */
  readonly snapshot?: string | undefined;
  /** Key ring that the indexes must be signed with. Default: Debian's archive key ring of the host. */
  readonly keyring?: string | undefined;
  /** Folder for indexes and downloads; safe to delete. */
  readonly cacheDir: string;
  /** Clock in milliseconds, to tell how old an index is. Without it every call refreshes the index. */
  readonly now?: (() => number) | undefined;
  /** An index younger than this is not refreshed. Default one hour. */
  readonly maxIndexAgeMs?: number | undefined;
  /** Told in one sentence what the user should know but need not act on. */
  readonly onWarning?: ((text: string) => void) | undefined;
  /** Told when a step begins. */
  readonly onProgress?: ((step: BuildStep) => void) | undefined;
}

/** A step of the build of one architecture. `bytes` is what the step is about to move, where known. */
export interface BuildStep {
  readonly step: "index" | "solve" | "download" | "unpack" | "compress";
  readonly architecture: DebianArchitecture;
  readonly bytes?: number | undefined;
  /** What the step is about, such as a layer's name. */
  readonly label?: string | undefined;
}

export interface DebianBaseOptions extends AptOptions {
  /** Packages on top of the minimal set; `name` or `name=version`. */
  readonly include?: readonly string[] | undefined;
  /** Default `["amd64"]`. */
  readonly architectures?: readonly DebianArchitecture[] | undefined;
  /** Time of every file and of the image, seconds since the epoch (`SOURCE_DATE_EPOCH`). Default 0. */
  readonly epochS?: number | undefined;
  /** A whole Debian with its scripts run, made by `mmdebstrap`. Default false. */
  readonly isFull?: boolean | undefined;
  /** Exact packages to use in place of solving. */
  readonly lock?: DebianLock | undefined;
  readonly blobs: BlobStore;
}

/** One base image, and what is in it. */
export interface BuiltBase {
  readonly platform: Platform;
  readonly image: Image;
  readonly facts: BaseFacts;
  /** What was unpacked, sorted by name; empty for a full Debian. */
  readonly packages: readonly DebianPackage[];
  /** Layers that were made now rather than found. */
  readonly layersMade: number;
}

export interface DebianBase {
  readonly images: readonly BuiltBase[];
  /** What to write to a lock file for the same base elsewhere. */
  readonly lock: DebianLock;
}

/** What is worth knowing about a Debian base; kept in its labels, see `readBaseFacts`. */
export interface BaseFacts {
  readonly suite: string;
  readonly architecture: DebianArchitecture;
  /** Such as `2.36`. */
  readonly glibc: string;
  readonly python?: PythonFacts | undefined;
  /** Everything installed, sorted by name. */
  readonly packages: readonly InstalledPackage[];
  /** File names of shared libraries in the loader's own folders, sorted. */
  readonly sonames: readonly string[];
  /** Folders that are not plain 0755 of root, by absolute path. */
  readonly directories: Readonly<Record<string, DirectoryFacts>>;
  /** Over names, versions and hashes of the packages. */
  readonly packagesDigest?: Digest | undefined;
  readonly snapshot?: string | undefined;
}

export interface PythonFacts {
  /** Such as `3.11.2`. */
  readonly version: string;
  /** Absolute path in the image. */
  readonly executable: string;
  /** Where Debian's own Python packages are. */
  readonly sitePackages: string;
}

export interface DirectoryFacts {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}
