import { readFile } from "node:fs/promises";
import { noFile } from "../../ground/process/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";
import {
  isIndexType,
  isManifestType,
  MAX_MANIFEST_BYTES,
  MEDIA_TYPES,
  parseDigest,
  type Descriptor,
  type Digest,
} from "../oci/index.ts";
import { blobSize, type BlobPlace } from "./blobs.ts";
import { blobFileOf } from "./store-paths.ts";

/** Everything that can be reached from some descriptors. */
export interface Reach {
  readonly digests: ReadonlySet<Digest>;
  /** Manifests and indexes that are pointed at but are not in the store. */
  readonly missing: ReadonlySet<Digest>;
}

/**
 * Follows manifests and indexes to all they name. Only roots and entries of indexes are read; a config or layer is not,
 * whatever type its descriptor claims.
 * @throws ToolError `STORE_INVALID` when a manifest in the store is damaged.
 */
export async function reachOf(
  place: BlobPlace,
  roots: readonly Descriptor[],
  options: CallOptions = {},
): Promise<Reach> {
  const digests = new Set<Digest>();
  const missing = new Set<Digest>();
  const read = new Set<Digest>();
  const waiting: Child[] = [...roots];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    options.signal?.throwIfAborted();
    digests.add(next.digest);
    if (read.has(next.digest)) continue;
    read.add(next.digest);
    if (!isDocument(next.mediaType)) continue;
    const bytes = await readManifest(place, next.digest);
    if (bytes === undefined) missing.add(next.digest);
    else {
      const children = childrenOf(place, next.digest, bytes);
      for (const leaf of children.leaves) digests.add(leaf);
      waiting.push(...children.manifests);
    }
  }
  return { digests, missing };
}

/** Reads a manifest whole, or gives `undefined`. Not verified. @throws ToolError `STORE_INVALID` when it is too large. */
async function readManifest(place: BlobPlace, digest: Digest): Promise<Buffer | undefined> {
  const size = await blobSize(place, digest);
  if (size === undefined) return undefined;
  if (size > MAX_MANIFEST_BYTES) throw damaged(place, digest);
  return readFile(blobFileOf(place.paths, digest)).catch(noFile);
}

/**
 * Describes a manifest or index that is in the store under no name, from its bytes. `undefined` when it is not there
 * or is something else.
 */
export async function describeManifest(
  place: BlobPlace,
  digest: Digest,
): Promise<Descriptor | undefined> {
  const size = await blobSize(place, digest);
  if (size === undefined || size > MAX_MANIFEST_BYTES) return undefined;
  const mediaType = mediaTypeOf(await readManifest(place, digest));
  return mediaType === undefined ? undefined : { mediaType, digest, size };
}

/** The digest a manifest says something about, if it does. `undefined` also when the manifest is missing or unreadable. */
export async function subjectOf(place: BlobPlace, digest: Digest): Promise<string | undefined> {
  const { subject } = parseLoosely(await readManifest(place, digest));
  const found =
    typeof subject === "object" && subject !== null
      ? (subject as Readonly<Record<string, unknown>>)["digest"]
      : undefined;
  return typeof found === "string" ? found : undefined;
}

function mediaTypeOf(bytes: Buffer | undefined): string | undefined {
  const { mediaType, manifests, layers } = parseLoosely(bytes);
  if (typeof mediaType === "string" && isDocument(mediaType)) return mediaType;
  if (Array.isArray(manifests)) return MEDIA_TYPES.imageIndex;
  return Array.isArray(layers) ? MEDIA_TYPES.imageManifest : undefined;
}

function parseLoosely(bytes: Buffer | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes?.toString("utf8") ?? "null");
    return typeof value === "object" && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : {};
  } catch {
    // Not JSON: some other blob.
    return {};
  }
}

function isDocument(mediaType: string): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType);
}

interface Child {
  readonly mediaType: string;
  readonly digest: Digest;
}

function childrenOf(
  place: BlobPlace,
  digest: Digest,
  bytes: Buffer,
): { readonly leaves: readonly Digest[]; readonly manifests: readonly Child[] } {
  try {
    const { config, layers, manifests, blobs } = JSON.parse(bytes.toString("utf8")) as Readonly<
      Record<string, unknown>
    >;
    return {
      leaves: [config, layers, blobs].flatMap(parseChildren).map((child) => child.digest),
      manifests: parseChildren(manifests),
    };
  } catch (error) {
    throw damaged(place, digest, error);
  }
}

function parseChildren(value: unknown): readonly Child[] {
  return [value].flat().flatMap((child) => {
    if (child === undefined || child === null) return [];
    const { mediaType, digest } = child as Readonly<Record<string, unknown>>;
    return [{ mediaType: String(mediaType), digest: parseDigest(String(digest)) }];
  });
}

function damaged(place: BlobPlace, digest: Digest, cause?: unknown): ToolError {
  const path = blobFileOf(place.paths, digest);
  return new ToolError("STORE_INVALID", `read "${path}": the manifest is damaged`, {
    cause,
    hint: `remove "${path}", then pack or pull the image again`,
  });
}
