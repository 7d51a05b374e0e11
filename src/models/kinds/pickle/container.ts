import { createReadStream } from "node:fs";
import { constants, open } from "node:fs/promises";
import type { Transform } from "node:stream";
import { createGunzip, createInflate } from "node:zlib";
import { unbzip2, unxz, type Bytes } from "../../../ground/bytes/index.ts";
import { fileFeed, PickleInput, streamFeed } from "./input.ts";
import { unpackLz4 } from "./lz4-frame.ts";
import { PickleError } from "./pickle-error.ts";

/** How joblib may have packed a pickle. */
export type Compression = "zlib" | "gzip" | "lz4" | "bz2" | "xz" | "lzma";

/** Unpacked bytes that are looked at; facts that come later are not found. */
const MAX_UNPACKED_BYTES = 512 * 2 ** 20;

/** @see joblib, compressor.py */
const MAGICS: readonly (readonly [readonly number[], Compression])[] = [
  [[0x78], "zlib"], // no opcode
  [[0x1f, 0x8b], "gzip"],
  [[0x04, 0x22, 0x4d, 0x18], "lz4"],
  [[0x42, 0x5a, 0x68], "bz2"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "xz"],
  [[0x5d, 0x00, 0x00], "lzma"],
];

/** Tells the compression from the first bytes; `undefined` when it is a plain pickle, or nothing that is known. */
function compressionOf(head: Uint8Array): Compression | undefined {
  return MAGICS.find(([magic]) => magic.every((byte, index) => head[index] === byte))?.[1];
}

export interface OpenedPickle {
  readonly compression: Compression | undefined;
  /** Absent for a compression that cannot be read here. */
  readonly input: PickleInput | undefined;
}

/** Opens a pickle for one walk over it; the input is to be disposed. @throws PickleError when it is no file. */
export async function openPickle(location: string): Promise<OpenedPickle> {
  const file = await open(location, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new PickleError("it is not a file");
    const head = Buffer.alloc(8);
    const { bytesRead } = await file.read(head, 0, head.byteLength, 0);
    const compression = compressionOf(head.subarray(0, bytesRead));
    if (compression === undefined)
      return { compression, input: new PickleInput(fileFeed(file, stats.size)) };
    await file.close();
    const bytes = unpack(location, compression);
    return {
      compression,
      input:
        bytes === undefined ? undefined : new PickleInput(streamFeed(bytes, MAX_UNPACKED_BYTES)),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function unpack(location: string, compression: Compression): Bytes | undefined {
  if (compression === "lz4") return unpackLz4(chunksOf(location));
  if (compression === "zlib") return unzipped(location, createInflate());
  if (compression === "gzip") return unzipped(location, createGunzip());
  if (compression === "bz2") return unpackedBy(unbzip2(chunksOf(location)));
  return compression === "xz" ? unpackedBy(unxz(chunksOf(location))) : undefined;
}

async function* chunksOf(location: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(location, { highWaterMark: 64 * 1024 }) as AsyncIterable<Uint8Array>;
}

async function* unzipped(location: string, unzip: Transform): AsyncGenerator<Uint8Array> {
  const file = createReadStream(location, { highWaterMark: 64 * 1024 });
  file.on("error", (error) => unzip.destroy(error));
  try {
    yield* file.pipe(unzip) as AsyncIterable<Uint8Array>;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith("Z_") === true)
      throw new PickleError(`it cannot be unpacked: ${(error as Error).message}`, { cause: error });
    throw error;
  } finally {
    file.destroy();
    unzip.destroy();
  }
}

/** The unpackers' own errors have no code: whatever does not come from the file system is damage of the content. */
async function* unpackedBy(unpacked: Bytes): AsyncGenerator<Uint8Array> {
  try {
    yield* unpacked;
  } catch (error) {
    if (error instanceof Error && "syscall" in error) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new PickleError(`it cannot be unpacked: ${why}`, { cause: error });
  }
}
