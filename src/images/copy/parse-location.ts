import { ToolError } from "../../ground/errors/index.ts";
import {
  formatReference,
  isDigest,
  isRepository,
  isTag,
  parseReference,
  type Reference,
} from "../oci/index.ts";

/** Where an image is, or shall go. Paths and names of engines are as written; references have a tag or a digest. */
export type Location =
  | { readonly kind: "store" | "registry"; readonly reference: Reference }
  | {
      readonly kind: "oci" | "oci-archive" | "docker-archive";
      readonly path: string;
      readonly tag?: string;
    }
  | { readonly kind: "docker-daemon" | "podman"; readonly name: string };

/** The registry part of names that live in the local store only. */
const STORE_REGISTRY = "store";

const SCHEME =
  /^(store|oci|oci-archive|docker-archive|docker-daemon|podman|containers-storage)[:=](.*)$/s;
const ENGINE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,1023}$/;

/**
 * Reads `store:NAME[:TAG]`, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:TAG]`, `docker-daemon:NAME`,
 * `podman:NAME`, or else `HOST/REPOSITORY[:TAG][@DIGEST]`, before which `docker://` may stand as skopeo's users write it.
 * The tag of a path is what follows its last colon, where that has a tag's form.
 * @throws ToolError `REFERENCE_INVALID`.
 */
export function parseLocation(text: string): Location {
  const [, scheme = "", rest = ""] = SCHEME.exec(text) ?? [];
  switch (scheme) {
    case "store":
      return { kind: "store", reference: storeReference(rest) };
    case "oci":
    case "oci-archive":
    case "docker-archive":
      return { kind: scheme, ...parsePath(text, rest) };
    case "docker-daemon":
    case "podman":
      return { kind: scheme, name: engineName(text, rest) };
    case "containers-storage":
      throw invalidLocation(
        text,
        "what is in containers-storage is reached through the engine",
        "write podman: in place of containers-storage:",
      );
    default:
      return {
        kind: "registry",
        reference: withTag(
          parseReference(text.startsWith("docker://") ? text.slice("docker://".length) : text),
        ),
      };
  }
}

/** The place as a user would write it; `parseLocation` of it gives the same place. */
export function formatLocation(location: Location): string {
  if ("path" in location)
    return `${location.kind}:${location.path}${location.tag === undefined ? "" : `:${location.tag}`}`;
  if ("name" in location) return `${location.kind}:${location.name}`;
  const { kind, reference } = location;
  return kind === "registry" ? formatReference(reference) : `store:${formatStoreName(reference)}`;
}

/**
 * `NAME[:TAG][@DIGEST]` of the local store: one of its own names, or that of an image of a registry when it begins with a host.
 * The tag is `latest` where neither is given.
 * @throws ToolError `REFERENCE_INVALID`.
 */
export function storeReference(text: string): Reference {
  return withTag(
    isHostLike(text.split("@")[0] ?? "") ? parseReference(text) : parseStoreName(text),
  );
}

function parseStoreName(text: string): Reference {
  const [, repository = "", tag, digest] = /^([^@:]*)(?::([^@]*))?(?:@(.*))?$/s.exec(text) ?? [];
  const bad = (part: string, what: string): ToolError =>
    invalidLocation(`store:${text}`, `"${part.slice(0, 150)}" is not ${what}`);
  if (!isRepository(repository))
    throw bad(repository, "a name: lower-case letters, digits and single . _ - between them");
  if (tag !== undefined && !isTag(tag)) throw bad(tag, "a tag");
  if (digest !== undefined && !isDigest(digest)) throw bad(digest, "a digest");
  return {
    registry: STORE_REGISTRY,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function formatStoreName(reference: Reference): string {
  if (reference.registry !== STORE_REGISTRY) return formatReference(reference);
  return formatReference(reference).slice(STORE_REGISTRY.length + 1);
}

function withTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined
    ? { ...reference, tag: "latest" }
    : reference;
}

/** True when the first of several parts of a name has the form of a registry's host. */
function isHostLike(name: string): boolean {
  const [first = "", ...others] = name.split("/");
  return others.length > 0 && (first === "localhost" || /[.:[]/.test(first));
}

function engineName(text: string, rest: string): string {
  if (!ENGINE_NAME.test(rest))
    throw invalidLocation(text, `"${rest.slice(0, 150)}" is not the name of an image`);
  return rest;
}

function parsePath(text: string, rest: string): { readonly path: string; readonly tag?: string } {
  const colon = rest.lastIndexOf(":");
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  // `C:\images` has a drive letter, not a tag; a tag has no slash in it.
  const hasTag = tag !== undefined && colon > 1 && isTag(tag);
  const path = hasTag ? rest.slice(0, colon) : rest;
  if (path === "" || path.includes("\0"))
    throw invalidLocation(text, "the path is empty or no path");
  return hasTag ? { path, tag } : { path };
}

const HINT =
  "write it as store:NAME[:TAG], oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE, docker-daemon:NAME, podman:NAME or HOST/REPOSITORY[:TAG|@DIGEST]";

function invalidLocation(text: string, why: string, hint: string = HINT): ToolError {
  return new ToolError("REFERENCE_INVALID", `parse "${text.slice(0, 300)}": ${why}`, { hint });
}
