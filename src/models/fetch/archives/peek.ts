import { goOn, type Bytes } from "../../../ground/bytes/index.ts";

/** A stream whose beginning was looked at. */
export interface Peeked {
  /** The first `count` bytes, or all there are. */
  readonly first: Uint8Array;
  /** Everything, the first bytes included; read once. Leaving it early closes the source. */
  readonly content: Bytes;
}

/** Reads the beginning of a stream. */
export async function peek(bytes: Bytes, count: number): Promise<Peeked> {
  const reader = bytes[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < count) {
    const next = await reader.next();
    if (next.done === true) break;
    chunks.push(next.value);
    length += next.value.byteLength;
  }
  const first = Buffer.concat(chunks).subarray(0, count);
  return { first, content: goOn(chunks, reader) };
}
