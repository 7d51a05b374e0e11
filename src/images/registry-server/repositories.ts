import { createHash } from "node:crypto";
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { explainWriteError, noFile, writeFileAtomic } from "../../ground/process/index.ts";
import type { Descriptor, Digest, Reference } from "../oci/index.ts";
import type { Store, StoredImage } from "../store/index.ts";
import { isName, type ManifestTarget } from "./route.ts";

/**
 * The store as repositories. Repository `N` is what the store knows as `store:N`, together with images of other
 * registries whose `HOST/NAME` is `N`; what is pushed goes to `store:N`. A blob is visible in a repository when a
 * manifest there leads to it, or when it was uploaded or mounted there, for which a small file is the record.
 */
export interface Repositories {
  /** Names of all repositories, sorted. */
  names(): Promise<readonly string[]>;
  /** Everything a repository holds by tag or digest. Empty for an unknown one. */
  images(name: string): Promise<readonly StoredImage[]>;
  /** True when the repository holds anything, or a blob was once uploaded to it. */
  isKnown(name: string): Promise<boolean>;
  findManifest(name: string, target: ManifestTarget): Promise<Descriptor | undefined>;
  /** Bytes of a blob that is visible in the repository. */
  findBlob(name: string, digest: Digest): Promise<number | undefined>;
  /** The same over all repositories. */
  findAnywhere(digest: Digest): Promise<number | undefined>;
  /** Makes a blob of the store visible in the repository. */
  link(name: string, digest: Digest): Promise<void>;
  /** @returns false when it was not linked there. */
  unlink(name: string, digest: Digest): Promise<boolean>;
  /** True when a manifest of the repository leads to the blob. */
  isReachable(name: string, digest: Digest): Promise<boolean>;
}

const MAX_CACHED = 256;

/** Makes the view. Keeps what manifests lead to in memory, for at most 256 repositories. */
export function createRepositories(store: Store, stateDir: string): Repositories {
  const reachCache = new Map<
    string,
    { readonly key: string; readonly digests: ReadonlySet<Digest> }
  >();
  const images = (name: string): Promise<readonly StoredImage[]> => imagesOf(store, name);
  const linkFile = (name: string, digest: Digest): string =>
    join(stateDir, "links", hashOf(name), digest.replace(":", "-"));

  const reach = async (name: string): Promise<ReadonlySet<Digest>> => {
    const roots = (await images(name)).map((image) => image.descriptor);
    const key = hashOf(roots.map((root) => root.digest).join());
    const known = reachCache.get(name);
    if (known?.key === key) return known.digests;
    const digests = await store.reach(roots);
    reachCache.delete(name);
    reachCache.set(name, { key, digests });
    for (const oldest of reachCache.keys())
      if (reachCache.size > MAX_CACHED) reachCache.delete(oldest);
    return digests;
  };

  const isReachable = async (name: string, digest: Digest): Promise<boolean> =>
    (await reach(name)).has(digest);

  return {
    names: () => repositoryNames(store),
    images,
    isKnown: async (name) =>
      (await exists(join(stateDir, "links", hashOf(name)))) || (await images(name)).length > 0,
    async findManifest(name, target) {
      const found = (await images(name)).find((image) => isMeant(image, target));
      if (found !== undefined) return found.descriptor;
      // A manifest that an index names is there too, although nothing but the index points at it.
      if ("tag" in target || !(await isReachable(name, target.digest))) return undefined;
      return store
        .resolve({ registry: "store", repository: name, digest: target.digest })
        .catch(notFound);
    },
    async findBlob(name, digest) {
      const isLinked = await exists(linkFile(name, digest));
      if (!isLinked && !(await isReachable(name, digest))) return undefined;
      // A collection has taken the blob: its record goes with it.
      if (isLinked && (await store.sizeOf(digest)) === undefined)
        await unlink(linkFile(name, digest)).catch(() => undefined); // a record that stays says nothing wrong
      return sizeOf(store, digest);
    },
    async findAnywhere(digest) {
      const folders = (await readdir(join(stateDir, "links")).catch(noFile)) ?? [];
      for (const folder of folders)
        if (await exists(join(stateDir, "links", folder, digest.replace(":", "-"))))
          return sizeOf(store, digest);
      for (const name of await repositoryNames(store))
        if (await isReachable(name, digest)) return sizeOf(store, digest);
      return undefined;
    },
    link: (name, digest) => writeFileAtomic(linkFile(name, digest), ""),
    unlink: (name, digest) => remove(linkFile(name, digest)),
    isReachable,
  };
}

/** The name under which the store keeps what is pushed to a repository. */
export function storeReference(name: string, target: ManifestTarget): Reference {
  return { registry: "store", repository: name, ...target };
}

async function imagesOf(store: Store, name: string): Promise<readonly StoredImage[]> {
  const own = await store.list({ repository: { registry: "store", repository: name } });
  const slash = name.indexOf("/");
  if (slash < 0) return own;
  const foreign = await store.list({
    repository: { registry: name.slice(0, slash), repository: name.slice(slash + 1) },
  });
  return [...own, ...foreign];
}

async function repositoryNames(store: Store): Promise<readonly string[]> {
  const names = (await store.list()).map(({ reference }) =>
    reference.registry === "store"
      ? reference.repository
      : `${reference.registry}/${reference.repository}`,
  );
  return [...new Set(names)].filter(isName).sort();
}

function isMeant(image: StoredImage, target: ManifestTarget): boolean {
  return "tag" in target
    ? image.reference.tag === target.tag
    : image.descriptor.digest === target.digest;
}

async function sizeOf(store: Store, digest: Digest): Promise<number | undefined> {
  const size = await store.sizeOf(digest);
  if (size === undefined) return undefined;
  // Asks whether the files of a recipe are unchanged, and keeps a collection from taking the blob away now.
  return (await store.has({ mediaType: "", digest, size })) ? size : undefined;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(noFile)) !== undefined;
}

async function remove(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw explainWriteError(error, path);
  }
}

function notFound(error: unknown): undefined {
  if ((error as { readonly code?: unknown }).code !== "REFERENCE_NOT_FOUND") throw error;
  return undefined;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 40);
}
