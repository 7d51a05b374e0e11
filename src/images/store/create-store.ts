import { stat, unlink } from "node:fs/promises";
import { ContentError } from "../../ground/errors/index.ts";
import { type CallOptions, firstBytes, openPlan, readRange } from "../../ground/bytes/index.ts";
import { explainWriteError, noFile } from "../../ground/process/index.ts";
import {
  verifyBytes,
  type Descriptor,
  type Digest,
  type IngestSink,
  type Reference,
  type ResumableSink,
  type Source,
} from "../oci/index.ts";
import {
  blobNotFound,
  blobSize,
  ingestBlob,
  moveIn,
  openBlob,
  putBlob,
  readVerified,
  touch,
  type BlobPlace,
  type RangeOptions,
} from "./blobs.ts";
import { collect } from "./collect.ts";
import type { ImageList, PlanStore, RawStore, Store } from "./contracts.ts";
import { createDigestCache } from "./digest-cache.ts";
import { checkLayout, writeIndexFile } from "./index-file.ts";
import { createJsonCache } from "./json-cache.ts";
import { isKept, putResuming } from "./partial.ts";
import { isPlanFresh, putPlan, readPlan } from "./plans.ts";
import { describeManifest, reachOf } from "./reach.ts";
import { createScratch } from "./scratch.ts";
import { blobFileOf, planFileOf, storePathsOf } from "./store-paths.ts";
import { nameOf, readTag, readTags, removeTag, tagTime, writeTag } from "./tags.ts";

export interface StoreOptions {
  /** Images. Usually `$XDG_DATA_HOME/slipway`. Made on the first write. */
  readonly dataDir: string;
  /** Caches, safe to delete. Usually `$XDG_CACHE_HOME/slipway`. Made on the first write. */
  readonly cacheDir: string;
}

/**
 * Opens the local store. Touches no disk before the first call.
 * @throws ToolError from its methods: `STORE_INVALID` when a file of the store is damaged, `STORE_UNWRITABLE`, `DISK_FULL`.
 */
export function createStore(options: StoreOptions): Store {
  const paths = storePathsOf(options);
  const place: BlobPlace = { paths, scratch: createScratch(paths), tagCache: new Map() };
  return {
    dataDir: paths.dataDir,
    cacheDir: paths.cacheDir,
    ...sourceOf(place),
    ...sinkOf(place),
    ...plansOf(place),
    ...rawOf(place),
    ...imagesOf(place),
    gc: (gcOptions) => collect(place, gcOptions),
    cache: (namespace) => createJsonCache(paths, namespace),
    digestCache: () => createDigestCache(createJsonCache(paths, "digests")),
    [Symbol.asyncDispose]: () => place.scratch.remove(),
  };
}

function sourceOf(place: BlobPlace): Source {
  return {
    async resolve(reference) {
      await checkLayout(place);
      const found =
        (await readTag(place, reference))?.descriptor ??
        (reference.digest === undefined
          ? undefined
          : await describeManifest(place, reference.digest));
      if (found !== undefined) return found;
      throw new ContentError(
        "REFERENCE_NOT_FOUND",
        `find "${nameOf(reference)}": the store has no such image`,
        { hint: "run `slipway ls` to see what it has" },
      );
    },
    open: (target, options = {}) => openVerified(place, target, options),
    openFrom: (target, offset, options = {}) =>
      readRaw(place, target.digest, { ...options, start: offset, end: target.size }),
  };
}

async function* openVerified(
  place: BlobPlace,
  target: Descriptor,
  options: CallOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await openBlob(place, target.digest);
  if (file !== undefined) return yield* readVerified(place, file, { target, ...options });
  const plan = await readPlan(place, target.digest);
  if (plan === undefined) throw blobNotFound(target.digest);
  yield* verifyBytes(openPlan(plan, options), target, options);
}

function sinkOf(place: BlobPlace): IngestSink & ResumableSink {
  return {
    has: (target) => has(place, target),
    async put(target, content, options = {}) {
      if (await has(place, target)) return;
      await putBlob(place, target, { content, ...options });
    },
    async putFrom(target, open, options = {}) {
      if (await has(place, target)) return;
      if (isKept(target)) await putResuming(place, target, { open, ...options });
      else await putBlob(place, target, { content: open(0), ...options });
    },
    ingest: (content, size, options = {}) => ingestBlob(place, content, { size, ...options }),
    async tag(target, reference, options = {}) {
      await checkLayout(place);
      if (!(await has(place, target))) throw blobNotFound(target.digest);
      if (!(await writeTag(place, { reference, descriptor: target }))) return;
      // A collection that began earlier must keep the blobs of this new tag.
      for (const digest of (await reachOf(place, [target], options)).digests)
        await touchBlob(place, digest);
      await writeIndexFile(place);
    },
  };
}

async function has(place: BlobPlace, target: Descriptor): Promise<boolean> {
  await place.scratch.announce();
  const stats = await stat(blobFileOf(place.paths, target.digest)).catch(noFile);
  // A file of another size was cut short by a power failure; `put` writes it again.
  if (stats?.isFile() === true && stats.size === target.size)
    return touch(blobFileOf(place.paths, target.digest));
  return hasPlan(place, target);
}

async function hasPlan(place: BlobPlace, target: Descriptor): Promise<boolean> {
  const plan = await readPlan(place, target.digest);
  if (plan === undefined || plan.size !== target.size || !(await isPlanFresh(plan))) return false;
  return touch(planFileOf(place.paths, target.digest));
}

async function touchBlob(place: BlobPlace, digest: Digest): Promise<void> {
  await touch(blobFileOf(place.paths, digest));
  await touch(planFileOf(place.paths, digest));
}

function plansOf(place: BlobPlace): PlanStore {
  return {
    putPlan: (target, plan) => putPlan(place, target, plan),
    planOf: (digest) => readPlan(place, digest),
    hasPlan: (target) => hasPlan(place, target),
  };
}

function rawOf(place: BlobPlace): RawStore {
  return {
    sizeOf: async (digest) =>
      (await blobSize(place, digest)) ?? (await readPlan(place, digest))?.size,
    read: (digest, options = {}) => readRaw(place, digest, options),
    blobPath: async (digest) =>
      (await blobSize(place, digest)) === undefined ? undefined : blobFileOf(place.paths, digest),
    async adoptFile(path, digest) {
      await place.scratch.announce();
      await moveIn(place, path, digest).catch((error: unknown) => {
        throw explainWriteError(error, place.paths.dataDir);
      });
    },
    reach: async (roots, options = {}) => (await reachOf(place, roots, options)).digests,
    async removeBlob(digest) {
      const removed = await Promise.all(
        [blobFileOf(place.paths, digest), planFileOf(place.paths, digest)].map(remove),
      );
      return removed.includes(true);
    },
  };
}

async function* readRaw(
  place: BlobPlace,
  digest: Digest,
  options: RangeOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { start = 0, end = Number.MAX_SAFE_INTEGER, signal } = options;
  await using file = await openBlob(place, digest);
  if (file !== undefined) return yield* readRange(file, { start, end, signal });
  const plan = await readPlan(place, digest);
  if (plan === undefined) throw blobNotFound(digest);
  yield* firstBytes(
    openPlan(plan, { offset: Math.min(start, plan.size), signal }),
    Math.max(0, end - start),
  );
}

async function remove(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    noFile(explainWriteError(error, path));
    return false;
  }
}

function imagesOf(place: BlobPlace): ImageList {
  return {
    async list(options = {}) {
      await checkLayout(place);
      return readTags(place, options.repository);
    },
    taggedAt: (reference) => tagTime(place, reference),
    async untag(reference: Reference) {
      const isRemoved = await removeTag(place, reference);
      if (isRemoved) await writeIndexFile(place);
      return isRemoved;
    },
  };
}
