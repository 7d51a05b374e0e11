import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import {
  chooseCompression,
  COMPRESSOR_ID,
  gzipPinned,
  sampleCompressibility,
  type DeflatePool,
} from "../../compress/index.ts";
import {
  hashPlan,
  openPlan,
  writeBehind,
  type Bytes,
  type CallOptions,
  type ContentPlan,
} from "../../../ground/bytes/index.ts";
import { createTempDir } from "../../../ground/process/index.ts";
import {
  isDigest,
  MEDIA_TYPES,
  type Descriptor,
  type Digest,
  type Layer,
} from "../../oci/index.ts";
import type { DigestMemory, JsonCache, PackStore } from "../context.ts";
import { layerPlan } from "./layer-plan.ts";
import type { LayerEntry } from "./layer-tree.ts";

export interface SmallLayerContext extends CallOptions {
  readonly store: PackStore;
  readonly cache: JsonCache;
  readonly digests: DigestMemory;
  readonly cacheDir: string;
  readonly pool: DeflatePool;
  readonly epochS: number;
}

/** A layer whose blob lies in the store. */
export interface StoredLayer {
  readonly layer: Layer;
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** False when an earlier pack had made it. */
  readonly isNew: boolean;
}

/** Below this a tar is held in memory, above it in a file of the cache folder. */
const MEMORY_BYTES = 4 * 2 ** 20;
/** Below this nothing is sampled: compressing costs less than asking. */
const SAMPLED_BYTES = 2 ** 20;

/**
 * A layer of code, server or runtime files, compressed by the pinned gzip where that pays, found again by the digest of its tar.
 * @throws ToolError `FILE_CHANGED`, `DISK_FULL`, `STORE_UNWRITABLE`.
 */
export async function smallLayer(
  entries: readonly LayerEntry[],
  context: SmallLayerContext,
): Promise<StoredLayer> {
  const plan = layerPlan(entries, context.epochS);
  const tar = (): Bytes => openPlan(plan, { signal: context.signal });
  const diffId = await digestOfPlan(plan, context);
  const key = `${COMPRESSOR_ID} ${diffId}`;
  const known = parseDescriptor(await context.cache.get(key));
  if (known !== undefined && (await context.store.has(known, context)))
    return storedLayer(context, { descriptor: known, diffId, isNew: false });
  const { size } = plan;
  const descriptor = (await isCompressible(tar, size, context))
    ? await storeCompressed(tar(), size, context)
    : await storePlain(tar(), { digest: diffId, size }, context);
  await context.cache.set(key, descriptor);
  return storedLayer(context, { descriptor, diffId, isNew: true });
}

/** A layer that the store holds. */
function storedLayer(
  context: Pick<SmallLayerContext, "store">,
  about: { readonly descriptor: Descriptor; readonly diffId: Digest; readonly isNew: boolean },
): StoredLayer {
  const { descriptor, diffId } = about;
  const layer: Layer = {
    descriptor: () => Promise.resolve(descriptor),
    diffId: () => Promise.resolve(diffId),
    open: (options) => context.store.open(descriptor, options),
  };
  return { ...about, layer };
}

/** Reads a remembered `{descriptor, diffId}`. @returns `undefined` unless the store still has the blob. */
export async function recallLayer(
  key: string,
  context: SmallLayerContext,
): Promise<StoredLayer | undefined> {
  const value = await context.cache.get(key);
  const { diffId } = (value ?? {}) as { readonly diffId?: unknown };
  const descriptor = parseDescriptor(value);
  if (
    descriptor === undefined ||
    !isDigest(diffId) ||
    !(await context.store.has(descriptor, context))
  )
    return undefined;
  return storedLayer(context, { descriptor, diffId, isNew: false });
}

/** Remembers a layer under a key that says what it was made from. */
export async function rememberLayer(
  key: string,
  { descriptor, diffId }: StoredLayer,
  context: SmallLayerContext,
): Promise<void> {
  await context.cache.set(key, { ...descriptor, diffId });
}

/** Unchanged files are not read again. */
async function digestOfPlan(
  plan: ContentPlan,
  { digests, signal }: SmallLayerContext,
): Promise<Digest> {
  const known = await digests.get(plan);
  if (known !== undefined) return known;
  const found: Digest = `sha256:${await hashPlan(plan, { signal })}`;
  await digests.set(plan, found);
  return found;
}

async function isCompressible(
  tar: () => Bytes,
  size: number,
  context: SmallLayerContext,
): Promise<boolean> {
  if (size < SAMPLED_BYTES) return true;
  const ratio = await sampleCompressibility((offset) => skip(tar(), offset), size, {
    pool: context.pool,
    signal: context.signal,
  });
  return chooseCompression(ratio) === "gzip";
}

async function storeCompressed(
  tar: Bytes,
  size: number,
  context: SmallLayerContext,
): Promise<Descriptor> {
  const compressed = gzipPinned(tar, { pool: context.pool, signal: context.signal });
  if (size <= MEMORY_BYTES) {
    const bytes = Buffer.concat(await Array.fromAsync(compressed));
    return put(
      context,
      {
        mediaType: MEDIA_TYPES.layerTarGzip,
        digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`,
        size: bytes.byteLength,
      },
      [bytes],
    );
  }
  await using folder = await createTempDir("layer", context.cacheDir);
  const path = join(folder.path, "layer");
  const hash = createHash("sha256");
  await using file = await open(path, "w");
  const stored = await writeBehind(file, hashed(compressed, hash), { signal: context.signal });
  return await put(
    context,
    { mediaType: MEDIA_TYPES.layerTarGzip, digest: `sha256:${hash.digest("hex")}`, size: stored },
    createReadStream(path, { highWaterMark: 2 ** 20 }),
  );
}

async function storePlain(
  tar: Bytes,
  about: { readonly digest: Digest; readonly size: number },
  context: SmallLayerContext,
): Promise<Descriptor> {
  return put(context, { mediaType: MEDIA_TYPES.layerTar, ...about }, tar);
}

async function put(
  context: SmallLayerContext,
  descriptor: Descriptor,
  content: Bytes | readonly Uint8Array[],
): Promise<Descriptor> {
  await context.store.put(
    descriptor,
    Array.isArray(content) ? fromArray(content as readonly Uint8Array[]) : (content as Bytes),
    context,
  );
  return descriptor;
}

async function* fromArray(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

async function* hashed(
  bytes: Bytes,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}

async function* skip(bytes: Bytes, offset: number): AsyncGenerator<Uint8Array> {
  let left = offset;
  for await (const chunk of bytes) {
    if (left < chunk.byteLength) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.byteLength);
  }
}

function parseDescriptor(value: unknown): Descriptor | undefined {
  const { mediaType, digest, size } = (value ?? {}) as { readonly [key: string]: unknown };
  return typeof mediaType === "string" && isDigest(digest) && typeof size === "number"
    ? { mediaType, digest, size }
    : undefined;
}
