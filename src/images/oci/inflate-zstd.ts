import { createZstdDecompress, type ZstdDecompress } from "node:zlib";
import { ContentError } from "../../ground/errors/index.ts";
import type { Bytes } from "../../ground/bytes/index.ts";

/**
 * Unpacks zstd of any number of frames. Node's own stream ends after the first one and drops the rest without a word; parallel
 * compressors and `zstd:chunked` layers write many.
 * @throws ContentError `ARCHIVE_INVALID`.
 */
export async function* inflateZstd(stored: Bytes): AsyncGenerator<Uint8Array> {
  let codec = openCodec();
  try {
    for await (const chunk of stored) {
      for (let rest = chunk; rest.byteLength > 0;) {
        const before = codec.stream.bytesWritten;
        yield* codec.write(rest);
        const used = codec.stream.bytesWritten - before;
        rest = rest.subarray(used);
        if (rest.byteLength === 0) break;
        // The frame ended inside the chunk. A codec that takes nothing at its start would not end this loop.
        if (used === 0 && before === 0) throw damaged(new Error("it is not zstd"));
        codec.stream.destroy();
        codec = openCodec();
      }
    }
    yield* codec.end();
  } finally {
    codec.stream.destroy();
  }
}

/** What zlib says of the content. */
export function damaged(error: unknown): ContentError {
  return new ContentError("ARCHIVE_INVALID", `unpack layer: ${(error as Error).message}`, {
    cause: error,
  });
}

interface Codec {
  readonly stream: ZstdDecompress;
  /** Takes one chunk, or the start of it up to the frame's end, and gives what comes out. */
  write(chunk: Uint8Array): AsyncGenerator<Uint8Array>;
  /** @throws when the frame is not complete. */
  end(): AsyncGenerator<Uint8Array>;
}

function openCodec(): Codec {
  const stream = createZstdDecompress();
  let failure: unknown;
  let wake = (): void => undefined;
  stream.on("readable", () => wake());
  stream.on("error", (error) => {
    failure = error;
    wake();
  });
  async function* drain(isDone: () => boolean): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (failure !== undefined) throw damaged(failure);
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const isLast = isDone();
      const out = stream.read() as Uint8Array | null;
      if (out !== null) yield out;
      else if (isLast) return;
      else await woken;
    }
  }
  const start = (begin: (done: () => void) => void): AsyncGenerator<Uint8Array> => {
    let isDone = false;
    begin(() => {
      isDone = true;
      wake();
    });
    return drain(() => isDone);
  };
  return {
    stream,
    write: (chunk) => start((done) => void stream.write(chunk, done)),
    // Whether the frame is complete is known at the end of what comes out, not when the last byte was taken.
    end: () => start((done) => void stream.once("end", done).end()),
  };
}
