import { ContentError } from "../../ground/errors/index.ts";
import type { Descriptor, Platform } from "./descriptor.ts";
import { isDigest } from "./digest.ts";
import { isIndexType, isManifestType, MEDIA_TYPES } from "./media-types.ts";

/** Largest manifest or index that is read, in bytes; registries take no larger ones either. */
export const MAX_MANIFEST_BYTES: number = 4 * 2 ** 20;
/** Largest image config that is read, in bytes. */
export const MAX_CONFIG_BYTES: number = 8 * 2 ** 20;

type Annotations = Readonly<Record<string, string>>;

/** @see image-spec, manifest.md */
export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Annotations;
}

/** @see image-spec, image-index.md */
export interface ImageIndex {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Annotations;
}

/** Bytes of a JSON document with a known top-level form. @throws ContentError `MANIFEST_INVALID`. */
export function parseJsonObject(
  bytes: Uint8Array,
  what: string,
  maxBytes: number,
): Readonly<Record<string, unknown>> {
  if (bytes.byteLength > maxBytes)
    throw invalid(
      what,
      `it is ${bytes.byteLength} bytes long, and ${maxBytes} is the most that is read`,
    );
  if (depthOf(bytes) > MAX_DEPTH) throw invalid(what, `it is nested more than ${MAX_DEPTH} deep`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw invalid(what, "it is not JSON", error);
  }
  return objectOf(value, what, "the document");
}

/** Nothing real comes near it; printing a document that is nested thousands deep would end in a stack overflow. */
const MAX_DEPTH = 100;

/** How deep objects and lists nest in JSON text, which need not be valid. */
function depthOf(json: Uint8Array): number {
  const [quote, backslash] = [0x22, 0x5c];
  let [depth, deepest, isText] = [0, 0, false];
  for (let at = 0; at < json.byteLength; at += 1) {
    const byte = json[at];
    if (isText) {
      if (byte === backslash) at += 1;
      else if (byte === quote) isText = false;
    } else if (byte === quote) isText = true;
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, (depth += 1));
    else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return deepest;
}

/** @throws ContentError `MANIFEST_INVALID` naming the field. */
export function parseManifest(bytes: Uint8Array): ImageManifest {
  const what = "image manifest";
  const document = parseJsonObject(bytes, what, MAX_MANIFEST_BYTES);
  checkVersion(document, what);
  if (document["manifests"] !== undefined) throw invalid(what, "it has manifests, as an index has");
  const mediaType = mediaTypeOf(document, what, MEDIA_TYPES.imageManifest);
  if (!isManifestType(mediaType)) throw invalid(what, `"${mediaType}" is not an image manifest`);
  return {
    schemaVersion: 2,
    mediaType,
    config: descriptorOf(document["config"], what, "config"),
    layers: parseList(document["layers"], what, "layers").map((entry, index) =>
      descriptorOf(entry, what, `layers[${index}]`),
    ),
    ...optionalOf(document, what),
  };
}

/** @throws ContentError `MANIFEST_INVALID` naming the field. */
export function parseIndex(bytes: Uint8Array): ImageIndex {
  const what = "image index";
  const document = parseJsonObject(bytes, what, MAX_MANIFEST_BYTES);
  checkVersion(document, what);
  if (document["config"] !== undefined || document["layers"] !== undefined)
    throw invalid(what, "it has config or layers, as a manifest has");
  const mediaType = mediaTypeOf(document, what, MEDIA_TYPES.imageIndex);
  if (!isIndexType(mediaType)) throw invalid(what, `"${mediaType}" is not an image index`);
  return {
    schemaVersion: 2,
    mediaType,
    manifests: parseList(document["manifests"], what, "manifests").map((entry, index) =>
      descriptorOf(entry, what, `manifests[${index}]`),
    ),
    ...optionalOf(document, what),
  };
}

/** Reads either form; `mediaType` is what the source said it is. @throws ContentError `MANIFEST_INVALID`. */
export function parseManifestOrIndex(
  bytes: Uint8Array,
  mediaType?: string,
):
  | { readonly kind: "manifest"; readonly manifest: ImageManifest }
  | { readonly kind: "index"; readonly index: ImageIndex } {
  const document = parseJsonObject(bytes, "image manifest", MAX_MANIFEST_BYTES);
  const stated = mediaType ?? document["mediaType"];
  const isIndex =
    typeof stated === "string" ? isIndexType(stated) : document["manifests"] !== undefined;
  return isIndex
    ? { kind: "index", index: parseIndex(bytes) }
    : { kind: "manifest", manifest: parseManifest(bytes) };
}

/** Plain-data check of a descriptor. @throws ContentError `MANIFEST_INVALID`. */
function descriptorOf(value: unknown, what: string, path: string): Descriptor {
  const entry = objectOf(value, what, path);
  const { annotations, artifactType, platform, urls } = entry;
  const { mediaType, digest, size } = requiredOf(entry, what, path);
  return Object.freeze({
    mediaType,
    digest,
    size,
    ...(annotations === undefined || annotations === null
      ? {}
      : { annotations: textMapOf(annotations, what, `${path}.annotations`) }),
    ...(typeof artifactType === "string" ? { artifactType } : {}),
    ...(platform === undefined || platform === null
      ? {}
      : { platform: platformOf(platform, what, `${path}.platform`) }),
    ...(isTextList(urls) && urls.length > 0 ? { urls } : {}),
  });
}

function requiredOf(
  { mediaType, digest, size }: Readonly<Record<string, unknown>>,
  what: string,
  path: string,
): Descriptor {
  if (typeof mediaType !== "string" || mediaType === "" || mediaType.length > 255)
    throw invalid(what, `${path}.mediaType is missing or no media type`);
  if (!isDigest(digest)) throw invalid(what, `${path}.digest is missing or no digest`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw invalid(what, `${path}.size is missing or no count of bytes`);
  return { mediaType, digest, size };
}

/** A map of text to text. @throws ContentError `MANIFEST_INVALID`. */
export function textMapOf(value: unknown, what: string, path: string): Annotations {
  const entries = Object.entries(objectOf(value, what, path));
  for (const [key, text] of entries)
    if (typeof text !== "string") throw invalid(what, `${path}.${key.slice(0, 100)} is not text`);
  return Object.fromEntries(entries) as Annotations; // every value was checked
}

/** A `MANIFEST_INVALID` error with the house's wording. */
export function invalid(what: string, why: string, cause?: unknown): ContentError {
  return new ContentError("MANIFEST_INVALID", `read ${what}: ${why}`, { cause });
}

/** An object that is no array. @throws ContentError `MANIFEST_INVALID`. */
export function objectOf(
  value: unknown,
  what: string,
  path: string,
): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid(what, `${path} is not an object`);
  return value as Readonly<Record<string, unknown>>;
}

function platformOf(value: unknown, what: string, path: string): Platform {
  const {
    architecture,
    os,
    variant,
    "os.version": version,
    "os.features": features,
  } = objectOf(value, what, path);
  if (typeof architecture !== "string" || typeof os !== "string")
    throw invalid(what, `${path} lacks architecture or os`);
  return {
    architecture,
    os,
    ...(typeof variant === "string" && variant !== "" ? { variant } : {}),
    ...(typeof version === "string" && version !== "" ? { "os.version": version } : {}),
    ...(isTextList(features) && features.length > 0 ? { "os.features": features } : {}),
  };
}

/** True for an array of texts. */
export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function parseList(value: unknown, what: string, path: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(what, `${path} is not a list`);
  if (value.length > 10_000) throw invalid(what, `${path} has ${value.length} entries`);
  return value;
}

function optionalOf(
  document: Readonly<Record<string, unknown>>,
  what: string,
): Pick<ImageManifest, "artifactType" | "subject" | "annotations"> {
  const { artifactType, subject, annotations } = document;
  return {
    ...(typeof artifactType === "string" && artifactType !== "" ? { artifactType } : {}),
    ...(subject === undefined || subject === null
      ? {}
      : { subject: descriptorOf(subject, what, "subject") }),
    ...(annotations === undefined || annotations === null
      ? {}
      : { annotations: textMapOf(annotations, what, "annotations") }),
  };
}

function checkVersion(document: Readonly<Record<string, unknown>>, what: string): void {
  if (document["schemaVersion"] !== 2)
    throw invalid(
      what,
      `schemaVersion is ${JSON.stringify(document["schemaVersion"])?.slice(0, 40)}, and only 2 is known`,
    );
}

function mediaTypeOf(
  document: Readonly<Record<string, unknown>>,
  what: string,
  fallback: string,
): string {
  const { mediaType } = document;
  if (mediaType === undefined || mediaType === null || mediaType === "") return fallback;
  if (typeof mediaType !== "string") throw invalid(what, "mediaType is not text");
  return mediaType;
}
