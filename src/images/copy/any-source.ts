import { isToolError } from "../../ground/errors/index.ts";
import type { Bytes } from "../../ground/bytes/index.ts";
import { openFrom, type Source } from "../oci/index.ts";

/**
 * The first of several sources that has what is asked for. A pushed image whose base was never downloaded is in the store
 * and in the base's registry together.
 * @throws what the first source throws, when none has it; anything but "not found" at once.
 */
export function anySource(first: Source, ...others: readonly Source[]): Source {
  const sources = [first, ...others];
  return {
    async resolve(reference, options) {
      let missing: unknown;
      for (const source of sources) {
        try {
          return await source.resolve(reference, options);
        } catch (error) {
          if (!isNotFound(error)) throw error;
          missing ??= error;
        }
      }
      throw missing;
    },
    open: (target, options) => firstThatHas(sources, (source) => source.open(target, options)),
    openFrom: (target, offset, options) =>
      firstThatHas(sources, (source) => openFrom(source, target, { ...options, offset })),
  };
}

async function* firstThatHas(
  sources: readonly Source[],
  open: (source: Source) => Bytes,
): AsyncGenerator<Uint8Array> {
  let missing: unknown;
  for (const source of sources) {
    let hasBegun = false;
    try {
      for await (const chunk of open(source)) {
        hasBegun = true;
        yield chunk;
      }
      return;
    } catch (error) {
      if (hasBegun || !isNotFound(error)) throw error;
      missing ??= error;
    }
  }
  throw missing;
}

function isNotFound(error: unknown): boolean {
  return (
    isToolError(error) && (error.code === "BLOB_NOT_FOUND" || error.code === "REFERENCE_NOT_FOUND")
  );
}
