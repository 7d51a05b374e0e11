import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";
import type {
  Descriptor,
  Digest,
  IngestSink,
  MountSink,
  RawOptions,
  ReopenableContent,
  ResumableSink,
  Source,
} from "../oci/index.ts";
import type { HttpTimeouts, ProxyEnvironment } from "../../ground/http/index.ts";
import type { Keychain } from "./keychain/contracts.ts";
import type { RegistryStats } from "./transport/stats.ts";

export interface RegistryOptions {
  /** As in image names: `docker.io`, `registry.test`, `127.0.0.1:5000`. */
  readonly host: string;
  /** Default: anonymous. */
  readonly keychain?: Keychain | undefined;
  /** Where unfinished uploads are remembered, so that a later process goes on with them. Default: they are not. */
  readonly stateDir?: string | undefined;
  /** Speak plain HTTP also where the host is not the loopback. On loopback it is tried by itself. Default false. */
  readonly plainHttp?: boolean | undefined;
  /** Hosts that are asked before this one when something is read. They are given `?ns=HOST`. */
  readonly mirrors?: readonly string[] | undefined;
  /** Where `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` are read. Default: no proxy. */
  readonly environment?: ProxyEnvironment | undefined;
  /** Addresses of host names that are not looked up, by name in lower case. Default none. */
  readonly hosts?: ReadonlyMap<string, string> | undefined;
  /** PEM certificates of authorities to trust besides the usual ones. */
  readonly ca?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly timeouts?: Partial<HttpTimeouts> | undefined;
  /** Largest body of one upload request, in bytes, for proxies that limit it. Default: the registry's own table, mostly no limit. */
  readonly chunkBytes?: number | undefined;
  /** Uploads at once, at most. Default 16; they start at 4 and grow while the throughput does. */
  readonly maxUploads?: number | undefined;
  /** Told each warning of the registry once. */
  readonly onWarning?: ((text: string) => void) | undefined;
  /** Pauses between attempts; replaced in tests. */
  readonly sleep?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;
}

/** A client of one registry. Connections are kept until it is disposed. */
export interface Registry extends AsyncDisposable {
  readonly host: string;
  /** A repository's content; cheap, nothing is asked. @throws ToolError `REFERENCE_INVALID`. */
  repository(name: string): Repository;
  /** Finds out whether the registry answers and takes our credential. @throws RegistryError. */
  ping(options?: CallOptions): Promise<void>;
  /** Names of repositories, in pages; many registries refuse. */
  catalog(options?: CallOptions): AsyncIterable<string>;
  stats(): RegistryStats;
  warnings(): readonly string[];
}

export interface OpenOptions extends CallOptions, RawOptions {
  /** First byte to give. Default 0. A part that does not start at 0 is checked by its length only. */
  readonly offset?: number | undefined;
}

export interface ReferrersOptions extends CallOptions {
  readonly artifactType?: string | undefined;
}

/**
 * One repository of a registry. Manifests and indexes are told from blobs by their media type. Every method may be called
 * concurrently. @throws RegistryError, ContentError.
 */
export interface Repository extends Source, MountSink, IngestSink, ResumableSink {
  readonly registry: string;
  readonly name: string;
  open(target: Descriptor, options?: OpenOptions): Bytes;
  /** As `ingest`, but survives cut connections, and killed processes when the content has a key. */
  ingestFrom(content: ReopenableContent, options?: CallOptions): Promise<Digest>;
  /** Finds out whether we may push here: begins an upload and takes it back. @throws RegistryError. */
  checkPush(options?: CallOptions): Promise<void>;
  /** Tags, in the registry's order. */
  listTags(options?: CallOptions): AsyncIterable<string>;
  /** What refers to a manifest by its `subject`. */
  referrers(subject: Digest, options?: ReferrersOptions): Promise<readonly Descriptor[]>;
  /** Removes a manifest with all its tags. @throws RegistryError `REGISTRY_REFUSED` where the registry does not delete. */
  deleteManifest(digest: Digest, options?: CallOptions): Promise<void>;
  deleteBlob(digest: Digest, options?: CallOptions): Promise<void>;
  /** Removes a tag and leaves its manifest. */
  deleteTag(tag: string, options?: CallOptions): Promise<void>;
}
