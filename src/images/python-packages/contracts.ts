import type { DeflatePool } from "../compress/index.ts";
import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";
import type { Descriptor, Digest, Platform, Sink, Source } from "../oci/index.ts";
import type { AptWay } from "./libraries.ts";

/** The C library of the base image. */
interface Libc {
  readonly kind: "glibc" | "musl";
  /** Such as `2.36`; wheels that need a newer one are not chosen. */
  readonly version: string;
}

/** Where the packages will run. */
export interface PythonTarget {
  /** Major and minor, such as `3.11`. */
  readonly pythonVersion: string;
  readonly platform: Platform;
  readonly libc: Libc;
  /** Absolute folder in the image. Default `/opt/slipway/site-packages`. */
  readonly sitePackages?: string | undefined;
  /** Absolute path of Python in the image, for the first line of scripts. Default: `python3` by way of `/usr/bin/env`. */
  readonly interpreter?: string | undefined;
  /** File names of the shared libraries the base has (`libgomp.so.1`). When absent, missing libraries are not looked for. */
  readonly libraries?: readonly string[] | undefined;
}

/** Where packages come from beside what the requirements files say. URLs may carry credentials; they are never shown or kept. */
export interface IndexOptions {
  /** Replaces the default index. */
  readonly indexUrl?: string | undefined;
  readonly extraIndexUrls?: readonly string[] | undefined;
  /** A package is taken from whichever index has the best version of it. Default false: from the first one that has its name. */
  readonly areEqual?: boolean | undefined;
  /** Folders (absolute or below `root`) or pages with wheels. */
  readonly findLinks?: readonly string[] | undefined;
  /** Look at `findLinks` only. */
  readonly noIndex?: boolean | undefined;
}

/** What is wanted, whatever it will run on. */
export interface WantedPackages {
  /** Absolute folder: relative paths start here. */
  readonly root: string;
  /** Requirements files, absolute or below `root`. */
  readonly files: readonly string[];
  /** More requirements, as lines of such a file. */
  readonly lines?: readonly string[] | undefined;
  readonly indexes?: IndexOptions | undefined;
}

/** The packages that are wanted for an image. */
export interface PythonRequest extends WantedPackages {
  readonly target: PythonTarget;
  /**
   * A Python of this machine, of the target's minor version, that compiles the packages into layers of their own above the others.
   * Imports are about four times faster at every start; the digests of these layers depend on its exact version. Default: none.
   */
  readonly precompileWith?: string | undefined;
}

/** Where finished layers go and come from. A store is one; `has` must not answer true for a blob that `open` cannot give. */
export type LayerStore = Pick<Sink, "has" | "put"> & Pick<Source, "open">;

/** Small JSON values by key. What it forgets is computed again. */
export interface JsonCache {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
}

/** What the work needs from outside. */
export interface PythonContext extends CallOptions {
  readonly store: LayerStore;
  readonly cache: JsonCache;
  /** Folder for staging; best on the file system of uv's cache, so that files are linked and not copied. */
  readonly workDir: string;
  /** Environment of the tools and where their settings are read: that of the command. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Resolve again though the requirements have not changed. Default false. */
  readonly refresh?: boolean | undefined;
  /** Sonames that may be missing: parts of a package that this image does not use. */
  readonly ignoreLibraries?: readonly string[] | undefined;
  /** How the command at hand adds Debian packages, for the hint. Default: the project file. */
  readonly aptWay?: AptWay | undefined;
  /** Told of what is odd and does no harm. */
  readonly onNote?: ((text: string) => void) | undefined;
  /** Compressor threads to share. */
  readonly pool?: DeflatePool | undefined;
  readonly onProgress?: ((event: PythonProgress) => void) | undefined;
}

/** What is being done, for a progress line. */
type PythonProgress =
  | { readonly kind: "resolve" }
  | { readonly kind: "install"; readonly packages: number }
  | {
      readonly kind: "layer";
      readonly label: string;
      readonly bytes: number;
      readonly state: "built" | "reused";
    };

/** One chosen wheel. */
export interface LockedWheel {
  /** Normalised: lower case, dashes. */
  readonly name: string;
  readonly version: string;
  /** `numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl` */
  readonly fileName: string;
  /** Hex. */
  readonly sha256: string;
  /** Set for a requirement that names its wheel: an absolute path or a URL without credentials. */
  readonly direct?: string;
}

/** What was chosen for a request: name order, one wheel per name. */
export interface PythonLock {
  readonly wheels: readonly LockedWheel[];
  /** True when no tool had to be asked. */
  readonly isFromCache: boolean;
}

/** A package in the image, for SBOMs and reports. */
export interface PythonPackage extends LockedWheel {
  /** Bytes unpacked. */
  readonly size: number;
  readonly isPure: boolean;
  /** Names that an import finds in it. */
  readonly modules: readonly string[];
  /** As the package states it, an SPDX expression or free text; absent when it does not. */
  readonly license?: string;
  readonly summary?: string;
}

/** A layer of packages, as stored. */
export interface PythonLayer {
  /** `python: scipy 1.17.1`, `python: 5 packages`. */
  readonly label: string;
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** Names of the packages in it. */
  readonly packages: readonly string[];
  /** The stored blob, a fresh stream per call. */
  open(options?: CallOptions): Bytes;
}

/** Everything the image gets from the requirements. */
export interface PythonLayers {
  /** Lowest first: large wheels, then groups. */
  readonly layers: readonly PythonLayer[];
  readonly packages: readonly PythonPackage[];
  /** The newest glibc any wheel asks for, such as `2.28`; absent when none does. */
  readonly neededGlibc?: string;
  /** Absolute folder in the image. */
  readonly sitePackages: string;
  /** Wheels that had to be unpacked for this; 0 when everything was known. */
  readonly unpacked: number;
}
