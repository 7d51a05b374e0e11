import { planOf, type ContentPlan, type Segment } from "../../internal/index.ts";
import { planTar } from "../../tar/index.ts";
import type { PlannedEntry } from "./placed-file.ts";

/**
 * Lays a tar out as a recipe over the files it is made of.
 * @param mtimeS - time of every entry, seconds since the epoch.
 * @throws ToolError as `planTar`.
 */
export function contentOfTar(entries: readonly PlannedEntry[], mtimeS: number): ContentPlan {
  const { segments } = planTar(entries, { mtimeS });
  return planOf(
    segments.map((segment): Segment => {
      if (segment.kind === "bytes") return segment;
      const { file, bytes, path } = segment.entry;
      if (bytes !== undefined) return { kind: "bytes", bytes };
      if (file === undefined) throw new Error(`no content for "${path}"`);
      return { kind: "file", path: file.location, guard: file.guard };
    }),
  );
}
