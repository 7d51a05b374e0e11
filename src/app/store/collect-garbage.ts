import { pruneEnvironments } from "../../images/python-packages/index.ts";
import { openStore } from "../places/places.ts";
import { environmentsFolder, type Places } from "../session.ts";

/** Environments that were used later than this stay, unless all unused ones are to go. */
const UNUSED_MS = 30 * 24 * 3_600_000;

/** What is collected. */
export interface GarbageRequest {
  /** Counts, and removes nothing. Default false. */
  readonly isDryRun?: boolean | undefined;
  /** Also forgets manifests that were pushed to the store's registry and lost their tag. Default false. */
  readonly isUntagged?: boolean | undefined;
  /** Also removes every Python environment of `serve --install` that nobody uses now. Default false: those unused for 30 days. */
  readonly isPruned?: boolean | undefined;
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
  /** Python environments of `serve --install`. */
  readonly removedEnvironments: number;
}

/** Frees what no name of the store needs. Safe beside other processes. @throws ToolError `STORE_UNWRITABLE`. */
export async function collectGarbage(
  { isDryRun = false, isUntagged = false, isPruned = false }: GarbageRequest,
  session: Places,
): Promise<GarbageResult> {
  await using store = await openStore(session);
  const result = await store.gc({
    dryRun: isDryRun,
    untagged: isUntagged,
    signal: session.signal,
  });
  const images = isUntagged ? [] : await store.list({ signal: session.signal });
  const removedEnvironments = await pruneEnvironments(environmentsFolder(session), {
    usedBeforeMs: Date.now() - (isPruned ? 0 : UNUSED_MS),
    isDryRun,
    signal: session.signal,
  });
  return {
    ...result,
    removedEnvironments,
    untagged: images.filter(({ reference }) => reference.tag === undefined).length,
  };
}
