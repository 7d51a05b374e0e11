import type { CallOptions } from "../../ground/bytes/index.ts";
import {
  createIndex,
  imageDescriptor,
  imageFrom,
  MEDIA_TYPES,
  toOci,
  type Descriptor,
  type Document,
  type ImageIndex,
  type Source,
} from "../oci/index.ts";

export type { Document };

/** A manifest with OCI media types; one that has them comes back as it is. The config's bytes are parsed and printed again only when they must be. */
export async function convertManifest(
  source: Source,
  document: Document,
  options: CallOptions,
): Promise<Document> {
  if (document.descriptor.mediaType !== MEDIA_TYPES.dockerManifest) return document;
  const image = toOci(imageFrom(source, document.descriptor));
  const { signal } = options;
  return {
    bytes: await image.rawManifest({ signal }),
    descriptor: await imageDescriptor(image, { signal }),
  };
}

/** An index whose entries are `copied`, in the same order; as it is when nothing in it changed. */
export function convertIndex(
  document: Document,
  index: ImageIndex,
  copied: readonly Descriptor[],
): Document {
  const isSame =
    document.descriptor.mediaType === MEDIA_TYPES.imageIndex &&
    copied.every((child, at) => child.digest === index.manifests[at]?.digest);
  if (isSame) return document;
  const entries = index.manifests.map((old, at) => {
    const { mediaType, digest, size } = copied[at] ?? old;
    return {
      descriptor: { ...old, mediaType, digest, size },
      ...(old.platform === undefined ? {} : { platform: old.platform }),
    };
  });
  return createIndex(entries, index.annotations);
}
