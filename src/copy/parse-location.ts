import { ToolError } from "../errors/index.ts";
import { isTag, parseReference, type Reference } from "../oci/index.ts";

/** Where an image is, or shall go. */
export type Location =
  | { readonly kind: "store"; readonly reference: Reference }
  | { readonly kind: "registry"; readonly reference: Reference }
  | { readonly kind: "oci"; readonly path: string; readonly tag?: string }
  | { readonly kind: "oci-archive" | "docker-archive"; readonly path: string; readonly tag?: string }
  | { readonly kind: "docker-daemon" | "podman"; readonly name: string };

/** The registry part of names that live in the local store only. */
export const STORE_REGISTRY = "store";

const PREFIX = /^(store|oci|oci-archive|docker-archive|docker-daemon|podman|docker):(.+)$/s;

/**
 * Reads `store:NAME[:TAG]`, `oci:DIR[:TAG]`, `oci-archive:FILE`, `docker-archive:FILE`, `docker-daemon:REF`, `podman:REF`, or else
 * `HOST/REPOSITORY[:TAG][@DIGEST]`, `docker://` before it allowed.
 * @throws ToolError `REFERENCE_INVALID`.
 */
export function parseLocation(text: string): Location {
  const match = PREFIX.exec(text);
  const rest = match?.[2] ?? "";
  switch (match?.[1]) {
    case "store":
      return { kind: "store", reference: storeReference(rest) };
    case "oci":
      return { kind: "oci", ...splitTag(rest) };
    case "oci-archive":
      return { kind: "oci-archive", path: rest };
    case "docker-archive":
      return { kind: "docker-archive", path: rest };
    case "docker-daemon":
      return { kind: "docker-daemon", name: rest };
    case "podman":
      return { kind: "podman", name: rest };
    case "docker":
      if (rest.startsWith("//")) return { kind: "registry", reference: withTag(parseReference(rest.slice(2))) };
      return { kind: "registry", reference: withTag(parseReference(text)) };
    default:
      return { kind: "registry", reference: withTag(parseReference(text)) };
  }
}

/** `NAME[:TAG]` of the local store. @throws ToolError `REFERENCE_INVALID`. */
export function storeReference(text: string): Reference {
  const parsed = parseReference(`${STORE_REGISTRY}.local/${text}`);
  return withTag({ ...parsed, registry: STORE_REGISTRY });
}

function withTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: "latest" } : reference;
}

function splitTag(text: string): { readonly path: string; readonly tag?: string } {
  const colon = text.lastIndexOf(":");
  if (colon <= 0 || text.indexOf("/", colon) >= 0) return { path: text };
  const [path, tag] = [text.slice(0, colon), text.slice(colon + 1)];
  if (!isTag(tag)) throw new ToolError("REFERENCE_INVALID", `parse image name "oci:${text}": "${tag}" is not a tag`, { hint: "write it as oci:FOLDER:TAG" });
  return { path, tag };
}
