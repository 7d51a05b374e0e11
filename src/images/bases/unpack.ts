import { createHash } from "node:crypto";
import { join } from "node:path";
import { COMPRESSOR_ID, type DeflatePool } from "../compress/index.ts";
import { type CallOptions } from "../../ground/bytes/index.ts";
import { createTempDir, mapLimited } from "../../ground/process/index.ts";
import { writeTar } from "../tar/index.ts";
import { cachedPackagePath } from "./apt/download.ts";
import { architectureFacts } from "./architecture.ts";
import type {
  BaseFacts,
  BlobStore,
  BuildStep,
  DebianArchitecture,
  DebianPackage,
  InstalledPackage,
} from "./contracts.ts";
import { addAlternatives } from "./deb/alternatives.ts";
import { createContentReader, type ContentReader } from "./deb/content.ts";
import type { OpenedPackage } from "./deb/contracts.ts";
import { addPackageList, addPythonEffects, addShellLink, addSystemEffects } from "./deb/effects.ts";
import { groupPackages, type GroupRoots, type PackageGroup } from "./deb/layer-plan.ts";
import { encodeLibraryCache, findLibraries } from "./deb/library-cache.ts";
import { openPackage } from "./deb/open-package.ts";
import { scriptNotes } from "./deb/script-notes.ts";
import { layerEntries } from "./deb/tree-to-tar.ts";
import { createTree, type Tree } from "./deb/tree.ts";
import { factsOfTree, factsToLabels, readBaseFacts } from "./facts.ts";
import { createLayerMemory, makeLayer, rememberedLayer, type MadeLayer } from "./make-layer.ts";

/** A layer, and what its history says. */
interface DebianLayer extends MadeLayer {
  readonly createdBy: string;
}

/** What a set of packages became. */
export interface Unpacked {
  readonly layers: readonly DebianLayer[];
  readonly facts: BaseFacts;
  /** What the packages' scripts would have done and was not, one sentence each. */
  readonly notes: readonly string[];
  /** Layers that were made now rather than found. */
  readonly made: number;
}

export interface UnpackRequest extends CallOptions {
  readonly suite: string;
  readonly snapshot?: string | undefined;
  readonly architecture: DebianArchitecture;
  /** Already in the cache. */
  readonly packages: readonly DebianPackage[];
  /** Groups of packages that get layers of their own. */
  readonly groups: readonly GroupRoots[];
  /** The base that the layers go onto, when they are not a whole system. */
  readonly before?: BaseFacts | undefined;
  /** Time of every entry, seconds since the epoch. */
  readonly epochS: number;
  readonly cacheDir: string;
  readonly blobs: BlobStore;
  readonly pool: DeflatePool;
  readonly onProgress?: ((step: BuildStep) => void) | undefined;
}

/** Part of every cache key; raised whenever the same packages would give other bytes. */
const LAYOUT = "debian-layers-2";
const LIBRARY_CACHE = "library-cache";
/** dpkg-deb runs that go on at once: decompression is bound by processors. */
const UNPACKERS = 2;

/** Turns packages into layers, or finds the layers that they became before. */
export async function unpackPackages(request: UnpackRequest): Promise<Unpacked> {
  const memory = createLayerMemory(request.cacheDir);
  const key = keyOf(
    ["all", request.suite, request.snapshot, request.before, ...hashes(request.packages)],
    request,
  );
  const known = await recall(await memory.get(key), request);
  if (known !== undefined) return known;
  const unpacked = await unpack(request);
  const { layers, facts, notes } = unpacked;
  await memory.set(key, { layers, labels: factsToLabels(facts), notes });
  return unpacked;
}

async function unpack(request: UnpackRequest): Promise<Unpacked> {
  await using temporary = await createTempDir("unpack", join(request.cacheDir, "debian"));
  await using reader = createContentReader();
  request.onProgress?.({ step: "unpack", architecture: request.architecture });
  const packages = await mapLimited(request.packages, UNPACKERS, (item, index) =>
    openPackage(item, {
      path: cachedPackagePath(request.cacheDir, item),
      heapPath: join(temporary.path, String(index)),
      signal: request.signal,
    }),
  );
  const packageGroups = groupPackages(packages, request.groups);
  const tree = await buildTree(packageGroups, reader, request.before);
  const groups = await addLibraryCache(tree, packageGroups, { reader, request });
  const layers: { readonly layer: DebianLayer; readonly isNew: boolean }[] = [];
  for (const [index, group] of groups.entries())
    layers.push(await layerOf(group, { tree, reader, request, before: groups.slice(0, index) }));
  const facts = factsOfTree(tree, {
    suite: request.suite,
    snapshot: request.snapshot,
    architecture: request.architecture,
    packages: packages.map(installedOf),
    before: request.before,
  });
  return {
    layers: layers.map(({ layer }) => layer),
    facts,
    notes: scriptNotes(packages),
    made: layers.filter(({ isNew }) => isNew).length,
  };
}

function installedOf({ name, version, architecture, fields }: OpenedPackage): InstalledPackage {
  const provides = fields.get("provides");
  return {
    name,
    version,
    architecture,
    ...(provides === undefined || provides === "" ? {} : { provides }),
  };
}

async function buildTree(
  groups: readonly PackageGroup[],
  reader: ContentReader,
  before: BaseFacts | undefined,
): Promise<Tree> {
  const tree = createTree();
  for (const [path, { mode, uid, gid }] of Object.entries(before?.directories ?? {}))
    tree.set(path.slice(1), { type: "directory", mode, uid, gid, owner: "" });
  const packages = groups.flatMap((group) => group.packages);
  for (const item of packages) tree.addPackage(item);
  if (packages.some(({ name }) => name === "base-files")) await addSystemEffects(tree, reader);
  addPythonEffects(tree);
  addAlternatives(tree, packages);
  addShellLink(tree);
  addPackageList(tree, packages);
  if (before === undefined) tree.linkUsr("base-files");
  return tree;
}

/**
 * Adds the loader's cache, for programs that ask it for a library's file. It depends on all packages, so in a base it
 * gets a small layer of its own and the others can be shared with bases that have more packages.
 */
async function addLibraryCache(
  tree: Tree,
  groups: readonly PackageGroup[],
  { reader, request }: Omit<LayerSurroundings, "tree" | "before">,
): Promise<readonly PackageGroup[]> {
  const architecture = architectureFacts(request.architecture);
  const found = await findLibraries(tree, reader, architecture);
  if (found.length === 0) return groups;
  const own = new Set(found.map(({ name }) => name));
  const below = (request.before?.sonames ?? [])
    .filter((name) => !own.has(name))
    .map((name) => ({ name, path: `/usr/lib/${architecture.triplet}/${name}` }));
  const owner =
    request.before === undefined
      ? LIBRARY_CACHE
      : (groups.at(-1)?.packages[0]?.name ?? LIBRARY_CACHE);
  tree.set("etc/ld.so.cache", {
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    owner,
    content: {
      kind: "bytes",
      bytes: encodeLibraryCache([...found, ...below], request.architecture),
    },
  });
  return owner === LIBRARY_CACHE ? [...groups, { name: LIBRARY_CACHE, packages: [] }] : groups;
}

interface LayerSurroundings {
  readonly tree: Tree;
  readonly reader: ContentReader;
  readonly request: UnpackRequest;
  /** Groups below, which decide folders' attributes. */
  readonly before: readonly PackageGroup[];
}

async function layerOf(
  group: PackageGroup,
  { tree, reader, request, before }: LayerSurroundings,
): Promise<{ readonly layer: DebianLayer; readonly isNew: boolean }> {
  const memory = createLayerMemory(request.cacheDir);
  const below = before.flatMap(({ packages }) => packages);
  const byName = new Map(request.packages.map((item) => [item.name, item]));
  const hashesOf = (packages: readonly OpenedPackage[]): readonly string[] =>
    packages.map(({ name }) => byName.get(name)?.sha256 ?? name);
  const key = keyOf(
    ["layer", group.name, request.before, hashesOf(below), hashesOf(group.packages)],
    request,
  );
  const count = group.packages.length === 0 ? "" : ` (${group.packages.length} packages)`;
  const createdBy = `slipway debian ${request.suite} ${request.architecture}: ${group.name}${count}`;
  const known = await rememberedLayer(await memory.get(key), request.blobs, request);
  if (known !== undefined) return { layer: { ...known, createdBy }, isNew: false };
  request.onProgress?.({ step: "compress", architecture: request.architecture, label: group.name });
  const owners = new Set([group.name, ...group.packages.map(({ name }) => name)]);
  const made = await makeLayer(
    writeTar(layerEntries(tree, owners, reader), { mtimeS: request.epochS }),
    request,
  );
  await memory.set(key, made);
  return { layer: { ...made, createdBy }, isNew: true };
}

/** Reads what was remembered of a whole set. @returns `undefined` unless every layer is still there. */
async function recall(value: unknown, request: UnpackRequest): Promise<Unpacked | undefined> {
  const { layers, labels, notes } = (value ?? {}) as {
    readonly layers?: unknown;
    readonly labels?: unknown;
    readonly notes?: unknown;
  };
  if (
    !Array.isArray(layers) ||
    !Array.isArray(notes) ||
    typeof labels !== "object" ||
    labels === null
  )
    return undefined;
  const facts = readBaseFacts(labels as Readonly<Record<string, string>>);
  const found = await Promise.all(
    layers.map(async (item: unknown) => {
      const layer = await rememberedLayer(item, request.blobs, request);
      return layer === undefined
        ? []
        : [{ ...layer, createdBy: String((item as { readonly createdBy?: unknown }).createdBy) }];
    }),
  );
  if (facts === undefined || found.some((item) => item.length === 0)) return undefined;
  return { layers: found.flat(), facts, notes: notes.map(String), made: 0 };
}

function hashes(packages: readonly DebianPackage[]): readonly string[] {
  return packages.map(({ name, sha256 }) => `${name} ${sha256}`);
}

function keyOf(parts: readonly unknown[], { architecture, epochS }: UnpackRequest): string {
  return createHash("sha256")
    .update(JSON.stringify([LAYOUT, COMPRESSOR_ID, architecture, epochS, ...parts]))
    .digest("hex");
}
