import { planOf, type ContentPlan, type Segment } from "../../../ground/bytes/index.ts";
import { planTar } from "../../tar/index.ts";
import type { LayerEntry } from "./layer-tree.ts";

/**
 * The tar of a layer as a plan: headers, and references to the files where they lie.
 * @param mtimeS - seconds since the epoch
 * @param alignment - as that of `planTar`
 */
export function layerPlan(
  entries: readonly LayerEntry[],
  mtimeS: number,
  alignment?: number,
): ContentPlan {
  const segments = planTar(entries, { mtimeS, alignment }).segments.map((segment): Segment => {
    if (segment.kind === "bytes") return { kind: "bytes", bytes: segment.bytes };
    const { from } = segment.entry;
    if (from?.kind === "bytes") return { kind: "bytes", bytes: from.bytes };
    if (from?.kind !== "file") throw new TypeError(`${segment.entry.path} has no content`);
    return { kind: "file", path: from.file.source, guard: from.file.guard };
  });
  return planOf(segments);
}
