import { gzipSync, zstdCompressSync } from "node:zlib";
import { createHash } from "node:crypto";
import {
  appendLayers,
  digestOf,
  emptyImage,
  mutateConfig,
  MEDIA_TYPES,
  type Descriptor,
  type Digest,
  type Image,
  type Layer,
  type Platform,
  type UnhashedLayer,
} from "../../src/images/oci/index.ts";
import { tarOf } from "./tiny-tar.ts";

export interface RandomImageOptions {
  /** Default 2. */
  readonly layers?: number;
  /** Equal seeds give equal images. Default 1. */
  readonly seed?: number;
  /** Bytes of the one file in each layer. Default 2000. */
  readonly bytes?: number;
  /** Default: tar, gzip and zstd in turn. */
  readonly compression?: "none" | "gzip" | "zstd";
  readonly platform?: Platform;
}

/** An image of files with pseudo-random content, the same on every machine as far as zlib's bytes are. */
export function randomImage(options: RandomImageOptions = {}): Image {
  const { layers = 2, seed = 1, platform = { os: "linux", architecture: "amd64" } } = options;
  const additions = Array.from({ length: layers }, (_, index) => ({
    layer: randomLayer({ ...options, seed: seed * 1000 + index, index }),
    history: { created_by: `layer ${index}` },
  }));
  return mutateConfig(appendLayers(emptyImage(platform), additions), (config) => ({
    ...config,
    config: { Cmd: ["/hello"], Labels: { seed: `${seed}` } },
  }));
}

/** One layer with one file. */
export function randomLayer(options: RandomImageOptions & { readonly index?: number } = {}): Layer {
  const { seed = 1, bytes = 2000, index = 0 } = options;
  const tar = tarOf({ [`data/file-${seed}.bin`]: randomBytesOf(seed, bytes) });
  const compression =
    options.compression ?? (["none", "gzip", "zstd"] as const)[index % 3] ?? "none";
  const stored =
    compression === "none" ? tar : compression === "gzip" ? gzipSync(tar) : zstdCompressSync(tar);
  const mediaType = {
    none: MEDIA_TYPES.layerTar,
    gzip: MEDIA_TYPES.layerTarGzip,
    zstd: MEDIA_TYPES.layerTarZstd,
  }[compression];
  return bytesLayer(stored, mediaType, digestOf(tar));
}

/** A layer whose bytes are at hand. */
export function bytesLayer(stored: Uint8Array, mediaType: string, diffId: Digest): Layer {
  const descriptor: Descriptor = { mediaType, digest: digestOf(stored), size: stored.byteLength };
  return {
    descriptor: async () => descriptor,
    diffId: async () => diffId,
    open: () => chunksOf(stored),
  };
}

/** A plain tar layer that does not know its digest until it is read; `reads` counts how often that was. */
export function unhashedLayer(
  tar: Uint8Array,
): UnhashedLayer & { readonly reads: () => number; readonly adopted: () => Digest | undefined } {
  let reads = 0;
  let adopted: Digest | undefined;
  const mediaType = MEDIA_TYPES.layerTar;
  const layer: UnhashedLayer = {
    mediaType,
    size: tar.byteLength,
    async *open() {
      reads += 1;
      yield* chunksOf(tar);
    },
    known: async () =>
      adopted === undefined ? undefined : { mediaType, digest: adopted, size: tar.byteLength },
    async adopt(digest) {
      adopted = digest;
    },
    async descriptor() {
      if (adopted === undefined) {
        const hash = createHash("sha256");
        for await (const chunk of layer.open()) hash.update(chunk);
        adopted = `sha256:${hash.digest("hex")}`;
      }
      return { mediaType, digest: adopted, size: tar.byteLength };
    },
    diffId: async () => (await layer.descriptor()).digest,
  };
  return { ...layer, reads: () => reads, adopted: () => adopted };
}

/** Bytes that look random and follow from the seed. */
export function randomBytesOf(seed: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let at = 0; at < length; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    bytes[at] = state & 0xff;
  }
  return bytes;
}

/** A stream of chunks of 16 KiB. */
export async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 16_384) yield bytes.subarray(at, at + 16_384);
}
