import type { Digest, Image, Platform, Reference } from "../oci/index.ts";

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
  /** Modules beside the standard library that an import finds in the base; absent where that is not known. */
  readonly modules?: readonly string[] | undefined;
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
