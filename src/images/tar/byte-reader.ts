import { TarError } from "./tar-error.ts";
import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";

/** Cuts a stream into pieces of wanted lengths. Disposing closes the source. */
export interface ByteReader extends AsyncDisposable {
  /** Exactly `count` bytes, or `undefined` when the source is at its end. @throws ToolError `ARCHIVE_INVALID` when it ends inside. */
  read(count: number): Promise<Uint8Array | undefined>;
  /** The next `count` bytes as they come. @throws as `read`. */
  stream(count: number): AsyncGenerator<Uint8Array>;
  skip(count: number): Promise<void>;
  /** Bytes that have been taken. */
  position(): number;
  /** Reads the rest of the source and drops it. */
  drain(): Promise<void>;
}

export function createByteReader(bytes: Bytes, options: CallOptions = {}): ByteReader {
  const iterator = bytes[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  let taken = 0;
  const fill = async (): Promise<boolean> => {
    options.signal?.throwIfAborted();
    while (rest.byteLength === 0) {
      const next = await iterator.next();
      if (next.done === true) return false;
      rest = next.value;
    }
    return true;
  };
  const take = (count: number): Uint8Array => {
    const piece = rest.subarray(0, count);
    rest = rest.subarray(piece.byteLength);
    taken += piece.byteLength;
    return piece;
  };
  async function* stream(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0;) {
      if (!(await fill())) throw new TarError(`it ends ${left} bytes too early`);
      const piece = take(left);
      left -= piece.byteLength;
      yield piece;
    }
  }
  return {
    position: () => taken,
    stream: (count) => resumable(stream(count)),
    async read(count) {
      if (!(await fill())) return undefined;
      if (rest.byteLength >= count) return take(count);
      const pieces: Uint8Array[] = [];
      for await (const piece of stream(count)) pieces.push(piece);
      return Buffer.concat(pieces);
    },
    async skip(count) {
      for await (const piece of stream(count)) void piece;
    },
    async drain() {
      rest = new Uint8Array(0);
      while (await fill()) rest = new Uint8Array(0);
    },
    async [Symbol.asyncDispose]() {
      await iterator.return?.();
    },
  };
}

/** A generator that a `for await` may leave early: a later loop over it goes on where the first one stopped. */
function resumable(generator: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  return Object.assign(Object.create(generator) as AsyncGenerator<Uint8Array>, {
    next: () => generator.next(),
    return: (value: unknown) => Promise.resolve({ done: true as const, value }),
    throw: (error: unknown) => Promise.reject(error),
    [Symbol.asyncIterator]() {
      return this;
    },
  }) as AsyncGenerator<Uint8Array>;
}
