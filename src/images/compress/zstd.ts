import { Readable } from "node:stream";
import { constants, createZstdCompress } from "node:zlib";
import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";

/** zstd's own default: the best trade of time and size for layers. */
const LEVEL = 3;

/**
 * Names what decides the bytes of `zstdOfNode`. It holds the version of zstd inside this Node: unlike gzip, zstd layers made by two
 * versions may differ, though they unpack to the same.
 */
export function zstdId(): string {
  return `zstd+node-${process.versions["zstd"] ?? process.versions.node}+${LEVEL}`;
}

/** Compresses to one zstd frame with a checksum, with the zstd that is part of Node. Three times as fast as gzip and smaller. */
export async function* zstdOfNode(
  content: Bytes,
  options: CallOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };
  const source = Readable.from(content, { objectMode: false });
  const stream = createZstdCompress({ params });
  source.on("error", (error) => stream.destroy(error));
  const abort = (): void =>
    void source.destroy(
      options.signal?.reason instanceof Error ? options.signal.reason : new Error("aborted"),
    );
  options.signal?.throwIfAborted();
  options.signal?.addEventListener("abort", abort, { once: true });
  try {
    yield* source.pipe(stream) as Bytes;
  } finally {
    options.signal?.removeEventListener("abort", abort);
    stream.destroy();
    const closed = source.closed
      ? undefined
      : new Promise((resolve) => source.once("close", resolve));
    source.destroy();
    await closed; // the content's own clean-up is over when the reader goes on
  }
}
