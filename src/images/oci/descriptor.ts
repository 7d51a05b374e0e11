/**
 * `sha256:` and 64, or `sha512:` and 128, lower-case hex digits; only `parseDigest` and `digestOf` make one.
 * What this project writes is always sha256. @see image-spec, descriptor.md#digests
 */
export type Digest = `sha256:${string}` | `sha512:${string}`;

/** Os and architecture in Go's names. @see image-spec, image-index.md */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  /** Windows only. */
  readonly "os.version"?: string;
  /** Windows only. */
  readonly "os.features"?: readonly string[];
}

/** Points at content by hash. Frozen plain data. `size` is bytes as stored, that is, after compression. @see image-spec, descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly platform?: Platform;
  /** Where else the content is; foreign layers are nowhere else. This project passes them on and never follows them. */
  readonly urls?: readonly string[];
}
