import { homedir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import {
  buildDebianBase,
  type BlobStore,
  type DebianBase,
  type DebianBaseOptions,
} from "../../src/images/bases/index.ts";
import { isToolError } from "../../src/ground/errors/index.ts";
import { createTempDir } from "../../src/ground/process/index.ts";
import { createImageArchive, type ArchiveStream } from "../../src/images/layout/index.ts";
import {
  createIndex,
  imageDescriptor,
  parseReference,
  type Descriptor,
  type Image,
} from "../../src/images/oci/index.ts";
import { createStore, type Store } from "../../src/images/store/index.ts";
import { withoutPeer } from "./peers.ts";

/** Where tests keep package indexes and packages between runs. */
export function debianCacheDir(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "slipway-test", "debian");
}

/** A store in a folder of its own that goes away with the test. */
export async function temporaryStore(t: TestContext): Promise<Store> {
  const folder = await createTempDir("slipway-store");
  const store = createStore({
    dataDir: join(folder.path, "data"),
    cacheDir: join(folder.path, "cache"),
  });
  t.after(async () => {
    await store[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });
  return store;
}

/**
 * Builds a Debian base with kept indexes and packages. Skips the test and gives `undefined` where there is no apt or no
 * mirror to be reached.
 */
export async function requireDebianBase(
  t: TestContext,
  options: Omit<DebianBaseOptions, "cacheDir" | "blobs"> & { readonly blobs: BlobStore },
): Promise<DebianBase | undefined> {
  try {
    return await buildDebianBase({
      cacheDir: debianCacheDir(),
      now: Date.now,
      maxIndexAgeMs: 86_400_000,
      ...options,
    });
  } catch (error) {
    if (
      isToolError(error) &&
      (error.code === "TOOL_MISSING" || error.code === "MIRROR_UNREACHABLE")
    )
      return withoutPeer(t, error.message);
    throw error;
  }
}

/** Puts an image's manifest and config into the store that has its layers, and names it. */
export async function storeImage(store: Store, image: Image, name: string): Promise<Descriptor> {
  const config = await image.rawConfig();
  const { config: configDescriptor } = JSON.parse(
    Buffer.from(await image.rawManifest()).toString("utf8"),
  ) as { readonly config: Descriptor };
  await store.put(configDescriptor, chunk(config));
  const descriptor = await imageDescriptor(image);
  await store.put(descriptor, chunk(await image.rawManifest()));
  await store.tag(descriptor, parseReference(name));
  return descriptor;
}

/** Names several images as one index. */
export async function storeIndex(
  store: Store,
  images: DebianBase["images"],
  name: string,
): Promise<Descriptor> {
  const manifests = await Promise.all(
    images.map(async ({ image, platform }) => ({
      descriptor: await storeImage(store, image, `${name}-${platform.architecture}`),
      platform,
    })),
  );
  const { bytes, descriptor } = createIndex(manifests);
  await store.put(descriptor, chunk(bytes));
  await store.tag(descriptor, parseReference(name));
  return descriptor;
}

/** An archive of one image of the store, as the engines load it. */
export function archiveOf(
  store: Store,
  descriptor: Descriptor,
  name: string,
): Promise<ArchiveStream> {
  return createImageArchive(store, [{ descriptor, references: [parseReference(name)] }]);
}

async function* chunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
