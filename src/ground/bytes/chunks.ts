import type { Bytes } from "./bytes.ts";

/** A stream of one chunk. The chunk is not copied. */
export async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

/** The first `count` bytes, or all where there are fewer. The source is closed after them; nothing beyond their last chunk is read. */
export async function* firstBytes(
  content: Bytes,
  count: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = count;
  if (left === 0) return;
  for await (const chunk of content) {
    yield chunk.byteLength <= left ? chunk : chunk.subarray(0, left);
    left -= Math.min(left, chunk.byteLength);
    if (left === 0) return;
  }
}

/** The content without its first `count` bytes, which are read all the same. */
export async function* skipBytes(
  content: Bytes,
  count: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = count;
  for await (const chunk of content) {
    if (left < chunk.byteLength) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.byteLength);
  }
}

/** The content as it is. `onTaken` gets the size of each chunk when the consumer is done with it, that is, asks for the next one. */
export async function* counted(
  content: Bytes,
  onTaken: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of content) {
    yield chunk;
    onTaken(chunk.byteLength);
  }
}

/** Chunks that were read already, and then what the reader has left. Leaving early closes the reader. */
export async function* goOn(
  chunks: readonly Uint8Array[],
  reader: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let isDone = false;
  try {
    yield* chunks;
    for (;;) {
      const next = await reader.next();
      if (next.done === true) {
        isDone = true;
        return;
      }
      yield next.value;
    }
  } finally {
    if (!isDone) await reader.return?.();
  }
}
