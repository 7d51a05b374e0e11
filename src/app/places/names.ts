import { parseLocation } from "../../images/copy/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { formatReference, type Descriptor } from "../../images/oci/index.ts";

/** `TYPE=PATH` or `TYPE:PATH` as a place. @throws ToolError `USAGE`. */
export function parseOutput(text: string): string {
  const match = /^(oci|oci-archive|docker-archive|docker-daemon|podman)[=:](.+)$/s.exec(text);
  if (match === null)
    throw new ToolError("USAGE", `--output "${text}": it is not TYPE=PATH`, {
      hint: "TYPE is oci, oci-archive, docker-archive, docker-daemon or podman",
    });
  return `${match[1]}:${match[2]}`;
}

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
