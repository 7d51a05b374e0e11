import { createDeflatePool, type DeflatePool } from "../compress/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { mapLimited } from "../../ground/process/index.ts";
import {
  annotate,
  appendLayers,
  emptyImage,
  mutateConfig,
  storedLayer,
  type Image,
} from "../oci/index.ts";
import { missingPackages } from "./apt/download.ts";
import { openApt, openAptPlace, type AptPlace } from "./apt/open-apt.ts";
import { checkPackageNames } from "./apt/solve.ts";
import { architectureFacts } from "./architecture.ts";
import { buildFull } from "./build-full.ts";
import type {
  BlobStore,
  BuiltBase,
  DebianArchitecture,
  DebianBase,
  DebianBaseOptions,
  DebianPackage,
} from "./contracts.ts";
import type { GroupRoots } from "./deb/layer-plan.ts";
import { factsToLabels, layersLabel } from "./facts.ts";
import { assumedPackages, MINIMAL_PACKAGES } from "./minimal-set.ts";
import { unpackPackages, type Unpacked } from "./unpack.ts";

const PYTHON = /^(lib)?python3(\.\d+)?(-minimal|-stdlib)?$/;
const GROUPS: readonly GroupRoots[] = [
  { name: "base", isRoot: (name) => MINIMAL_PACKAGES.includes(name) },
  { name: "python", isRoot: (name) => PYTHON.test(name) },
];
const ENV = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"];

/**
 * Makes Debian images from packages, without root and without a container, for any architecture on any host: the
 * host's apt solves and downloads, `dpkg-deb` unpacks, no maintainer script runs. The same packages give the same
 * digests everywhere. Layers go into `blobs`; putting manifests and naming them is the caller's.
 * @throws ToolError `TOOL_MISSING` off Debian, `PACKAGE_UNAVAILABLE`, `MIRROR_UNREACHABLE`, `MIRROR_UNTRUSTED`, `UNSUPPORTED`, `USAGE`.
 */
export async function buildDebianBase(options: DebianBaseOptions): Promise<DebianBase> {
  const include = [...new Set(options.include ?? options.lock?.include ?? [])].sort();
  checkPackageNames(include);
  const architectures = (options.architectures ?? ["amd64"]).map(
    (name) => architectureFacts(name).name,
  );
  const place = await openAptPlace({ ...options, suite: options.lock?.suite ?? options.suite });
  await using pool = createDeflatePool();
  const images = await mapLimited(architectures, architectures.length, (architecture) =>
    buildOne(architecture, { options, include, place, pool }),
  );
  const locked = images.map(({ facts, packages }) => [facts.architecture, packages]);
  return {
    images,
    lock: {
      version: 1,
      suite: place.suite,
      include,
      architectures: Object.fromEntries(locked) as Partial<
        Record<DebianArchitecture, readonly DebianPackage[]>
      >,
    },
  };
}

interface Shared {
  readonly options: DebianBaseOptions;
  readonly include: readonly string[];
  readonly place: AptPlace;
  readonly pool: DeflatePool;
}

async function buildOne(architecture: DebianArchitecture, shared: Shared): Promise<BuiltBase> {
  const { options } = shared;
  const { platform } = architectureFacts(architecture);
  if (options.isFull === true) {
    const full = await buildFull(architecture, shared);
    return {
      platform,
      image: assemble(full, architecture, options),
      facts: full.facts,
      packages: [],
      layersMade: full.made,
    };
  }
  const { unpacked, packages } = await buildSlim(architecture, shared);
  for (const note of unpacked.notes) options.onWarning?.(note);
  return {
    platform,
    image: assemble(unpacked, architecture, options),
    facts: unpacked.facts,
    packages,
    layersMade: unpacked.made,
  };
}

async function buildSlim(
  architecture: DebianArchitecture,
  { options, include, place, pool }: Shared,
): Promise<{ readonly unpacked: Unpacked; readonly packages: readonly DebianPackage[] }> {
  const packages = await choosePackages(architecture, { options, include, place, pool });
  const unpacked = await unpackPackages({
    suite: place.suite,
    snapshot: options.snapshot,
    architecture,
    packages,
    groups: GROUPS,
    epochS: options.epochS ?? 0,
    cacheDir: options.cacheDir,
    blobs: options.blobs,
    pool,
    onProgress: options.onProgress,
    signal: options.signal,
  });
  return { unpacked, packages };
}

async function choosePackages(
  architecture: DebianArchitecture,
  { options, include, place }: Shared,
): Promise<readonly DebianPackage[]> {
  const apt = await openApt(place, architecture, options);
  const names = [...MINIMAL_PACKAGES, ...include];
  const locked = options.lock?.architectures[architecture];
  if (options.lock !== undefined && locked === undefined) {
    throw new ToolError(
      "USAGE",
      `make a Debian base: the lock file has no packages for ${architecture}`,
      { hint: "make the lock file again with that architecture" },
    );
  }
  options.onProgress?.({ step: "solve", architecture });
  const packages =
    locked ?? (await apt.solve(names, assumedPackages(architecture, include), options));
  const missing = await missingPackages({ cacheDir: options.cacheDir, packages });
  if (missing.length > 0) {
    options.onProgress?.({
      step: "download",
      architecture,
      bytes: missing.reduce((sum, { size }) => sum + size, 0),
    });
    await apt.download(missing, options);
  }
  return packages;
}

function assemble(
  { layers, facts }: Unpacked,
  architecture: DebianArchitecture,
  { blobs, epochS = 0 }: { readonly blobs: BlobStore; readonly epochS?: number | undefined },
): Image {
  const created = new Date(epochS * 1000).toISOString().replace(".000Z", "Z");
  const labels = {
    ...factsToLabels(facts),
    "org.opencontainers.image.title": `debian ${facts.suite}`,
    "org.opencontainers.image.created": created,
  };
  const { platform } = architectureFacts(architecture);
  const empty = emptyImage(platform);
  const filled = appendLayers(
    empty,
    layers.map(({ descriptor, diffId, createdBy }) => ({
      layer: storedLayer(blobs, descriptor, diffId),
      history: { created, created_by: createdBy },
    })),
  );
  const configured = mutateConfig(filled, (config) => ({
    ...config,
    created,
    config: {
      ...config.config,
      Env: ENV,
      Labels: { ...labels, ...layersLabel(config.rootfs.diff_ids) },
      WorkingDir: "/",
    },
  }));
  return annotate(configured, {
    "org.opencontainers.image.created": created,
    "dev.slipway.base.suite": facts.suite,
    ...(facts.python === undefined
      ? {}
      : { "dev.slipway.base.python.version": facts.python.version }),
  });
}
