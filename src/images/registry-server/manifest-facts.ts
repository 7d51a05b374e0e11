import { isToolError } from "../../ground/errors/index.ts";
import { MEDIA_TYPES, parseDigest, type Descriptor, type Digest } from "../oci/index.ts";
import { Fault } from "./fault.ts";

/** What a registry has to know of a manifest or index. Everything else in it is the client's business. */
export interface ManifestFacts {
  readonly mediaType: string;
  /** Blobs and manifests that must be in the repository. */
  readonly required: readonly { readonly kind: "blob" | "manifest"; readonly digest: Digest }[];
  readonly subject?: Digest;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of an index: what it points at, in order. */
  readonly manifests: readonly Descriptor[];
}

const KNOWN: ReadonlySet<string> = new Set([
  MEDIA_TYPES.imageManifest,
  MEDIA_TYPES.imageIndex,
  MEDIA_TYPES.dockerManifest,
  MEDIA_TYPES.dockerManifestList,
]);
// Their bytes are to be had elsewhere. @see image-spec, layer.md#non-distributable-layers
const NOT_DISTRIBUTED = /nondistributable|\.foreign\./;
const MAX_ENTRIES = 10_000;

/**
 * Reads a manifest or index that may be anything. Unknown fields and types are fine, by the spec.
 * @throws Fault `MANIFEST_INVALID`.
 */
export function parseManifestFacts(
  bytes: Uint8Array,
  contentType: string | undefined,
): ManifestFacts {
  const document = parseObject(bytes);
  const { config, layers, manifests } = document;
  const mediaType = mediaTypeOf(document, contentType);
  const isIndex =
    mediaType === MEDIA_TYPES.imageIndex || mediaType === MEDIA_TYPES.dockerManifestList;
  if (document["schemaVersion"] !== 2)
    throw invalidManifest(
      `its schemaVersion is ${JSON.stringify(document["schemaVersion"])}, not 2`,
    );
  if (
    isIndex
      ? config !== undefined || layers !== undefined || !Array.isArray(manifests)
      : manifests !== undefined || config === undefined
  ) {
    throw invalidManifest(`its fields are not those of "${mediaType}"`);
  }
  const children = isIndex ? entries(manifests) : [];
  const blobs = isIndex ? [] : [parseEntry(config), ...entries(layers ?? [])].filter(isDistributed);
  return {
    mediaType,
    manifests: children,
    required: [
      ...children.map(({ digest }) => ({ kind: "manifest" as const, digest })),
      ...blobs.map(({ digest }) => ({ kind: "blob" as const, digest })),
    ],
    ...optionalFacts(document, isIndex),
  };
}

function optionalFacts(
  document: Readonly<Record<string, unknown>>,
  isIndex: boolean,
): Pick<ManifestFacts, "subject" | "artifactType" | "annotations"> {
  const { subject, artifactType, annotations, config } = document;
  const type =
    typeof artifactType === "string" && artifactType !== ""
      ? artifactType
      : isIndex
        ? undefined
        : parseEntry(config).mediaType;
  return {
    ...(subject === undefined || subject === null ? {} : { subject: parseEntry(subject).digest }),
    ...(type === undefined ? {} : { artifactType: type }),
    ...(annotations === undefined || annotations === null
      ? {}
      : { annotations: parseAnnotations(annotations) }),
  };
}

function mediaTypeOf(
  document: Readonly<Record<string, unknown>>,
  contentType: string | undefined,
): string {
  const announced = contentType?.split(";")[0]?.trim();
  const stated = document["mediaType"];
  const mediaType = announced === undefined || announced === "" ? stated : announced;
  if (typeof mediaType !== "string" || !KNOWN.has(mediaType))
    throw invalidManifest(
      `its media type is ${JSON.stringify(mediaType)}, which is no manifest's or index's`,
    );
  if (stated !== undefined && stated !== mediaType)
    throw invalidManifest(
      `it says it is ${JSON.stringify(stated)}, but was sent as "${mediaType}"`,
    );
  return mediaType;
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return record(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), "it");
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw invalidManifest("it is not JSON", error);
  }
}

function entries(value: unknown): readonly Entry[] {
  if (!Array.isArray(value)) throw invalidManifest("a list is missing");
  if (value.length > MAX_ENTRIES)
    throw invalidManifest(`it has ${value.length} entries, more than ${MAX_ENTRIES}`);
  return value.map(parseEntry);
}

type Entry = Descriptor & { readonly hasUrls: boolean };

function parseEntry(value: unknown): Entry {
  const { mediaType, digest, size, urls, platform } = record(value, "a descriptor");
  if (typeof mediaType !== "string") throw invalidManifest("a descriptor has no media type");
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw invalidManifest("a descriptor has no size");
  const place =
    typeof platform === "object" && platform !== null
      ? { platform: platform as NonNullable<Descriptor["platform"]> }
      : {};
  return {
    mediaType,
    digest: parseEntryDigest(digest),
    size,
    hasUrls: Array.isArray(urls) && urls.length > 0,
    ...place,
  };
}

function isDistributed(entry: Entry): boolean {
  return !NOT_DISTRIBUTED.test(entry.mediaType) && !entry.hasUrls;
}

function parseEntryDigest(value: unknown): Digest {
  try {
    return parseDigest(String(value));
  } catch (error) {
    if (!isToolError(error)) throw error;
    throw invalidManifest(`${JSON.stringify(value)} is no digest`, error);
  }
}

function parseAnnotations(value: unknown): Readonly<Record<string, string>> {
  const annotations = record(value, "its annotations");
  if (Object.values(annotations).some((text) => typeof text !== "string"))
    throw invalidManifest("an annotation is no text");
  return annotations as Readonly<Record<string, string>>;
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalidManifest(`${what} is no object`);
  return value as Readonly<Record<string, unknown>>;
}

function invalidManifest(why: string, cause?: unknown): Fault {
  return new Fault(400, "MANIFEST_INVALID", { message: `the manifest is refused: ${why}`, cause });
}
