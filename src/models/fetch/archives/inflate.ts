import type { Bytes } from "../../../ground/bytes/index.ts";
import { isToolError, ToolError } from "../../../ground/errors/index.ts";
import type { FetchContext } from "../contracts.ts";

/** Below this much unpacked nothing is a bomb. */
export const SMALL_BYTES: number = 256 * 2 ** 20;
/** Weights grow a few times at the most. */
export const MAX_RATIO = 200;

/**
 * Unpacks a stream.
 * @throws ToolError `ARCHIVE_INVALID` for damaged content; `LIMIT_EXCEEDED` when it grows as no model does.
 */
export async function* inflate(
  stored: Bytes,
  compression: "gzip" | "zstd",
  { uncompressed, limits, signal }: FetchContext,
): AsyncGenerator<Uint8Array> {
  let packed = 0;
  let plain = 0;
  let failure: { readonly error: unknown } | undefined;
  async function* counted(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of stored) {
        packed += chunk.byteLength;
        yield Buffer.from(chunk); // a stream keeps more of them than the source lends
      }
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  try {
    for await (const chunk of uncompressed(counted(), compression, {
      maxBytes: limits.maxBytes * 2,
      signal,
    })) {
      plain += chunk.byteLength;
      if (plain > SMALL_BYTES && plain > packed * MAX_RATIO) throw bomb(plain, packed);
      yield chunk;
    }
  } catch (error) {
    throw failure === undefined ? explain(error, compression) : failure.error;
  }
}

/** What an archive that grows as no model does is refused with. */
export function bomb(plain: number, packed: number): ToolError {
  return new ToolError(
    "LIMIT_EXCEEDED",
    `unpack the archive: ${packed} bytes of it become ${plain}, more than ${MAX_RATIO} times as much: it is too large, or a bomb`,
    { hint: "give the model unpacked, or as a plain tar" },
  );
}

function explain(error: unknown, compression: string): unknown {
  if (!isToolError(error) || error.code !== "ARCHIVE_INVALID") return error;
  return new ToolError(
    "ARCHIVE_INVALID",
    `unpack the archive: its ${compression} stream is damaged or cut short`,
    { cause: error, hint: "make the archive again" },
  );
}
