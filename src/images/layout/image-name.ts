import type { Descriptor, Reference } from "../oci/index.ts";

/** @see image-spec, annotations.md */
export const REF_NAME = "org.opencontainers.image.ref.name";
/** The whole name; what containerd, BuildKit, Docker and Podman write and read beside the tag. */
export const IMAGE_NAME = "io.containerd.image.name";

/** The tag of a reference that names neither tag nor digest. */
export const DEFAULT_TAG = "latest";

/** A reference that is only a tag, for a layout or archive: `oci:FOLDER:TAG`. Without a tag it means the only image. */
export function tagReference(tag?: string): Reference {
  return { registry: "", repository: "", ...(tag === undefined ? {} : { tag }) };
}

/**
 * The full name of an image: `docker.io/library/iris:v1`. `undefined` when the reference is only a
 * tag in a layout.
 */
export function fullNameOf(reference: Reference): string | undefined {
  const { registry, repository, tag = DEFAULT_TAG } = reference;
  if (registry === "store")
    return `docker.io/${repository.includes("/") ? "" : "library/"}${repository}:${tag}`;
  return isHost(registry) ? `${registry}/${repository}:${tag}` : undefined;
}

/** The name as `docker images` shows it, for `RepoTags`: without Docker's own registry. */
export function familiarNameOf(reference: Reference): string | undefined {
  return fullNameOf(reference)?.replace(/^docker\.io\/(?:library\/(?=[^/]+$))?/, "");
}

/** The annotations under which an index lists an image. */
export function nameAnnotations(reference: Reference): Readonly<Record<string, string>> {
  const name = fullNameOf(reference);
  const tag = { [REF_NAME]: reference.tag ?? DEFAULT_TAG };
  return name === undefined ? tag : { [IMAGE_NAME]: name, ...tag };
}

/** True when an entry of an index is the one that `tag(…, reference)` would replace. */
export function isSameName(entry: Descriptor, reference: Reference): boolean {
  const wanted = nameAnnotations(reference);
  const name = entry.annotations?.[IMAGE_NAME];
  return name === undefined || wanted[IMAGE_NAME] === undefined
    ? entry.annotations?.[REF_NAME] === wanted[REF_NAME]
    : name === wanted[IMAGE_NAME];
}

/**
 * The entries of an index that a reference may mean, best reading only: the digest, the whole name, the tag, or the
 * one entry there is for a reference without tag and name. More than one when a tag alone does not decide.
 */
export function entriesFor(
  entries: readonly Descriptor[],
  reference: Reference,
): readonly Descriptor[] {
  if (reference.digest !== undefined)
    return unique(entries.filter((entry) => entry.digest === reference.digest));
  const full = fullNameOf(reference);
  const names = [full, familiarNameOf(reference)];
  const byName =
    full === undefined
      ? []
      : entries.filter(
          (entry) =>
            names.includes(entry.annotations?.[IMAGE_NAME]) ||
            names.includes(entry.annotations?.[REF_NAME]),
        );
  if (byName.length > 0) return unique(byName);
  const byTag = entries.filter(
    (entry) => entry.annotations?.[REF_NAME] === (reference.tag ?? DEFAULT_TAG),
  );
  if (byTag.length > 0 && full === undefined) return unique(byTag);
  // An unknown name must not match another image with the same tag.
  const nameless = byTag.filter((entry) => entry.annotations?.[IMAGE_NAME] === undefined);
  if (nameless.length > 0) return unique(nameless);
  return reference.tag === undefined && full === undefined && unique(entries).length === 1
    ? unique(entries)
    : [];
}

/** How a list shows an entry. */
export function shownName(entry: Descriptor): string {
  return entry.annotations?.[IMAGE_NAME] ?? entry.annotations?.[REF_NAME] ?? entry.digest;
}

function unique(entries: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(entries.map((entry) => [entry.digest, entry])).values()];
}

function isHost(registry: string): boolean {
  return registry === "localhost" || /[.:]/.test(registry);
}
