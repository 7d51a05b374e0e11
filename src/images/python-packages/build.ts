import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import {
  chooseCompression,
  COMPRESSOR_ID,
  gzipPinned,
  sampleCompressibility,
  type Compression,
  type DeflatePool,
} from "../compress/index.ts";
import { type Bytes, type CallOptions } from "../../ground/bytes/index.ts";
import { createTempDir, writeFileAtomic } from "../../ground/process/index.ts";
import { MEDIA_TYPES, type Descriptor, type Digest } from "../oci/index.ts";
import type { LayerStore } from "./contracts.ts";
import { readFrom, type LayerFile } from "./layer-content.ts";
import { tarOf } from "./layer-tar.ts";

/** A layer that is in the store. */
export interface BuiltLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/** Where a layer is made and kept. */
export interface BuildPlace extends CallOptions {
  readonly store: LayerStore;
  readonly workDir: string;
  readonly pool: DeflatePool;
  /** Absolute folder in the image. */
  readonly sitePackages: string;
}

/** Names the way a layer is made; part of the key under which it is remembered. Goes up when the same wheels give other bytes. */
export const LAYER_RECIPE: string = `1 ${COMPRESSOR_ID}`;

/**
 * Makes a layer of files in byte order of their paths and puts it into the store. The same files give the same bytes on every machine.
 * The compressed layer passes through a file below `workDir`, because its digest has to be known before it can be stored.
 * @throws ToolError `FILE_CHANGED` when an unpacked file is not what its wheel promised.
 */
export async function buildLayer(
  files: readonly LayerFile[],
  place: BuildPlace,
): Promise<BuiltLayer> {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const ratio = await sampleCompressibility((offset) => readFrom(files, offset), size, place);
  const compression = chooseCompression(ratio);
  await using folder = await createTempDir("layer", place.workDir);
  const spool = join(folder.path, "blob");
  const plain = createHash("sha256");
  const tar = hashing(tarOf(files, place.sitePackages, place), plain);
  const stored = createHash("sha256");
  const sums = { size: 0 };
  const content =
    compression === "none" ? tar : gzipPinned(tar, { pool: place.pool, signal: place.signal });
  await writeFileAtomic(spool, hashing(content, stored, sums), { signal: place.signal });
  const descriptor: Descriptor = {
    mediaType: mediaTypeOf(compression),
    digest: `sha256:${stored.digest("hex")}`,
    size: sums.size,
  };
  if (!(await place.store.has(descriptor, place)))
    await place.store.put(descriptor, createReadStream(spool, { highWaterMark: 2 ** 18 }), {
      signal: place.signal,
    });
  return { descriptor, diffId: `sha256:${plain.digest("hex")}` };
}

function mediaTypeOf(compression: Compression): string {
  return compression === "gzip" ? MEDIA_TYPES.layerTarGzip : MEDIA_TYPES.layerTar;
}

async function* hashing(
  content: Bytes,
  hash: ReturnType<typeof createHash>,
  sums: { size: number } = { size: 0 },
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of content) {
    hash.update(chunk);
    sums.size += chunk.byteLength;
    yield chunk;
  }
}
