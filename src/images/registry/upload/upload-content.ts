import { createHash, type Hash } from "node:crypto";
import { ContentError } from "../../../ground/errors/index.ts";
import { type Bytes, firstBytes } from "../../../ground/bytes/index.ts";
import type { Digest } from "../../oci/index.ts";

/** Content on its way up. */
export interface UploadContent {
  /** Bytes. */
  readonly size: number;
  /** True when any part can be read again. */
  readonly isReopenable: boolean;
  /** The digest, when it is known before anything is read. */
  readonly known?: Digest | undefined;
  /** Names the content in the memory that processes share. Absent: the content is not remembered. */
  readonly identity?: string | undefined;
  /** `count` bytes from `offset` on, or all from there: then the end of the source is seen too, with what it may throw. */
  part(offset: number, count?: number): Bytes;
  /** The digest that the registry is told. Reads what no part was asked for where it has to. */
  digest(): Promise<Digest>;
  /** Closes what is still open. */
  close(): Promise<void>;
}

/** Content whose digest is known. */
export function knownContent(
  target: { readonly digest: Digest; readonly size: number },
  open: (offset: number) => Bytes,
): UploadContent {
  return {
    size: target.size,
    isReopenable: true,
    known: target.digest,
    identity: target.digest,
    part: (offset, count) => (count === undefined ? open(offset) : firstBytes(open(offset), count)),
    digest: async () => target.digest,
    close: async () => undefined,
  };
}

/** Content that can be read once, in parts that follow each other. Its digest is known, or found while it is read. */
export function singleContent(content: Bytes, size: number, known?: Digest): UploadContent {
  const hash = known === undefined ? createHash("sha256") : undefined;
  let chunks: AsyncIterator<Uint8Array> | undefined;
  let rest: Uint8Array | undefined;
  let position = 0;
  const next = async (): Promise<Uint8Array | undefined> => {
    if (rest !== undefined) return rest;
    chunks ??= content[Symbol.asyncIterator]();
    const { value, done } = await chunks.next();
    return done === true ? undefined : value;
  };
  return {
    size,
    isReopenable: false,
    known,
    async *part(offset, count = Number.POSITIVE_INFINITY) {
      if (offset !== position) throw new Error("content that can be read once was asked for again");
      for (let left = count; left > 0;) {
        const chunk = await next();
        if (chunk === undefined) return;
        const piece = chunk.byteLength <= left ? chunk : chunk.subarray(0, left);
        rest = piece.byteLength < chunk.byteLength ? chunk.subarray(piece.byteLength) : undefined;
        left -= piece.byteLength;
        position += piece.byteLength;
        hash?.update(piece);
        yield piece;
      }
    },
    digest: async () => known ?? finish(hash ?? createHash("sha256"), { hashed: position, size }),
    async close() {
      await (chunks ?? content[Symbol.asyncIterator]()).return?.();
    },
  };
}

/** Hashes content while it is streamed, every byte once, however often and wherever it is opened. */
export function hashedContent(source: {
  readonly size: number;
  readonly key?: string | undefined;
  open(offset: number): Bytes;
}): UploadContent {
  const hash = createHash("sha256");
  let hashed = 0;
  let found: Digest | undefined;
  const take = (chunk: Uint8Array, position: number): void => {
    const skip = hashed - position;
    if (skip >= chunk.byteLength) return;
    hash.update(skip === 0 ? chunk : chunk.subarray(skip));
    hashed = position + chunk.byteLength;
  };
  const open = async function* (offset: number): AsyncGenerator<Uint8Array, void, undefined> {
    // What an earlier process sent has to be hashed too.
    let position = Math.min(hashed, offset);
    for await (const chunk of source.open(position)) {
      take(chunk, position);
      const from = Math.max(0, offset - position);
      position += chunk.byteLength;
      if (from < chunk.byteLength) yield from === 0 ? chunk : chunk.subarray(from);
    }
  };
  return {
    size: source.size,
    isReopenable: true,
    identity: source.key === undefined ? undefined : `key:${source.key}`,
    part: (offset, count) => (count === undefined ? open(offset) : firstBytes(open(offset), count)),
    async digest() {
      if (hashed < source.size) for await (const _chunk of open(source.size)); // reads for the hash only
      return (found ??= finish(hash, { hashed, size: source.size }));
    },
    close: async () => undefined,
  };
}

function finish(
  hash: Hash,
  { hashed, size }: { readonly hashed: number; readonly size: number },
): Digest {
  if (hashed !== size)
    throw new ContentError("SIZE_MISMATCH", `push a blob: ${hashed} of ${size} bytes were read`, {
      expected: String(size),
      actual: String(hashed),
      bytesRead: hashed,
    });
  return `sha256:${hash.digest("hex")}`;
}
