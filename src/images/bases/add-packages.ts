import { createDeflatePool } from "../compress/index.ts";
import { storedLayer, type LayerAddition } from "../oci/index.ts";
import { missingPackages } from "./apt/download.ts";
import { openApt, openAptPlace } from "./apt/open-apt.ts";
import { checkPackageNames } from "./apt/solve.ts";
import type { AptOptions, BaseFacts, BlobStore, DebianPackage } from "./contracts.ts";
import { factsToLabels } from "./facts.ts";
import { assumedPackages } from "./minimal-set.ts";
import { unpackPackages } from "./unpack.ts";

export interface AddPackagesOptions extends AptOptions {
  /** The base that the packages go onto; from `readBaseFacts` or `inspectDebian`. */
  readonly base: BaseFacts;
  /** `name` or `name=version`. */
  readonly packages: readonly string[];
  /** Time of every file, seconds since the epoch. Default 0. */
  readonly epochS?: number | undefined;
  readonly blobs: BlobStore;
}

/** Layers to put onto a base, and what is true of the result. */
export interface AddedPackages {
  /** Empty when the base has everything already. */
  readonly additions: readonly LayerAddition[];
  /** Facts of the base with the packages. */
  readonly facts: BaseFacts;
  /** Labels to put into the image's config in place of the base's. */
  readonly labels: Readonly<Record<string, string>>;
  /** What was unpacked, sorted by name. */
  readonly packages: readonly DebianPackage[];
  readonly layersMade: number;
}

/**
 * Makes a layer of Debian packages for an image that is Debian already, solved against what it has, without a
 * container. The suite is the base's own; no maintainer script runs.
 * @throws ToolError as `buildDebianBase`.
 */
export async function addDebianPackages(options: AddPackagesOptions): Promise<AddedPackages> {
  const { base, blobs, cacheDir, epochS = 0 } = options;
  const names = [...new Set(options.packages)].sort();
  checkPackageNames(names);
  const from = {
    ...options,
    suite: base.suite,
    snapshot: options.snapshot ?? (options.mirror === undefined ? base.snapshot : undefined),
  };
  const place = await openAptPlace(from);
  const apt = await openApt(place, base.architecture, from);
  options.onProgress?.({ step: "solve", architecture: base.architecture });
  const present = new Set(base.packages.map(({ name }) => name));
  const assumed = assumedPackages(base.architecture, names).filter(
    ({ name }) => !present.has(name),
  );
  const packages = await apt.solve(names, [...base.packages, ...assumed], options);
  if (packages.length === 0)
    return { additions: [], facts: base, labels: factsToLabels(base), packages, layersMade: 0 };
  const missing = await missingPackages({ cacheDir, packages });
  if (missing.length > 0) {
    options.onProgress?.({
      step: "download",
      architecture: base.architecture,
      bytes: missing.reduce((sum, { size }) => sum + size, 0),
    });
    await apt.download(missing, options);
  }
  await using pool = createDeflatePool();
  const { layers, facts, notes, made } = await unpackPackages({
    suite: base.suite,
    snapshot: from.snapshot,
    architecture: base.architecture,
    packages,
    groups: [],
    before: base,
    epochS,
    cacheDir,
    blobs,
    pool,
    onProgress: options.onProgress,
    signal: options.signal,
  });
  for (const note of notes) options.onWarning?.(note);
  const created = new Date(epochS * 1000).toISOString().replace(".000Z", "Z");
  const additions = layers.map(({ descriptor, diffId, createdBy }) => ({
    layer: storedLayer(blobs, descriptor, diffId),
    history: { created, created_by: createdBy },
  }));
  return { additions, facts, labels: factsToLabels(facts), packages, layersMade: made };
}
