import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { ContentError } from "../../ground/errors/index.ts";
import { goOn, type Bytes, type CallOptions } from "../../ground/bytes/index.ts";
import type { Digest } from "./descriptor.ts";
import { layerCompressionOf, type LayerCompression } from "./media-types.ts";
import { damaged, inflateZstd } from "./inflate-zstd.ts";

export interface UncompressedOptions extends CallOptions {
  /** The most that may come out of a compressed layer, in bytes. Default 256 GiB. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 256 * 2 ** 30;
/** What the formats themselves can reach on zero bytes; beyond that a stream lies. */
const MAX_RATIO = { gzip: 1100, zstd: 33_000 } as const;
const RATIO_FREE_BYTES = 64 * 2 ** 20;

/**
 * A layer's tar, whatever its media type says it is stored as.
 * @throws ContentError `UNSUPPORTED` for a media type that is no layer, `ARCHIVE_INVALID` when the content is something else,
 * `LIMIT_EXCEEDED`.
 */
export async function* uncompressed(
  stored: Bytes,
  mediaType: string,
  options: UncompressedOptions = {},
): AsyncGenerator<Uint8Array> {
  const stated = layerCompressionOf(mediaType);
  if (stated === undefined)
    throw new ContentError("UNSUPPORTED", `unpack layer: media type "${mediaType}" is not a tar`);
  const { maxBytes = DEFAULT_MAX_BYTES, signal } = options;
  const reader = stored[Symbol.asyncIterator]();
  const { first, compression } = await beginOf(reader, stated);
  const content = goOn([first], reader);
  if (compression === "none") return yield* content;
  const count = { in: 0 };
  let out = 0;
  for await (const chunk of inflate(countBytes(content, count), compression)) {
    signal?.throwIfAborted();
    out += chunk.byteLength;
    if (out > maxBytes) throw tooLarge(`more than ${maxBytes} bytes come out of it`);
    if (out > RATIO_FREE_BYTES && out > count.in * MAX_RATIO[compression])
      throw tooLarge(`it grows more than ${MAX_RATIO[compression]} times`);
    yield chunk;
  }
}

/** Digest of a layer's tar. @throws as `uncompressed`. */
export async function diffIdOf(
  stored: Bytes,
  mediaType: string,
  options: UncompressedOptions = {},
): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of uncompressed(stored, mediaType, options)) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}

const FIRST_BYTES = 512;
const TAR_MAGIC_AT = 257;
const MAGIC = { gzip: [0x1f, 0x8b], zstd: [0x28, 0xb5, 0x2f, 0xfd] } as const;

async function beginOf(
  reader: AsyncIterator<Uint8Array>,
  stated: LayerCompression,
): Promise<{ readonly first: Uint8Array; readonly compression: LayerCompression }> {
  try {
    const first = await readFirst(reader);
    return { first, compression: agreed(stated, first) };
  } catch (error) {
    await reader.return?.();
    throw error;
  }
}

/** The first bytes: enough to tell formats apart, or all there are. */
async function readFirst(reader: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let first: Uint8Array = new Uint8Array(0);
  while (first.byteLength < FIRST_BYTES) {
    const next = await reader.next();
    if (next.done === true) break;
    first = first.byteLength === 0 ? next.value : Buffer.concat([first, next.value]);
  }
  if (first.byteLength < 4)
    throw new ContentError(
      "ARCHIVE_INVALID",
      `unpack layer: it has only ${first.byteLength} bytes`,
    );
  return first;
}

/**
 * How the content is really stored. The media type must fit, else the diffId would be the digest of
 * compressed bytes. One exception: Docker labels every layer that it pushes as gzip, plain tar
 * layers too, and all engines accept them.
 */
function agreed(stated: LayerCompression, first: Uint8Array): LayerCompression {
  const starts = (magic: readonly number[]): boolean =>
    magic.every((byte, at) => first[at] === byte);
  // A zstd stream may begin with a skippable frame.
  const isZstd =
    starts(MAGIC.zstd) ||
    (((first[0] ?? 0) & 0xf0) === 0x50 && starts([first[0] ?? 0, 0x2a, 0x4d, 0x18]));
  const found: LayerCompression = starts(MAGIC.gzip) ? "gzip" : isZstd ? "zstd" : "none";
  const isTar =
    Buffer.from(first.subarray(TAR_MAGIC_AT, TAR_MAGIC_AT + 5)).toString("latin1") === "ustar";
  if (found === stated || (stated === "gzip" && found === "none" && isTar)) return found;
  throw new ContentError(
    "ARCHIVE_INVALID",
    `unpack layer: its media type says ${NAMES[stated]}, and its content is ${NAMES[found]}`,
  );
}

const NAMES = { none: "not compressed", gzip: "gzip", zstd: "zstd" } as const;

async function* countBytes(bytes: Bytes, count: { in: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    count.in += chunk.byteLength;
    yield chunk;
  }
}

function inflate(stored: Bytes, compression: "gzip" | "zstd"): AsyncGenerator<Uint8Array> {
  return compression === "gzip" ? inflateGzip(stored) : inflateZstd(stored);
}

async function* inflateGzip(stored: Bytes): AsyncGenerator<Uint8Array> {
  const source = Readable.from(stored, { objectMode: false });
  const codec = createGunzip();
  const failure: { error?: unknown } = {};
  source.once("error", (error) => {
    failure.error = error;
    codec.destroy(error);
  });
  try {
    yield* source.pipe(codec) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw failure.error ?? damaged(error);
  } finally {
    source.destroy();
    codec.destroy();
  }
}

function tooLarge(why: string): ContentError {
  return new ContentError("LIMIT_EXCEEDED", `unpack layer: ${why}`);
}
