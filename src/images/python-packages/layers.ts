import { createHash } from "node:crypto";
import { createDeflatePool } from "../compress/index.ts";
import { redactUrl } from "../../ground/errors/index.ts";
import type {
  LockedWheel,
  PythonContext,
  PythonLayer,
  PythonLayers,
  PythonLock,
  PythonPackage,
  PythonRequest,
} from "./contracts.ts";
import { groupPackages } from "./group.ts";
import { jobsOf, layerOf } from "./layer-job.ts";
import { findMissingLibraries, refuseMissingLibraries, type SharedLibrary } from "./libraries.ts";
import { modulesOf } from "./modules-of.ts";
import { resolvePython } from "./resolve.ts";
import { createStage, type Stage } from "./stage.ts";
import { unpack, type Work } from "./unpack.ts";
import { neededGlibc } from "./wheel-name.ts";

/** Where packages lie in the image unless the target says otherwise. */
export const DEFAULT_SITE_PACKAGES = "/opt/slipway/site-packages";

/** Goes up when facts kept by older versions lack something, or when wheels are read in another way. */
const FACTS_VERSION = 3;

/** What is remembered of a wheel, so that it need not be unpacked to be grouped and checked. */
interface WheelFacts {
  readonly size: number;
  readonly isPure: boolean;
  readonly modules: readonly string[];
  readonly libraries: readonly SharedLibrary[];
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
export async function buildPythonLayers(
  request: PythonRequest,
  context: PythonContext,
): Promise<PythonLayers> {
  return layersOf(await resolvePython(request, context), request, context);
}

async function layersOf(
  lock: PythonLock,
  request: PythonRequest,
  context: PythonContext,
): Promise<PythonLayers> {
  const sitePackages = request.target.sitePackages ?? DEFAULT_SITE_PACKAGES;
  await using stage = createLazyStage(request, context);
  await using ownPool = createDeflatePool();
  const work: Work = {
    context,
    stage,
    place: { interpreter: request.target.interpreter, sitePackages },
    unpacked: new Map(),
    request,
    pool: context.pool ?? ownPool,
  };
  const facts = await wheelFactsOf(lock.wheels, work);
  const packages = lock.wheels.map((wheel) => packageOf(wheel, facts));
  checkLibraries(facts, work);
  const layers: PythonLayer[] = [];
  for (const job of await jobsOf(groupPackages(packages), work))
    layers.push(await layerOf(job, work));
  const glibc = neededGlibc(lock.wheels.map(({ fileName }) => fileName));
  return {
    layers,
    packages,
    sitePackages,
    unpacked: work.unpacked.size,
    ...(glibc === undefined ? {} : { neededGlibc: glibc }),
  };
}

/** A stage that makes no folder until a wheel has to be unpacked. */
function createLazyStage(request: PythonRequest, context: PythonContext): Stage {
  let stage: Promise<Stage> | undefined;
  return {
    install: async (wheels) => (await (stage ??= createStage(request, context))).install(wheels),
    async [Symbol.asyncDispose]() {
      await (await stage)?.[Symbol.asyncDispose]();
    },
  };
}

async function wheelFactsOf(
  wheels: readonly LockedWheel[],
  work: Work,
): Promise<ReadonlyMap<string, WheelFacts>> {
  const { cache } = work.context;
  const facts = new Map<string, WheelFacts>();
  const kept = await Promise.all(wheels.map((wheel) => cache.get(factsKey(wheel))));
  const unknown = wheels.filter((wheel, index) => {
    const known = parseFacts(kept[index]);
    if (known !== undefined) facts.set(wheel.name, known);
    return known === undefined;
  });
  for (const [name, one] of await unpack(unknown, work)) {
    const { isPure, libraries, license, summary } = one;
    const size = one.files.reduce((sum, file) => sum + file.size, 0);
    const found: WheelFacts = {
      size,
      isPure,
      libraries,
      modules: modulesOf(one.files.map(({ path }) => path)),
      ...(license === undefined ? {} : { license }),
      ...(summary === undefined ? {} : { summary }),
    };
    facts.set(name, found);
    await cache.set(factsKey(one.wheel), found);
  }
  return facts;
}

function checkLibraries(facts: ReadonlyMap<string, WheelFacts>, work: Work): void {
  const { libraries } = work.request.target;
  if (libraries === undefined) return;
  const ignored = new Set(work.context.ignoreLibraries);
  const missing = findMissingLibraries(
    new Map([...facts].map(([name, fact]) => [name, fact.libraries])),
    libraries,
  );
  for (const { library, file, package: owner } of missing.unneeded)
    if (!ignored.has(library))
      work.context.onNote?.(
        `"${library}" is not in the image; "${file}" of ${owner} asks for it, and no module needs that file`,
      );
  refuseMissingLibraries(
    missing.needed.filter(({ library }) => !ignored.has(library)),
    work.context.aptWay,
  );
}

function factsKey(wheel: LockedWheel): string {
  return createHash("sha256")
    .update(JSON.stringify(["wheel", FACTS_VERSION, wheel.name, wheel.sha256]))
    .digest("hex");
}

function packageOf(wheel: LockedWheel, facts: ReadonlyMap<string, WheelFacts>): PythonPackage {
  const fact = facts.get(wheel.name);
  if (fact === undefined) throw new Error(`no facts about ${wheel.name}`);
  const { size, isPure, modules, license, summary } = fact;
  const { direct, ...identity } = wheel;
  return {
    ...identity,
    size,
    isPure,
    modules,
    ...(license === undefined ? {} : { license }),
    ...(summary === undefined ? {} : { summary }),
    ...(direct === undefined ? {} : { direct: redactUrl(direct) }),
  };
}

function parseFacts(value: unknown): WheelFacts | undefined {
  const { size, isPure, libraries, modules } = (value ?? {}) as Partial<WheelFacts>;
  const isWhole =
    typeof size === "number" &&
    typeof isPure === "boolean" &&
    Array.isArray(libraries) &&
    Array.isArray(modules);
  return isWhole ? (value as WheelFacts) : undefined;
}
