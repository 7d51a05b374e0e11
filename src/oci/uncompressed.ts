import { createHash } from "node:crypto";
import { Readable, type Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { ContentError } from "../errors/index.ts";
import type { Bytes, CallOptions } from "../internal/index.ts";
import type { Digest } from "./descriptor.ts";
import { layerCompressionOf } from "./media-types.ts";

export interface UncompressedOptions extends CallOptions {
  /** The most that may come out, in bytes. Default 1 TiB. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 2 ** 40;
/** A stream that grows more than this is a bomb: gzip's own ceiling is about 1032, and no layer of use comes near it. */
const MAX_RATIO = 1100;
const RATIO_FREE_BYTES = 64 * 2 ** 20;

/**
 * A layer's tar, whatever its media type says it is stored as.
 * @throws ContentError `UNSUPPORTED` for a media type that is no layer, `ARCHIVE_INVALID`, `LIMIT_EXCEEDED`.
 */
export async function* uncompressed(stored: Bytes, mediaType: string, options: UncompressedOptions = {}): AsyncGenerator<Uint8Array> {
  const compression = layerCompressionOf(mediaType);
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  if (compression === undefined) throw new ContentError("UNSUPPORTED", `unpack layer: media type "${mediaType}" is not a tar`);
  const count = { in: 0 };
  const counted = countBytes(stored, count);
  const tar = compression === "none" ? counted : inflate(counted, compression === "gzip" ? createGunzip() : createZstdDecompress());
  let out = 0;
  for await (const chunk of tar) {
    options.signal?.throwIfAborted();
    out += chunk.byteLength;
    if (out > maxBytes) throw tooLarge(`more than ${maxBytes} bytes come out of it`);
    if (out > Math.max(RATIO_FREE_BYTES, count.in * MAX_RATIO)) throw tooLarge(`it grows more than ${MAX_RATIO} times`);
    yield chunk;
  }
}

/** Digest of a layer's tar. @throws as `uncompressed`. */
export async function diffIdOf(stored: Bytes, mediaType: string, options: UncompressedOptions = {}): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of uncompressed(stored, mediaType, options)) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}

async function* countBytes(bytes: Bytes, count: { in: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    count.in += chunk.byteLength;
    yield chunk;
  }
}

async function* inflate(stored: Bytes, codec: Transform): AsyncGenerator<Uint8Array> {
  const source = Readable.from(stored, { objectMode: false });
  const failure: { error?: unknown } = {};
  source.once("error", (error) => {
    failure.error = error;
    codec.destroy(error);
  });
  try {
    yield* source.pipe(codec) as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (failure.error !== undefined) throw failure.error;
    throw new ContentError("ARCHIVE_INVALID", `unpack layer: ${(error as Error).message}`, { cause: error });
  } finally {
    source.destroy();
    codec.destroy();
  }
}

function tooLarge(why: string): ContentError {
  return new ContentError("LIMIT_EXCEEDED", `unpack layer: ${why}`);
}
