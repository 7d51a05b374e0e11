import { createHash } from "node:crypto";
import { isDigest, type Descriptor } from "../oci/index.ts";
import { buildLayer, LAYER_RECIPE, type BuiltLayer } from "./build.ts";
import type { PythonLayer, PythonPackage } from "./contracts.ts";
import type { Group } from "./group.ts";
import { filesOf, type LayerFile } from "./layer-content.ts";
import { inByteOrder } from "./path-order.ts";
import { openCompiler, precompile, type Compiler } from "./precompile.ts";
import type { UnpackedWheel } from "./tree.ts";
import { unpack, type Work } from "./unpack.ts";

/** A layer that is wanted: what it is called, what decides its bytes, and how to come by its files. */
export interface LayerJob {
  readonly label: string;
  readonly packages: readonly string[];
  /** The same key means the same bytes. */
  readonly key: string;
  /** Unpacks what is needed; called only when the layer is not known or not there. */
  files(): Promise<readonly LayerFile[]>;
}

type PackageGroup = Group<PythonPackage>;

/**
 * The layers of groups, lowest first: those with the packages, then, when asked for, those with compiled sources.
 * @throws ToolError `TOOL_MISSING` when the Python that is to compile does not fit.
 */
export async function jobsOf(
  groups: readonly PackageGroup[],
  work: Work,
): Promise<readonly LayerJob[]> {
  const { precompileWith, target } = work.request;
  const plain = groups.map((group) => plainJob(group, work));
  if (precompileWith === undefined || groups.length === 0) return plain;
  const compiler = await openCompiler(precompileWith, target.pythonVersion, work.context);
  return [...plain, ...groups.map((group) => compiledJob(group, compiler, work))];
}

/** Gives a layer: the one that is remembered when the store still has it, else a new one. */
export async function layerOf(job: LayerJob, work: Work): Promise<PythonLayer> {
  const { store, cache, workDir, signal, onProgress } = work.context;
  const kept = parseLayer(await cache.get(job.key));
  const isThere = kept !== undefined && (await store.has(kept.descriptor, { signal }));
  const built = isThere
    ? kept
    : await buildLayer(await job.files(), {
        store,
        workDir,
        pool: work.pool,
        signal,
        sitePackages: work.place.sitePackages,
      });
  if (!isThere) await cache.set(job.key, built);
  onProgress?.({
    kind: "layer",
    label: job.label,
    bytes: built.descriptor.size,
    state: isThere ? "reused" : "built",
  });
  return {
    label: job.label,
    packages: job.packages,
    ...built,
    open: (options) => store.open(built.descriptor, options),
  };
}

function plainJob(group: PackageGroup, work: Work): LayerJob {
  return {
    ...groupNames(group),
    key: keyOf(group, work, []),
    files: async () => filesOf(await unpackGroup(group, work)),
  };
}

function compiledJob(group: PackageGroup, compiler: Compiler, work: Work): LayerJob {
  const names = groupNames(group);
  return {
    ...names,
    label: `${names.label}, compiled`,
    key: keyOf(group, work, ["compiled", compiler.version]),
    async files() {
      const { signal, environment } = work.context;
      const compiled = await precompile(await unpackGroup(group, work), compiler, {
        signal,
        environment,
        sitePackages: work.place.sitePackages,
      });
      return inByteOrder(compiled).map((file) => ({ ...file, owner: names.label }));
    },
  };
}

function groupNames({ label, members }: PackageGroup): Pick<LayerJob, "label" | "packages"> {
  return { label, packages: members.map(({ name }) => name) };
}

async function unpackGroup(
  { members }: PackageGroup,
  work: Work,
): Promise<readonly UnpackedWheel[]> {
  const unpacked = await unpack(members, work);
  return members.map(({ name }) => unpacked.get(name)).filter((one) => one !== undefined);
}

function keyOf({ members }: PackageGroup, work: Work, more: readonly string[]): string {
  const wheels = members.map(({ name, sha256 }) => `${name} ${sha256}`);
  const facts = [
    "layer",
    LAYER_RECIPE,
    work.request.target.pythonVersion,
    work.place.sitePackages,
    work.place.interpreter ?? "",
    ...more,
    ...wheels,
  ];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}

function parseLayer(value: unknown): BuiltLayer | undefined {
  const { descriptor, diffId } = (value ?? {}) as {
    readonly descriptor?: Partial<Descriptor>;
    readonly diffId?: unknown;
  };
  const isWhole =
    isDigest(diffId) &&
    isDigest(descriptor?.digest) &&
    typeof descriptor?.size === "number" &&
    typeof descriptor.mediaType === "string";
  return isWhole ? (value as BuiltLayer) : undefined;
}
