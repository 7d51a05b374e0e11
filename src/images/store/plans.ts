import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import {
  guardOf,
  isSameGuard,
  parsePlan,
  planToJson,
  type ContentPlan,
} from "../../ground/bytes/index.ts";
import { noFile, writeFileAtomic } from "../../ground/process/index.ts";
import type { Descriptor, Digest } from "../oci/index.ts";
import { type BlobPlace } from "./blobs.ts";
import { planFileOf } from "./store-paths.ts";

const MAX_PLAN_BYTES = 64 << 20;

/** Writes the recipe of a blob. The files it names are read when the blob is opened, never copied. */
export async function putPlan(
  place: BlobPlace,
  target: Descriptor,
  plan: ContentPlan,
): Promise<void> {
  if (plan.size !== target.size)
    throw new RangeError(`a plan of ${plan.size} bytes cannot be the blob of ${target.size} bytes`);
  const path = planFileOf(place.paths, target.digest);
  const text = JSON.stringify(
    planToJson({ ...plan, segments: plan.segments.map(withAbsolutePath) }),
  );
  if ((await readFile(path, "utf8").catch(noFile)) === text) return;
  await place.scratch.announce();
  await writeFileAtomic(path, text);
}

/** Reads the recipe of a blob, or gives `undefined`. @throws ToolError `STORE_INVALID` naming the file when it is damaged. */
export async function readPlan(place: BlobPlace, digest: Digest): Promise<ContentPlan | undefined> {
  const path = planFileOf(place.paths, digest);
  const stats = await stat(path).catch(noFile);
  if (stats === undefined) return undefined;
  try {
    if (stats.size > MAX_PLAN_BYTES) throw new SyntaxError("it is too large");
    return parsePlan(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if (noFileYet(error)) return undefined;
    if (!isToolError(error) && !(error instanceof SyntaxError)) throw error;
    throw new ToolError(
      "STORE_INVALID",
      `read "${path}": the recipe of blob "${digest}" is damaged`,
      { cause: error, hint: "remove the file and pack again" },
    );
  }
}

/** True when every file that the recipe names is still what it was. One `stat` per file, no reading. */
export async function isPlanFresh(plan: ContentPlan): Promise<boolean> {
  for (const segment of plan.segments) {
    if (segment.kind === "bytes") continue;
    const stats = await stat(segment.path, { bigint: true }).catch(noFile);
    if (stats === undefined || !isSameGuard(guardOf(stats), segment.guard)) return false;
  }
  return true;
}

function withAbsolutePath(
  segment: ContentPlan["segments"][number],
): ContentPlan["segments"][number] {
  return segment.kind === "file" ? { ...segment, path: resolve(segment.path) } : segment;
}

function noFileYet(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
