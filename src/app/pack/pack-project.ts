import { setFlagsFromString } from "node:v8";
import { createDeflatePool } from "../../images/compress/index.ts";
import { parseLocation } from "../../images/copy/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { parsePlatform, type Platform } from "../../images/oci/index.ts";
import { packImages, type BaseImage } from "../../images/pack/index.ts";
import { withAptPackages, type AptRequest } from "./apt-packages.ts";
import { openBase, type OpenBase } from "./base-image.ts";
import type { Context } from "../context.ts";
import { deliver, referenceOf, reportDelivery } from "./deliver.ts";
import { forgetfulStore, withoutWriting } from "./dry-run.ts";
import { forecastPush, registryNames, withSmallDigests } from "./forecast.ts";
import { move } from "../places/move.ts";
import { packContextOf } from "./pack-context.ts";
import { openStore } from "../places/places.ts";
import { loadProject, type LoadedProject, type ProjectFlags } from "./project.ts";
import { planData, planLines, type PlanReport } from "./plan.ts";

/** Flags of `slipway pack`. */
export interface PackFlags extends Omit<ProjectFlags, "env"> {
  readonly tag?: readonly string[];
  readonly base?: string;
  readonly push?: boolean;
  readonly plan?: boolean;
  readonly dryRun?: boolean;
  readonly output?: readonly string[];
  readonly platform?: readonly string[];
  readonly env?: readonly string[];
}

/** Packs a project, keeps the image in the store, and takes it where the flags say. */
export async function packProject(
  folder: string,
  flags: PackFlags,
  context: Context,
): Promise<void> {
  const startedAt = performance.now();
  const outputs = (flags.output ?? []).map(parseOutput);
  const isPlan = flags.plan === true || flags.dryRun === true;
  await using store = await openStore(context);
  await using pool = createDeflatePool();
  const real = packContextOf(store, pool, context);
  const packContext = flags.dryRun === true ? withoutWriting(real) : real;
  const loaded = await loadProject(
    folder,
    { ...flags, env: parseEnv(flags.env ?? []) },
    { context, memory: packContext.cache("formats") },
  );
  const { requirementLines } = loaded.project;
  if (requirementLines.length > 0)
    context.reporter.step(
      `no requirements.txt: installing ${requirementLines.join(", ")}, which the model needs`,
    );
  const names = namesOf(flags, loaded);
  keepYoungGenerationSmall();
  await using base = await openBase(baseOf(flags, loaded), packContext.cache("base"), context);
  const apt = {
    packages: loaded.file.apt ?? [],
    store:
      flags.dryRun === true
        ? { ...forgetfulStore(store), resolve: store.resolve.bind(store) }
        : store,
    epochS: loaded.project.epochS,
    context,
  };
  const bases = await basesFor(base, platformsOf(flags, loaded), apt);
  const images = await packImages(loaded, bases, packContext);
  const packed = images.map((image, index) => ({ image, base: bases[index] as BaseImage })); // one image a base, in order
  if (isPlan) return await reportPlan(context, { loaded, images: packed, names });
  const delivered = await deliver({ packed, names, isPush: flags.push === true, store, context });
  for (const output of outputs) {
    if (output.startsWith("oci:")) context.reporter.step(`writing ${output}`); // what is written as a whole says so itself
    await move({ from: names[0] ?? "", to: output, isFromStore: true }, context);
  }
  reportDelivery(context, { ...delivered, packed, names, isPush: flags.push === true, startedAt });
}

async function reportPlan(
  context: Context,
  {
    names,
    loaded,
    images: planned,
  }: Pick<PlanReport, "loaded" | "images"> & { readonly names: readonly string[] },
): Promise<void> {
  const plan = { loaded, images: await withSmallDigests(planned, context) };
  const forecasts = await Promise.all(
    registryNames(names).map((name) => forecastPush(name, plan.images, context)),
  );
  for (const line of planLines({ ...plan, forecasts })) context.reporter.line(line);
  context.reporter.result(planData({ ...plan, forecasts }));
}

/**
 * Packing passes many large buffers through, which are freed when the objects that hold them are. A young generation that has grown to
 * its 100 MB lets them pile up; kept as it is now, the whole takes half the memory in the same time.
 */
function keepYoungGenerationSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

/** Every base is looked at before anything is made. */
async function basesFor(
  base: OpenBase,
  platforms: readonly Platform[],
  apt: AptRequest,
): Promise<readonly BaseImage[]> {
  const bases: BaseImage[] = [];
  for (const platform of platforms)
    bases.push(await withAptPackages(await base.imageFor(platform), apt));
  return bases;
}

function platformsOf(flags: PackFlags, { file }: LoadedProject): readonly Platform[] {
  const named = flags.platform?.flatMap((text) => text.split(",")) ??
    file.platforms ?? ["linux/amd64"];
  return [...new Set(named)].map(parsePlatform);
}

function namesOf(flags: PackFlags, { file, project }: LoadedProject): readonly string[] {
  const names = flags.tag ?? (file.image === undefined ? [`store:${project.name}`] : [file.image]);
  for (const name of names) referenceOf(name);
  if (flags.push === true && registryNames(names).length === 0) {
    throw new ToolError("USAGE", "pack --push: no name is in a registry", {
      hint: "name one: -t HOST/REPOSITORY:TAG, or image: in slipway.yaml",
    });
  }
  return names;
}

function baseOf(flags: PackFlags, { file }: LoadedProject): string {
  const base = flags.base ?? file.base;
  if (base !== undefined) return keptBase(base);
  throw new ToolError("USAGE", "pack: no base image is named", {
    hint: "make one with `slipway base debian --include python3 --name pybase`, then pass `--base store:pybase`",
  });
}

/** The image refers to its base's layers later on; a folder, an archive or an engine may be gone by then. @throws ToolError `USAGE`. */
function keptBase(base: string): string {
  const { kind } = parseLocation(base);
  if (kind === "registry" || kind === "store") return base;
  throw new ToolError("USAGE", `pack on "${base}": a base is in a registry or in the store`, {
    hint: `run \`slipway copy ${base} store:base\`, then pass \`--base store:base\``,
  });
}

/** `TYPE=PATH` as a place. @throws ToolError `USAGE`. */
export function parseOutput(text: string): string {
  const match = /^(oci|oci-archive|docker-archive|docker-daemon|podman)=(.+)$/s.exec(text);
  if (match === null)
    throw new ToolError("USAGE", `--output "${text}": it is not TYPE=PATH`, {
      hint: "TYPE is oci, oci-archive, docker-archive, docker-daemon or podman",
    });
  return `${match[1]}:${match[2]}`;
}

function parseEnv(entries: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const equals = entry.indexOf("=");
      if (equals <= 0)
        throw new ToolError("USAGE", `pack --env "${entry.slice(0, 40)}": it is not NAME=VALUE`);
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}
