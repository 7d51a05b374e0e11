import { parseLocation } from "../../images/copy/index.ts";
import { formatReference, type Descriptor } from "../../images/oci/index.ts";

/** True for names that are pinned by digest in the place that they are of: the store. */
export function isPinnable(text: string): boolean {
  return parseLocation(text).kind === "store";
}

/** A name that will always mean this image: by digest where the place knows digests. */
export function pinnedName(text: string, descriptor: Descriptor): string {
  const location = parseLocation(text);
  if (location.kind === "registry")
    return formatReference({
      registry: location.reference.registry,
      repository: location.reference.repository,
      digest: descriptor.digest,
    });
  if (location.kind === "store")
    return `store:${location.reference.repository}@${descriptor.digest}`;
  return `${text} ${descriptor.digest}`;
}
