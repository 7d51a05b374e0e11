import {
  isIndexType,
  MAX_MANIFEST_BYTES,
  parseIndex,
  readVerified,
  type Descriptor,
} from "../../images/oci/index.ts";
import type { Places } from "../session.ts";
import type { ReadPlace } from "./places.ts";

/** The index that a descriptor points at, or `undefined` when it points at one image. @throws what reading it throws */
export async function readIndex(
  { source }: Pick<ReadPlace, "source">,
  target: Descriptor,
  session: Places,
): Promise<ReturnType<typeof parseIndex> | undefined> {
  if (!isIndexType(target.mediaType)) return undefined;
  const bytes = await readVerified(source.open(target, session), target, {
    maxBytes: MAX_MANIFEST_BYTES,
    signal: session.signal,
  });
  return parseIndex(bytes);
}
