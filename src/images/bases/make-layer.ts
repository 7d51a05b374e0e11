import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipPinned, type DeflatePool } from "../compress/index.ts";
import { writeBehind, type Bytes, type CallOptions } from "../../ground/bytes/index.ts";
import { createTempDir, writeFileAtomic } from "../../ground/process/index.ts";
import { MEDIA_TYPES, parseDigest, type Descriptor, type Digest } from "../oci/index.ts";
import type { BlobStore } from "./contracts.ts";

/** A layer that was made and stored. */
export interface MadeLayer {
  readonly descriptor: Descriptor;
  /** Digest of the tar before compression. */
  readonly diffId: Digest;
}

export interface MakeLayerOptions extends CallOptions {
  readonly blobs: BlobStore;
  readonly cacheDir: string;
  readonly pool: DeflatePool;
}

/** Compresses a tar, hashing it before and after, and stores it. Keeps the compressed layer on disk, never in memory. */
export async function makeLayer(tar: Bytes, options: MakeLayerOptions): Promise<MadeLayer> {
  const { blobs, signal } = options;
  await using temporary = await createTempDir("layer", join(options.cacheDir, "debian"));
  const path = join(temporary.path, "layer.tar.gz");
  const plain = createHash("sha256");
  const stored = createHash("sha256");
  await using file = await open(path, "w");
  const size = await writeBehind(
    file,
    hashed(gzipPinned(hashed(tar, plain), { pool: options.pool, signal }), stored),
    { signal },
  );
  const descriptor: Descriptor = {
    mediaType: MEDIA_TYPES.layerTarGzip,
    digest: digestOfHash(stored),
    size,
  };
  if (!(await blobs.has(descriptor, { signal })))
    await blobs.put(descriptor, createReadStream(path, { highWaterMark: 1 << 20 }), { signal });
  return { descriptor, diffId: digestOfHash(plain) };
}

/** Keeps what was made, by key, and gives it again while its blobs are there. */
export interface LayerMemory {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
}

/** A memory of small JSON files below `cacheDir`; losing it costs time only. */
export function createLayerMemory(cacheDir: string): LayerMemory {
  const pathOf = (key: string): string => join(cacheDir, "debian", "made", `${key}.json`);
  return {
    async get(key) {
      try {
        return JSON.parse(await readFile(pathOf(key), "utf8")) as unknown;
      } catch {
        // Not there, or cut short: it is made again.
        return undefined;
      }
    },
    async set(key, value) {
      await mkdir(join(cacheDir, "debian", "made"), { recursive: true });
      await writeFileAtomic(pathOf(key), JSON.stringify(value));
    },
  };
}

/** Reads a remembered layer. @returns `undefined` when it is none, or its blob is gone. */
export async function rememberedLayer(
  value: unknown,
  blobs: BlobStore,
  options: CallOptions = {},
): Promise<MadeLayer | undefined> {
  const { descriptor, diffId } = (value ?? {}) as {
    readonly descriptor?: { readonly digest?: unknown; readonly size?: unknown };
    readonly diffId?: unknown;
  };
  if (
    typeof descriptor?.digest !== "string" ||
    typeof descriptor.size !== "number" ||
    typeof diffId !== "string"
  )
    return undefined;
  const layer: MadeLayer = {
    descriptor: {
      mediaType: MEDIA_TYPES.layerTarGzip,
      digest: parseDigest(descriptor.digest),
      size: descriptor.size,
    },
    diffId: parseDigest(diffId),
  };
  return (await blobs.has(layer.descriptor, options)) ? layer : undefined;
}

async function* hashed(content: Bytes, hash: Hash): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
}

function digestOfHash(hash: Hash): Digest {
  return parseDigest(`sha256:${hash.digest("hex")}`);
}
