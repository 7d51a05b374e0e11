import { openStore } from "../places/places.ts";
import type { Places } from "../session.ts";

/** What is collected. */
export interface GarbageRequest {
  /** Counts, and removes nothing. Default false. */
  readonly isDryRun?: boolean | undefined;
  /** Also forgets manifests that were pushed to the store's registry and lost their tag. Default false. */
  readonly isUntagged?: boolean | undefined;
}

/** What was freed, in blobs, recipes of blobs, and bytes. */
export interface GarbageResult {
  readonly removedBlobs: number;
  readonly removedPlans: number;
  readonly freedBytes: number;
  /** Unused, but so young that another process may be writing them. */
  readonly spared: number;
  /** Names that point at nothing. */
  readonly broken: readonly string[];
  /** Pushed manifests that are kept by digest alone. */
  readonly untagged: number;
}

/** Frees what no name of the store needs. Safe beside other processes. @throws ToolError `STORE_UNWRITABLE`. */
export async function collectGarbage(
  { isDryRun = false, isUntagged = false }: GarbageRequest,
  session: Places,
): Promise<GarbageResult> {
  await using store = await openStore(session);
  const result = await store.gc({
    dryRun: isDryRun,
    untagged: isUntagged,
    signal: session.signal,
  });
  const images = isUntagged ? [] : await store.list({ signal: session.signal });
  return {
    ...result,
    untagged: images.filter(({ reference }) => reference.tag === undefined).length,
  };
}
