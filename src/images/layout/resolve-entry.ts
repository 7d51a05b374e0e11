import { createHash } from "node:crypto";
import { ContentError } from "../../ground/errors/index.ts";
import { MEDIA_TYPES, type Descriptor, type Digest, type Reference } from "../oci/index.ts";
import {
  DEFAULT_TAG,
  entriesFor,
  fullNameOf,
  IMAGE_NAME,
  REF_NAME,
  shownName,
} from "./image-name.ts";

export interface ResolveRequest {
  /** Path of the layout or archive, for messages. */
  readonly place: string;
  readonly entries: readonly Descriptor[];
  readonly reference: Reference;
  /** Bytes of a blob that is small enough to be a manifest. */
  readonly readBlob: (digest: Digest) => Promise<Uint8Array | undefined>;
}

const SHOWN = 5;

/** Finds the image that a reference means. @throws ContentError `REFERENCE_NOT_FOUND`, with what there is instead. */
export async function resolveIn(request: ResolveRequest): Promise<Descriptor> {
  const { place, entries, reference } = request;
  const [entry, ...others] = entriesFor(entries, reference);
  if (entry !== undefined && others.length === 0) return withoutNames(entry);
  if (entry !== undefined) {
    throw new ContentError(
      "REFERENCE_NOT_FOUND",
      `find "${wantedName(reference)}" in "${place}": it stands for ${entryNames([entry, ...others])}`,
      { hint: "give the whole name or the digest" },
    );
  }
  const nested =
    reference.digest === undefined ? undefined : await describeBlob(request, reference.digest);
  if (nested !== undefined) return nested;
  const there = entries.length === 0 ? "there is no image in it" : `it has ${entryNames(entries)}`;
  throw new ContentError(
    "REFERENCE_NOT_FOUND",
    `find "${wantedName(reference)}" in "${place}": ${there}`,
    {},
  );
}

/** A manifest that only an index names: nothing but its bytes tells its type. */
async function describeBlob(
  request: ResolveRequest,
  digest: Digest,
): Promise<Descriptor | undefined> {
  const bytes = await request.readBlob(digest);
  if (
    bytes === undefined ||
    `sha256:${createHash("sha256").update(bytes).digest("hex")}` !== digest
  )
    return undefined;
  const mediaType = mediaTypeOf(bytes);
  return mediaType === undefined ? undefined : { mediaType, digest, size: bytes.byteLength };
}

function mediaTypeOf(bytes: Uint8Array): string | undefined {
  try {
    const { mediaType, manifests, layers } = JSON.parse(
      Buffer.from(bytes).toString("utf8"),
    ) as Readonly<Record<string, unknown>>;
    if (typeof mediaType === "string" && (Array.isArray(manifests) || Array.isArray(layers)))
      return mediaType;
    if (Array.isArray(manifests)) return MEDIA_TYPES.imageIndex;
    return Array.isArray(layers) ? MEDIA_TYPES.imageManifest : undefined;
  } catch {
    // Not JSON: some other blob.
    return undefined;
  }
}

/** The names belong to the entry's place in this index, not to the image. */
function withoutNames(entry: Descriptor): Descriptor {
  const { annotations, ...plain } = entry;
  const { [REF_NAME]: _tag, [IMAGE_NAME]: _name, ...others } = annotations ?? {};
  return Object.keys(others).length === 0 ? plain : { ...plain, annotations: others };
}

function wantedName(reference: Reference): string {
  return reference.digest ?? fullNameOf(reference) ?? reference.tag ?? DEFAULT_TAG;
}

function entryNames(entries: readonly Descriptor[]): string {
  const names = entries.slice(0, SHOWN).map((entry) => `"${shownName(entry)}"`);
  return `${names.join(", ")}${entries.length > SHOWN ? ` and ${entries.length - SHOWN} more` : ""}`;
}
