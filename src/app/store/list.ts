import { storeReference } from "../../images/copy/index.ts";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import { mapLimited } from "../../ground/process/index.ts";
import {
  formatPlatform,
  formatReference,
  parseReference,
  type Reference,
} from "../../images/oci/index.ts";
import type { Store, StoredImage } from "../../images/store/index.ts";
import { manifestsUnder, totalSize, type SeenManifest } from "../places/look.ts";
import { openRepository, openStore } from "../places/places.ts";
import type { Places } from "../session.ts";

/** One image of the store. */
export interface StoredImageResult {
  /** As every command takes it. */
  readonly name: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest: string;
  readonly size?: number;
  /** When the name was given to it. */
  readonly taggedAt?: string;
  /** `base`, `train`, the kind of its model, the type of an artifact, or `image`. */
  readonly kind: string;
  readonly platforms: readonly string[];
  /** Why nothing more is known of it. */
  readonly problem?: string;
}

/**
 * The images of the local store. @param name - `store:NAME[:TAG]`, for those of one name.
 * @throws ToolError `REFERENCE_NOT_FOUND` when there is none of that name.
 */
export async function listImages(
  name: string | undefined,
  session: Places,
): Promise<readonly StoredImageResult[]> {
  await using store = await openStore(session);
  const wanted = name === undefined ? undefined : storeReference(name.slice("store:".length));
  const images = namedOnce(await store.list({ repository: wanted, signal: session.signal })).filter(
    ({ reference }) => !isNarrowed(name) || reference.tag === wanted?.tag,
  );
  if (wanted !== undefined && images.length === 0)
    throw new ToolError(
      "REFERENCE_NOT_FOUND",
      `list "${name ?? ""}": the store has no such image`,
      { hint: "run `slipway ls` to see what it has" },
    );
  return await mapLimited(images, 8, (image) => describeStored(store, image, session));
}

/** The tags of a repository. @param name - `HOST/REPOSITORY`. @throws RegistryError. */
export async function listTags(
  name: string,
  session: Places,
): Promise<{ readonly repository: string; readonly tags: readonly string[] }> {
  const reference = parseReference(name);
  await using place = await openRepository(reference, session);
  return {
    repository: `${reference.registry}/${reference.repository}`,
    tags: await Array.fromAsync(place.source.listTags(session)),
  };
}

/** The repositories of a registry; many refuse. @throws RegistryError. */
export async function listRepositories(host: string, session: Places): Promise<readonly string[]> {
  await using place = await openRepository(parseReference(`${host}/any`), session);
  return await Array.fromAsync(place.registry.catalog(session));
}

/** True for a name that says which tag is meant. */
function isNarrowed(name: string | undefined): boolean {
  return name !== undefined && /:[^/:]+$/.test(name.slice("store:".length));
}

/** What was pushed to `slipway registry` is held by digest besides its tag; that is no image of its own. */
function namedOnce(images: readonly StoredImage[]): readonly StoredImage[] {
  const keyOf = ({ reference, descriptor }: StoredImage): string =>
    `${reference.registry}/${reference.repository}@${descriptor.digest}`;
  const tagged = new Set(images.filter(({ reference }) => reference.tag !== undefined).map(keyOf));
  return images.filter((image) => image.reference.tag !== undefined || !tagged.has(keyOf(image)));
}

/** One damaged image must not hide the others. */
async function describeStored(
  store: Store,
  { reference, descriptor }: StoredImage,
  session: Places,
): Promise<StoredImageResult> {
  const taggedAt = (await store.taggedAt(reference))?.toISOString();
  const about = {
    ...shownNames(reference),
    digest: descriptor.digest,
    ...(taggedAt === undefined ? {} : { taggedAt }),
  };
  try {
    const manifests = await manifestsUnder(store, descriptor, session);
    const platforms = manifests.flatMap(({ platform }) =>
      platform === undefined ? [] : [formatPlatform(platform)],
    );
    return { ...about, size: totalSize(manifests), kind: kindOf(manifests), platforms };
  } catch (error) {
    if (!isToolError(error) || error.code === "INTERRUPTED") throw error;
    return { ...about, kind: "?", platforms: [], problem: error.message };
  }
}

/** Names of registries stand as they are; the store's own begin with `store:`, without which they would be Docker Hub's. */
function shownNames(reference: Reference): Pick<StoredImageResult, "name" | "repository" | "tag"> {
  const repository =
    reference.registry === "store"
      ? `store:${reference.repository}`
      : `${reference.registry}/${reference.repository}`;
  const text = formatReference(reference);
  const name = `store:${reference.registry === "store" ? text.slice("store/".length) : text}`;
  return { name, repository, ...(reference.tag === undefined ? {} : { tag: reference.tag }) };
}

function kindOf(manifests: readonly SeenManifest[]): string {
  const seen = manifests.find(({ config }) => config !== undefined);
  if (seen === undefined)
    return manifests[0]?.manifest.artifactType ?? manifests[0]?.manifest.config.mediaType ?? "?";
  const labels = seen.config?.config?.Labels ?? {};
  if (labels["dev.slipway.train.main"] !== undefined) return "train";
  return (
    labels["dev.slipway.kind"] ??
    (labels["dev.slipway.base.suite"] === undefined ? "image" : "base")
  );
}
