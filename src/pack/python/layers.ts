import { createHash } from "node:crypto";
import { createDeflatePool } from "../../compress/index.ts";
import { redactUrl } from "../../errors/index.ts";
import type { Descriptor, Digest } from "../../oci/index.ts";
import { buildLayer, LAYER_RECIPE, type BuiltLayer } from "./build.ts";
import type { LockedWheel, PythonContext, PythonLayer, PythonLayers, PythonLock, PythonPackage, PythonRequest } from "./contracts.ts";
import { groupPackages, type Group } from "./group.ts";
import { findMissingLibraries, refuseMissingLibraries, type LibraryFacts } from "./libraries.ts";
import { resolvePython } from "./resolve.ts";
import { createStage, type Stage } from "./stage.ts";
import { readStaged, type ScriptPlace, type UnpackedWheel } from "./tree.ts";
import { neededGlibc } from "./wheel-name.ts";

/** Where packages lie in the image unless the target says otherwise. */
export const DEFAULT_SITE_PACKAGES = "/opt/slipway/site-packages";

/** Goes up when facts kept by older versions lack something. */
const FACTS_VERSION = 1;

/** What is remembered of a wheel, so that it need not be unpacked to be grouped and checked. */
interface WheelFacts {
  readonly size: number;
  readonly isPure: boolean;
  readonly libraries: LibraryFacts;
  readonly license?: string;
  readonly summary?: string;
}

/**
 * Turns requirements into image layers without running a container: chooses wheels for the target, unpacks them here, and
 * stores one layer for each large wheel and up to four for the rest. What was done before is remembered by wheel hash: the same
 * wheels, in this project or another, cost neither a resolver run nor unpacking.
 * @throws ToolError as `resolvePython`; `LIBRARY_MISSING`; `FILE_REFUSED`, `FILE_CHANGED`, `LIMIT_EXCEEDED` for wheels that are not
 *   what they should be.
 */
export async function buildPythonLayers(request: PythonRequest, context: PythonContext): Promise<PythonLayers> {
  return layersOf(await resolvePython(request, context), request, context);
}

/** The second half of `buildPythonLayers`, for a lock that is at hand. */
export async function layersOf(lock: PythonLock, request: PythonRequest, context: PythonContext): Promise<PythonLayers> {
  const sitePackages = request.target.sitePackages ?? DEFAULT_SITE_PACKAGES;
  await using stage = createLazyStage(request, context);
  await using own = context.pool === undefined ? createDeflatePool() : undefined;
  const work: Work = { context, stage, place: { interpreter: request.target.interpreter, sitePackages }, unpacked: new Map(), request };
  const facts = await factsOf(lock.wheels, work);
  const packages = lock.wheels.map((wheel) => packageOf(wheel, facts));
  checkLibraries(facts, work);
  const layers: PythonLayer[] = [];
  for (const group of groupPackages(packages)) layers.push(await layerOf(group, work, context.pool ?? own ?? createDeflatePool()));
  const glibc = neededGlibc(lock.wheels.map(({ fileName }) => fileName));
  return { layers, packages, sitePackages, unpacked: work.unpacked.size, ...(glibc === undefined ? {} : { neededGlibc: glibc }) };
}

interface Work {
  readonly context: PythonContext;
  readonly request: PythonRequest;
  readonly stage: Stage;
  readonly place: ScriptPlace;
  /** Wheels unpacked so far, by name. */
  readonly unpacked: Map<string, UnpackedWheel>;
}

/** A stage that touches nothing until something has to be unpacked. */
function createLazyStage(request: PythonRequest, context: PythonContext): Stage {
  let stage: Promise<Stage> | undefined;
  return {
    install: async (wheels) => (await (stage ??= createStage(request, context))).install(wheels),
    async [Symbol.asyncDispose]() {
      await (await stage)?.[Symbol.asyncDispose]();
    },
  };
}

async function factsOf(wheels: readonly LockedWheel[], work: Work): Promise<ReadonlyMap<string, WheelFacts>> {
  const { cache } = work.context;
  const facts = new Map<string, WheelFacts>();
  const unknown: LockedWheel[] = [];
  for (const wheel of wheels) {
    const kept = parseFacts(await cache.get(factsKey(wheel)));
    if (kept === undefined) unknown.push(wheel);
    else facts.set(wheel.name, kept);
  }
  for (const [name, one] of await unpack(unknown, work)) {
    const { isPure, libraries, license, summary } = one;
    const size = one.files.reduce((sum, file) => sum + file.size, 0);
    const found: WheelFacts = { size, isPure, libraries, ...(license === undefined ? {} : { license }), ...(summary === undefined ? {} : { summary }) };
    facts.set(name, found);
    await cache.set(factsKey(one.wheel), found);
  }
  return facts;
}

/** Unpacks what is not unpacked yet: all in one go, and one by one where it cannot be told apart. */
async function unpack(wheels: readonly LockedWheel[], work: Work): Promise<ReadonlyMap<string, UnpackedWheel>> {
  const missing = wheels.filter(({ name }) => !work.unpacked.has(name));
  if (missing.length > 0) {
    work.context.onProgress?.({ kind: "install", packages: missing.length });
    const together = readStaged(await work.stage.install(missing), missing, work.place);
    for (const one of together ?? (await unpackApart(missing, work))) work.unpacked.set(one.wheel.name, one);
  }
  return new Map([...work.unpacked].filter(([name]) => wheels.some((wheel) => wheel.name === name)));
}

async function unpackApart(wheels: readonly LockedWheel[], work: Work): Promise<readonly UnpackedWheel[]> {
  const apart: UnpackedWheel[] = [];
  for (const wheel of wheels) apart.push(...(readStaged(await work.stage.install([wheel]), [wheel], work.place) ?? []));
  return apart;
}

function checkLibraries(facts: ReadonlyMap<string, WheelFacts>, work: Work): void {
  const { libraries } = work.request.target;
  if (libraries === undefined) return;
  const ignored = new Set(work.context.ignoreLibraries);
  const missing = findMissingLibraries(new Map([...facts].map(([name, fact]) => [name, fact.libraries])), libraries);
  refuseMissingLibraries(missing.filter(({ library }) => !ignored.has(library)));
}

async function layerOf(group: Group<PythonPackage>, work: Work, pool: ReturnType<typeof createDeflatePool>): Promise<PythonLayer> {
  const { store, cache, workDir, signal } = work.context;
  const key = layerKey(group, work);
  const kept = parseLayer(await cache.get(key));
  const isThere = kept !== undefined && (await store.has(kept.descriptor, { signal }));
  const built = isThere ? kept : await build(group, work, { store, workDir, pool, signal, sitePackages: work.place.sitePackages });
  if (!isThere) await cache.set(key, built);
  work.context.onProgress?.({ kind: "layer", label: group.label, bytes: built.descriptor.size, state: isThere ? "reused" : "built" });
  return { label: group.label, ...built, packages: group.members.map(({ name }) => name), open: (options) => store.open(built.descriptor, options) };
}

async function build(group: Group<PythonPackage>, work: Work, place: Parameters<typeof buildLayer>[1]): Promise<BuiltLayer> {
  const unpacked = await unpack(group.members, work);
  return buildLayer(group.members.map(({ name }) => unpacked.get(name)).filter((one) => one !== undefined), place);
}

/** What decides the bytes of a layer. */
function layerKey(group: Group<PythonPackage>, work: Work): string {
  const wheels = group.members.map(({ name, sha256 }) => `${name} ${sha256}`);
  const facts = ["layer", LAYER_RECIPE, FACTS_VERSION, work.request.target.pythonVersion, work.place.sitePackages, work.place.interpreter ?? "", ...wheels];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}

function factsKey(wheel: LockedWheel): string {
  return createHash("sha256").update(JSON.stringify(["wheel", FACTS_VERSION, wheel.name, wheel.sha256])).digest("hex");
}

function packageOf(wheel: LockedWheel, facts: ReadonlyMap<string, WheelFacts>): PythonPackage {
  const fact = facts.get(wheel.name);
  if (fact === undefined) throw new Error(`no facts about ${wheel.name}`);
  const { libraries: _, ...shown } = fact;
  const { direct, ...identity } = wheel;
  return { ...identity, ...shown, ...(direct === undefined ? {} : { direct: redactUrl(direct) }) };
}

function parseFacts(value: unknown): WheelFacts | undefined {
  const { size, isPure, libraries } = (value ?? {}) as Partial<WheelFacts>;
  const isWhole = typeof size === "number" && typeof isPure === "boolean" && typeof libraries?.needs === "object" && Array.isArray(libraries.provides);
  return isWhole ? (value as WheelFacts) : undefined;
}

function parseLayer(value: unknown): BuiltLayer | undefined {
  const { descriptor, diffId } = (value ?? {}) as { readonly descriptor?: Partial<Descriptor>; readonly diffId?: unknown };
  const isWhole = isDigest(diffId) && isDigest(descriptor?.digest) && typeof descriptor?.size === "number" && typeof descriptor.mediaType === "string";
  return isWhole ? (value as BuiltLayer) : undefined;
}

function isDigest(value: unknown): value is Digest {
  return typeof value === "string" && /^sha256:[0-9a-f]{64}$/.test(value);
}
