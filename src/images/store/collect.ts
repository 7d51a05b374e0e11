import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { type CallOptions } from "../../ground/bytes/index.ts";
import { explainWriteError, noFile } from "../../ground/process/index.ts";
import type { Digest } from "../oci/index.ts";
import { type BlobPlace } from "./blobs.ts";
import { writeIndexFile } from "./index-file.ts";
import { cacheFolderOf } from "./json-cache.ts";
import { reachOf, subjectOf } from "./reach.ts";
import { sweepScratch } from "./scratch.ts";
import { nameOf, readTags, removeTag, type StoredImage } from "./tags.ts";

export interface GcOptions extends CallOptions {
  /** Spares content that was written or asked for within this time. Default: 1 hour while another process may be writing, else 0. */
  readonly graceMs?: number | undefined;
  /**
   * Also removes manifests that a repository of the registry holds without a tag. Referrers of
   * other manifests stay. Default false.
   */
  readonly untagged?: boolean | undefined;
  /** Counts what would go and removes nothing. Default false. */
  readonly dryRun?: boolean | undefined;
}

export interface GcResult {
  readonly removedBlobs: number;
  readonly removedPlans: number;
  /** Bytes of disk that were freed. */
  readonly freedBytes: number;
  /** Unreachable, but too young to go while somebody may be writing. */
  readonly spared: number;
  /** Names whose manifest is not in the store. */
  readonly broken: readonly string[];
}

const BUSY_GRACE_MS = 3600 * 1000;
const STALE_FILE_MS = 24 * 3600 * 1000;
const STALE_CACHE_MS = 90 * 24 * 3600 * 1000;

/**
 * Removes every blob and recipe that no tag reaches, and what dead processes left. Safe beside processes that write:
 * writing puts a new time on a file, and so does asking whether it is there; a file whose time is younger than the
 * start of this call stays, even when the time changed a moment before its removal.
 * @throws ToolError `STORE_INVALID` when a manifest is damaged: then nothing is removed.
 */
export async function collect(place: BlobPlace, options: GcOptions = {}): Promise<GcResult> {
  const startedMs = Date.now();
  const { otherWriters } = await sweepScratch(place.paths, place.scratch.ownFolder());
  const graceMs = options.graceMs ?? (otherWriters > 0 ? BUSY_GRACE_MS : 0);
  const images = options.untagged === true ? await tagged(place, options) : await readTags(place);
  const reach = await reachOf(
    place,
    images.map((image) => image.descriptor),
    options,
  );
  const sweep: Sweep = { place, reachable: reach.digests, cutoffMs: startedMs - graceMs, options };
  const blobs = await sweepFolder(sweep, place.paths.blobs);
  const plans = await sweepFolder(sweep, place.paths.plans);
  if (options.dryRun !== true) {
    await sweepStale(place, options);
    if (images.length > 0) await writeIndexFile(place);
  }
  return {
    removedBlobs: blobs.removed,
    removedPlans: plans.removed,
    freedBytes: blobs.bytes + plans.bytes,
    spared: blobs.spared + plans.spared,
    broken: images
      .filter((image) => reach.missing.has(image.descriptor.digest))
      .map((image) => nameOf(image.reference)),
  };
}

/** Names that stay when nameless manifests go; takes the others away. */
async function tagged(place: BlobPlace, options: GcOptions): Promise<readonly StoredImage[]> {
  const kept: StoredImage[] = [];
  for (const image of await readTags(place)) {
    const isNameless = image.reference.tag === undefined;
    if (!isNameless || (await subjectOf(place, image.descriptor.digest)) !== undefined)
      kept.push(image);
    else if (options.dryRun !== true) await removeTag(place, image.reference);
  }
  return kept;
}

interface Sweep {
  readonly place: BlobPlace;
  readonly reachable: ReadonlySet<Digest>;
  readonly cutoffMs: number;
  readonly options: GcOptions;
}

interface Swept {
  removed: number;
  bytes: number;
  spared: number;
}

async function sweepFolder(sweep: Sweep, folder: string): Promise<Swept> {
  const total: Swept = { removed: 0, bytes: 0, spared: 0 };
  for (const algorithm of (await readdir(folder).catch(noFile)) ?? []) {
    for (const name of (await readdir(join(folder, algorithm)).catch(noFile)) ?? []) {
      sweep.options.signal?.throwIfAborted();
      // Unfinished files of `writeFileAtomic`; their age decides, below.
      if (
        name.startsWith(".") ||
        sweep.reachable.has(`${algorithm}:${basename(name, ".json")}` as Digest)
      )
        continue;
      await sweepFile(sweep, join(folder, algorithm, name), total);
    }
  }
  return total;
}

async function sweepFile(sweep: Sweep, path: string, total: Swept): Promise<void> {
  const stats = await stat(path).catch(noFile);
  if (stats === undefined || !stats.isFile()) return;
  if (stats.mtimeMs >= sweep.cutoffMs) {
    total.spared += 1;
    return;
  }
  if (sweep.options.dryRun !== true && !(await removeUnlessTouched(sweep, path))) {
    total.spared += 1;
    return;
  }
  total.removed += 1;
  total.bytes += stats.size;
}

/** Takes a file away first and looks at its time then, so that nobody can touch it between the look and the removal. */
async function removeUnlessTouched(sweep: Sweep, path: string): Promise<boolean> {
  const aside = await sweep.place.scratch.newPath();
  try {
    await rename(path, aside);
    if ((await stat(aside)).mtimeMs >= sweep.cutoffMs) {
      await rename(aside, path);
      return false;
    }
    await rm(aside);
    return true;
  } catch (error) {
    throw explainWriteError(error, path);
  }
}

async function sweepStale(place: BlobPlace, options: GcOptions): Promise<void> {
  for (const [folder, isStale, ageMs] of [
    [place.paths.dataDir, isUnfinished, STALE_FILE_MS],
    [cacheFolderOf(place.paths), () => true, STALE_CACHE_MS],
  ] as const) {
    for (const entry of (await readdir(folder, { recursive: true, withFileTypes: true }).catch(
      noFile,
    )) ?? []) {
      options.signal?.throwIfAborted();
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || !isStale(entry.name)) continue;
      const stats = await stat(path).catch(noFile);
      if (stats !== undefined && Date.now() - stats.mtimeMs > ageMs)
        await rm(path, { force: true });
    }
  }
}

function isUnfinished(name: string): boolean {
  return name.startsWith(".tmp-");
}
