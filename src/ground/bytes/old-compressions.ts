import { Readable } from "node:stream";
import type { Bytes } from "./bytes.ts";

/**
 * Unpacks bzip2, streams one behind another included. The libraries are loaded at the first call, since few need them.
 * @throws what the source throws, and for content that is damaged an Error without a `code`.
 */
export async function* unbzip2(stored: Bytes): AsyncGenerator<Uint8Array> {
  const { default: createUnbzip2 } = await import("unbzip2-stream");
  const source = Readable.from(stored, { objectMode: false });
  // It would close itself before its last bytes were taken.
  const unzip = Object.assign(createUnbzip2(), { autoDestroy: false });
  source.on("error", (error) => unzip.emit("error", error));
  try {
    yield* new Readable().wrap(source.pipe(unzip)) as AsyncIterable<Uint8Array>;
  } finally {
    source.destroy();
  }
}

/** Unpacks xz; else as `unbzip2`. */
export async function* unxz(stored: Bytes): AsyncGenerator<Uint8Array> {
  const { XzReadableStream } = (await import("xz-decompress")).default;
  const source = Readable.from(stored, { objectMode: false });
  const packed = Readable.toWeb(source) as ConstructorParameters<typeof XzReadableStream>[0];
  const reader = new XzReadableStream(packed).getReader();
  let isDone = false;
  try {
    for (;;) {
      const next = await reader.read();
      isDone = next.done;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Once at its end it has freed its memory, and does it again when it is cancelled, which throws.
    if (!isDone) await reader.cancel().catch(() => undefined);
    source.destroy();
  }
}
