import { createHash, type Hash } from "node:crypto";
import { ContentError } from "../../ground/errors/index.ts";
import type { Bytes, CallOptions } from "../../ground/bytes/index.ts";
import type { Descriptor, Digest } from "./descriptor.ts";

export interface VerifyOptions extends CallOptions {
  /** Whose content it is, for errors, as `"host/name"`. */
  readonly place?: string | undefined;
}

/**
 * Passes bytes through and checks them: more than `target.size` bytes end it at once, fewer or other bytes at the end.
 * What was yielded before the end is not verified yet; use it only when the stream ends well.
 * @throws ContentError `SIZE_MISMATCH`, `DIGEST_MISMATCH`.
 */
export async function* verifyBytes(
  bytes: Bytes,
  target: Descriptor,
  options: VerifyOptions = {},
): AsyncGenerator<Uint8Array> {
  const hash = createHash(algorithmOf(target.digest));
  let read = 0;
  for await (const chunk of bytes) {
    options.signal?.throwIfAborted();
    read += chunk.byteLength;
    if (read > target.size) throw sizeMismatch(target, read, "more");
    hash.update(chunk);
    yield chunk;
  }
  if (read !== target.size) throw sizeMismatch(target, read, "only");
  const actual = finish(hash, target.digest);
  if (actual !== target.digest) {
    const { place } = options;
    const hint =
      place === undefined
        ? {}
        : {
            hint: "what is kept there is damaged, or something on the way changed it; push it there again",
          };
    throw new ContentError(
      "DIGEST_MISMATCH",
      `verify "${target.digest}": the content${place === undefined ? "" : ` in ${place}`} has digest "${actual}"`,
      { ...hint, expected: target.digest, actual, bytesRead: read },
    );
  }
}

/** Reads verified content into memory. @throws ContentError `LIMIT_EXCEEDED` when it would be longer than `maxBytes`, and as `verifyBytes`. */
export async function readVerified(
  bytes: Bytes,
  target: Descriptor,
  options: CallOptions & { readonly maxBytes: number },
): Promise<Uint8Array> {
  if (target.size > options.maxBytes) {
    throw new ContentError(
      "LIMIT_EXCEEDED",
      `read "${target.digest}": it is ${target.size} bytes long, and ${options.maxBytes} is the most that is read into memory`,
    );
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of verifyBytes(bytes, target, options)) chunks.push(chunk);
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

function algorithmOf(digest: Digest): "sha256" | "sha512" {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

function finish(hash: Hash, expected: Digest): Digest {
  return `${algorithmOf(expected)}:${hash.digest("hex")}`;
}

function sizeMismatch(target: Descriptor, bytesRead: number, which: "more" | "only"): ContentError {
  const why =
    which === "more"
      ? `the content is longer than ${target.size} bytes`
      : `the content ended after ${bytesRead} of ${target.size} bytes`;
  return new ContentError("SIZE_MISMATCH", `verify "${target.digest}": ${why}`, {
    expected: `${target.size}`,
    actual: `${bytesRead}`,
    bytesRead,
  });
}
