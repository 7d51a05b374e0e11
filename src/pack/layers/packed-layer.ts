import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { COMPRESSOR_ID, gzipPinned } from "../../compress/index.ts";
import { createTempDir, openPlan, writeFileAtomic, type Bytes, type CallOptions, type ContentPlan } from "../../internal/index.ts";
import { isDigest, MEDIA_TYPES, storedLayer, type Descriptor, type Digest, type Layer } from "../../oci/index.ts";
import type { PackDeps } from "../ports.ts";

/** A layer that lies in the store, as the cache remembers it. */
export interface StoredFacts {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/** Up to this much is compressed in memory; a larger layer goes through a temporary file. */
const IN_MEMORY_BYTES = 16 * 2 ** 20;

/** Key under which the compressed form of a tar is remembered. */
function packedKey(diffId: Digest): string {
  return `packed ${COMPRESSOR_ID} ${diffId}`;
}

/** What is remembered of a key, if the store still has the blob. */
export async function rememberedLayer(key: string, deps: Pick<PackDeps, "store" | "cache">, options?: CallOptions): Promise<StoredFacts | undefined> {
  const facts = parseFacts(await deps.cache.get(key));
  return facts !== undefined && (await deps.store.has(facts.descriptor, options)) ? facts : undefined;
}

/** The compressed layer of a recipe when it can be told without reading its files. */
export async function findPacked(plan: ContentPlan, deps: PackDeps, options: CallOptions = {}): Promise<StoredFacts | undefined> {
  const diffId = await deps.digests.get(plan);
  return diffId === undefined ? undefined : rememberedLayer(packedKey(diffId), deps, options);
}

/** The layer of a recipe, as pinned gzip. While its files are unchanged nothing is read; else they are read once, compressed and stored. */
export async function packLayer(plan: ContentPlan, deps: PackDeps, options: CallOptions = {}): Promise<Layer & StoredFacts> {
  const known = await findPacked(plan, deps, options);
  if (known !== undefined) return layerOf(known, deps);
  const facts = await storeCompressed(openPlan(plan, options), { ...deps, ...options, sizeBytes: plan.size });
  await deps.digests.set(plan, facts.diffId);
  await deps.cache.set(packedKey(facts.diffId), facts);
  return layerOf(facts, deps);
}

/** A layer of the store, with its facts at hand. */
export function layerOf(facts: StoredFacts, deps: Pick<PackDeps, "store">): Layer & StoredFacts {
  const layer = storedLayer({ open: (target, options) => deps.store.open(target, options), resolve: () => Promise.reject(new Error("layers have no names")) }, facts.descriptor, facts.diffId);
  return Object.assign(layer, facts);
}

/** Compresses a tar, hashing it before and after, and stores it. `sizeBytes`: about how long the tar is. */
export async function storeCompressed(tar: Bytes, place: PackDeps & CallOptions & { readonly sizeBytes: number }): Promise<StoredFacts> {
  const { pool, signal } = place;
  const plain = createHash("sha256");
  const stored = createHash("sha256");
  const sums = { size: 0 };
  const compressed = counted(gzipPinned(counted(tar, plain), { pool, signal }), stored, sums);
  const finish = (): StoredFacts => ({
    descriptor: { mediaType: MEDIA_TYPES.layerTarGzip, digest: `sha256:${stored.digest("hex")}`, size: sums.size },
    diffId: `sha256:${plain.digest("hex")}`,
  });
  if (place.sizeBytes <= IN_MEMORY_BYTES) {
    const chunks = await Array.fromAsync(compressed);
    const facts = finish();
    await place.store.put(facts.descriptor, fromMemory(chunks), { signal });
    return facts;
  }
  await using folder = await createTempDir("layer", place.workDir);
  const spool = join(folder.path, "blob");
  await writeFileAtomic(spool, compressed, { signal });
  const facts = finish();
  await place.store.put(facts.descriptor, createReadStream(spool, { highWaterMark: 2 ** 20 }), { signal });
  return facts;
}

async function* fromMemory(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks;
}

async function* counted(content: Bytes, hash: Hash, sums: { size: number } = { size: 0 }): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of content) {
    hash.update(chunk);
    sums.size += chunk.byteLength;
    yield chunk;
  }
}

/** Reads what a cache gave, which may be anything. */
export function parseFacts(value: unknown): StoredFacts | undefined {
  const { descriptor, diffId } = (value ?? {}) as { readonly descriptor?: Partial<Descriptor>; readonly diffId?: unknown };
  const isWhole = isDigest(diffId) && isDigest(descriptor?.digest) && typeof descriptor?.size === "number" && typeof descriptor.mediaType === "string";
  return isWhole ? (value as StoredFacts) : undefined;
}
