import {
  isIndexType,
  MAX_MANIFEST_BYTES,
  parseIndex,
  parsePlatform,
  readVerified,
  selectPlatform,
  type Descriptor,
} from "../../images/oci/index.ts";
import { manifestsUnder, totalSize, type SeenManifest } from "../places/look.ts";
import { openForReading, type ReadPlace } from "../places/places.ts";
import type { Places } from "../session.ts";

/** Which image is looked at. */
export interface InspectRequest {
  /** As every command takes it; a name without a host means the store's image first. */
  readonly name: string;
  /** `os/architecture`. Default: all that a name stands for. */
  readonly platform?: string | undefined;
}

/** An image as it is. */
export interface InspectResult {
  readonly name: string;
  /** Of the image, or of the index over several. */
  readonly descriptor: Descriptor;
  /** Bytes of everything that it needs, as stored; each blob counts once. */
  readonly sizeBytes: number;
  readonly manifests: readonly SeenManifest[];
}

/** Reads manifests and configs of an image; no layer. @throws ToolError `REFERENCE_NOT_FOUND`, and what reading a place throws. */
export async function inspectImage(
  request: InspectRequest,
  session: Places,
): Promise<InspectResult> {
  await using place = await openForReading(request.name, session, { isStoreFirst: true });
  const descriptor = await narrow(place, request.platform, session);
  const manifests = await manifestsUnder(place.source, descriptor, session);
  return { name: request.name, descriptor, sizeBytes: totalSize(manifests), manifests };
}

/** The bytes of a manifest or index: hashing them gives its digest. @throws what `inspectImage` throws. */
export async function readManifest(
  request: InspectRequest,
  session: Places,
): Promise<{ readonly descriptor: Descriptor; readonly bytes: Uint8Array }> {
  await using place = await openForReading(request.name, session, { isStoreFirst: true });
  const descriptor = await narrow(place, request.platform, session);
  const bytes = await readVerified(place.source.open(descriptor, session), descriptor, {
    maxBytes: MAX_MANIFEST_BYTES,
    signal: session.signal,
  });
  return { descriptor, bytes };
}

async function narrow(
  place: ReadPlace,
  platform: string | undefined,
  session: Places,
): Promise<Descriptor> {
  const target = await place.source.resolve(place.reference, session);
  if (platform === undefined || !isIndexType(target.mediaType)) return target;
  const bytes = await readVerified(place.source.open(target, session), target, {
    maxBytes: MAX_MANIFEST_BYTES,
    signal: session.signal,
  });
  return selectPlatform(parseIndex(bytes), parsePlatform(platform));
}
