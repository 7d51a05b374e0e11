import { ToolError } from "../errors/index.ts";
import type { Accelerator, Framework, TrainJob } from "./contracts.ts";

/** How an image with a framework comes about: wheels on a plain Python. */
export interface Recipe {
  readonly base: string;
  readonly requirements: readonly string[];
  readonly extraIndexUrls?: readonly string[];
}

/** What wheels ask of graphics cards. Capabilities as numbers: 8.6 for sm_86. */
export interface CudaNeeds {
  readonly version: string;
  /** Oldest and newest card that the wheels have code for. */
  readonly capabilities: readonly [number, number];
}

/** One version of a framework that images are made for. */
export interface Release {
  /** As in `--ai_arch_v`. */
  readonly name: string;
  readonly framework: Framework;
  /** `vendor`: known from the documents; its bases are the vendor's own, and closed. */
  readonly era: "vendor" | "today";
  readonly os: string;
  readonly pythons: readonly string[];
  readonly recipes?: Readonly<Record<Accelerator, Recipe>>;
  readonly cuda?: CudaNeeds;
}

/** Where the makers of torch keep wheels without CUDA; the ones of the default index carry CUDA. */
const TORCH_CPU_WHEELS = "https://download.pytorch.org/whl/cpu";
const PYTHONS = ["python-3.12", "python-3.11", "python-3.10"];
const OLD = { os: "ubuntu-14.04.05", python: "python-2.7.6" } as const;

const VENDOR: readonly Release[] = [
  vendor("pytorch", "pytorch-0.4", { os: "ubuntu-16.04", python: "python-3.6.2" }),
  vendor("pytorch", "pytorch-0.2.0", OLD),
  ...["0.11.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0", "1.6.0", "1.7.0", "1.8.0", "1.9.0", "1.10.0", "1.11.0", "1.12.0", "1.13.1", "2.0.0a"].map((version) => vendor("tf", `tensorflow-${version}`)),
  ...["2.0.8", "2.1.6"].map((version) => vendor("keras", `keras-${version}`)),
  ...["0.9.5", "1.0.0", "1.2.0"].map((version) => vendor("mxnet", `mxnet-${version}`)),
  vendor("caffe", "caffe-1.0.0"),
];

// The CUDA that the wheels of the default index depend on; read from their metadata.
const TODAY: readonly Release[] = [
  torch("2.11.0", "13.0", [7.5, 12.1]),
  torch("2.10.0", "12.8", [7, 12]),
  torch("2.9.1", "12.8", [7, 12]),
  torch("2.8.0", "12.8", [7, 12]),
  torch("2.7.1", "12.6", [5, 9]),
  torch("2.6.0", "12.4", [5, 9]),
  torch("2.5.1", "12.4", [5, 9]),
  torch("2.4.1", "12.1", [5, 9]),
  ...[["2.21.0", "12.9"], ["2.20.0", "12.9"], ["2.19.0", "12.5"], ["2.18.0", "12.5"], ["2.17.0", "12.3"]].flatMap(([version = "", cuda = ""]) => tensorflow(version, cuda)),
  mxnet(),
];

/** Every release that is known, the documents' first. */
export const RELEASES: readonly Release[] = [...VENDOR, ...TODAY];

const NAMES: Readonly<Record<Framework, readonly string[]>> = { pytorch: ["pytorch"], tf: ["tensorflow"], keras: ["keras"], caffe: ["caffe", "caffe-intel"], mxnet: ["mxnet"], self: [] };

/**
 * Finds the release that a job names and checks that system and Python go with it.
 * @param options.hasBase - the image comes with its framework, so an unknown version is no problem
 * @returns `undefined` when nothing is known of it, which only a base of the user's own allows.
 * @throws ToolError `USAGE` naming what there is.
 */
export function findRelease(job: Pick<TrainJob, "framework" | "release" | "os" | "python">, options: { readonly hasBase: boolean }): Release | undefined {
  const { framework, release: name } = job;
  if (name === undefined) return undefined;
  const text = name.replaceAll(" ", "-");
  const known = NAMES[framework];
  if (known.length > 0 && !known.some((prefix) => text === prefix || text.startsWith(`${prefix}-`))) {
    throw new ToolError("USAGE", `--ai_arch_v "${name}": this is pack for ${framework}, which takes ${known.map((prefix) => `${prefix}-VERSION`).join(" or ")}`);
  }
  const candidates = RELEASES.filter((release) => release.framework === framework);
  const found = candidates.find((release) => release.name === text) ?? candidates.find((release) => release.era === "today" && release.name.startsWith(`${text}.`));
  if (found === undefined) {
    if (options.hasBase) return undefined;
    throw new ToolError("USAGE", `--ai_arch_v "${name}": it is not known`, { hint: `take one of ${candidates.map((release) => release.name).join(", ")}, or name an image that has it with --bimg_name` });
  }
  if (!options.hasBase) checkCombination(found, job);
  return found;
}

/**
 * How to make the base of a release.
 * @throws ToolError `BASE_UNSUITABLE` for the vendor's closed images.
 */
export function recipeOf(release: Release, accelerator: Accelerator): Recipe {
  const recipe = release.recipes?.[accelerator];
  if (recipe !== undefined) return recipe;
  const today = RELEASES.filter(({ era, framework }) => era === "today" && framework === release.framework).map(({ name }) => name);
  throw new ToolError("BASE_UNSUITABLE", `pack for "${release.name}": its base images are the vendor's own, and closed`, {
    hint: `name an image of yours that has it with --bimg_name${today.length === 0 ? "" : `, or move to ${today.slice(0, 3).join(", ")}`}`,
  });
}

function checkCombination(release: Release, { os, python }: Pick<TrainJob, "os" | "python">): void {
  const [ownOs, ownPython] = release.era === "vendor" ? [os ?? OLD.os, python ?? OLD.python] : [os ?? release.os, python ?? release.pythons[0] ?? ""];
  const fits = release.os === ownOs && release.pythons.some((known) => ownPython === known || ownPython.startsWith(`${known}.`));
  if (fits) return;
  throw new ToolError("USAGE", `--ai_arch_v "${release.name}" does not go with ${ownOs} and ${ownPython}`, { hint: `write ${combinationOf(release)}` });
}

/** The flags of a release, as the documents' table of combinations has them. */
export function combinationOf({ name, os, pythons, era }: Release): string {
  const isDefault = era === "today" || (os === OLD.os && pythons.includes(OLD.python));
  return `--ai_arch_v=${name}${isDefault ? "" : ` --python_version=${pythons[0] ?? ""} --os=${os}`}`;
}

function vendor(framework: Framework, name: string, { os, python }: { readonly os: string; readonly python: string } = OLD): Release {
  return { framework, name, era: "vendor", os, pythons: [python] };
}

function today(framework: Framework, name: string, about: Pick<Release, "recipes" | "cuda"> & { readonly pythons?: readonly string[] }): Release {
  return { framework, name, era: "today", os: "debian-12", pythons: PYTHONS, ...about };
}

function pythonBase(python: string = PYTHONS[0] ?? ""): string {
  return `docker.io/library/python:${python.replace("python-", "")}-slim-bookworm`;
}

function torch(version: string, cuda: string, capabilities: readonly [number, number]): Release {
  const base = pythonBase();
  return today("pytorch", `pytorch-${version}`, {
    recipes: {
      cpu: { base, requirements: [`torch==${version}+cpu`, "numpy"], extraIndexUrls: [TORCH_CPU_WHEELS] },
      gpu: { base, requirements: [`torch==${version}`, "numpy"] },
    },
    cuda: { version: cuda, capabilities },
  });
}

/** TensorFlow brings Keras 3, so one version of it is a release for both. */
function tensorflow(version: string, cuda: string): readonly Release[] {
  const base = pythonBase();
  const recipes = { cpu: { base, requirements: [`tensorflow-cpu==${version}`] }, gpu: { base, requirements: [`tensorflow[and-cuda]==${version}`] } };
  const needs: CudaNeeds = { version: cuda, capabilities: [6, 12] };
  const own = today("tf", `tensorflow-${version}`, { recipes, cuda: needs });
  if (version !== "2.21.0") return [own];
  const withKeras = (recipe: Recipe): Recipe => ({ ...recipe, requirements: ["keras==3.15.1", ...recipe.requirements] });
  return [own, today("keras", "keras-3.15.1", { recipes: { cpu: withKeras(recipes.cpu), gpu: withKeras(recipes.gpu) }, cuda: needs })];
}

/** The last MXNet there is; it needs a numpy of its time. */
function mxnet(): Release {
  const base = pythonBase("python-3.8");
  const requirements = (name: string): readonly string[] => [`${name}==1.9.1`, "numpy<1.24"];
  return today("mxnet", "mxnet-1.9.1", {
    pythons: ["python-3.8"],
    recipes: { cpu: { base, requirements: requirements("mxnet") }, gpu: { base, requirements: requirements("mxnet-cu112") } },
    cuda: { version: "11.2", capabilities: [5, 8.6] },
  });
}
