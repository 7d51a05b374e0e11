import { ToolError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";
import type { TarInput } from "./entry.ts";
import { planTar, type PlanTarOptions } from "./plan-tar.ts";

/**
 * Streams a tar. Entries may come in any order; see `planTar` for what comes out.
 * @throws ToolError `FILE_CHANGED` when a content has more or fewer bytes than its entry says, and as `planTar`.
 */
export async function* writeTar(
  entries: readonly TarInput[],
  options: PlanTarOptions & CallOptions = {},
): AsyncGenerator<Uint8Array> {
  for (const segment of planTar(entries, options).segments) {
    options.signal?.throwIfAborted();
    if (segment.kind === "bytes") yield segment.bytes;
    else yield* exactly(segment.entry);
  }
}

async function* exactly(entry: TarInput): AsyncGenerator<Uint8Array> {
  const content = entry.content ?? new Uint8Array(0);
  let written = 0;
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    written += chunk.byteLength;
    if (written > entry.size) break;
    yield chunk;
  }
  if (written !== entry.size) {
    throw new ToolError(
      "FILE_CHANGED",
      `write tar: "${entry.path}" should have ${entry.size} bytes, and has ${written > entry.size ? "more" : written}`,
    );
  }
}
