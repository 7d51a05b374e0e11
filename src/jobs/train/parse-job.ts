import { isAbsolute, posix, relative } from "node:path";
import {
  knownRegistries,
  nameInRegistry,
  switchRegistryHost,
  type RegistryHosts,
  type RegistrySide,
} from "../catalogue/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { parseReference } from "../../images/oci/index.ts";
import {
  EXPORTER_MAIN,
  EXPORTER_PARAMETERS,
  mainModuleOf,
  PLACES,
  type Accelerator,
  type Framework,
  type ImageNames,
  type TrainJob,
} from "./contracts.ts";
import { DEFAULT_TAG, flagsOf, type TrainFlag } from "./flags.ts";
import { splitWords } from "./shell-words.ts";

/** Values of flags by their names; absent ones were not written. */
export type TrainValues = Readonly<Record<string, string | undefined>>;

export interface ParseJobOptions {
  /** A base image takes the place of what is known of frameworks. */
  readonly hasBase?: boolean;
  /** The tool's own exporter takes the place of code and base. Default false. */
  readonly isExporter?: boolean | undefined;
  /** The commands name the container's folders behind the parameters. Default true. */
  readonly hasFolderFlags?: boolean | undefined;
  /** Registries with two hosts; a namespace alone is in the first. Default: the vendor's. */
  readonly registries?: readonly [RegistryHosts, ...RegistryHosts[]];
}

/**
 * Checks flags and gives the job they describe. Every problem is named at once.
 * @throws ToolError `USAGE`.
 */
export function parseJob(
  framework: Framework,
  values: TrainValues,
  options: ParseJobOptions = {},
): TrainJob {
  const flags = flagsOf(framework);
  const registries = options.registries ?? knownRegistries(undefined);
  const ownImage = ownImageOf(values, registries);
  const { isExporter = false, hasFolderFlags = true } = options;
  const hasBase = options.hasBase === true || ownImage !== undefined;
  const value = (name: string): string =>
    values[name] ?? flags.find((flag) => flag.name === name)?.defaultValue ?? "";
  const problems = [
    ...problemsIn(flags, values, replacedFlags(values, { hasBase, isExporter })),
    ...(isExporter ? exporterProblems(values) : []),
  ];
  const collect = <T>(make: () => T): T | undefined => {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const accelerator = collect(() => acceleratorOf(value("acc_type")));
  const mainFile = collect(() => (isExporter ? EXPORTER_MAIN : mainFileOf(value)));
  const names = problems.length > 0 ? undefined : collect(() => tagsFor(value, values, registries));
  const numGpus = collect(() => countOf(values["num_gpus"]));
  collect(() => splitWords(value("train_params")));
  if (
    problems.length > 0 ||
    accelerator === undefined ||
    mainFile === undefined ||
    names === undefined
  ) {
    throw new ToolError("USAGE", `pack for ${framework}: ${problems.join("; ")}`, {
      hint: `run \`slipway ${framework} pack --help\``,
    });
  }
  return {
    framework,
    accelerator,
    mainFile,
    names,
    numGpus,
    ownImage,
    isExporter,
    hasFolderFlags,
    codePath: nonEmpty(values["code_path"]),
    trainParams: parametersOf(values, isExporter),
    dataPath: value("test_data_path"),
    outputPath: value("test_output_path"),
    release: nonEmpty(values["ai_arch_v"]),
    os: nonEmpty(values["os"]),
    python: nonEmpty(values["python_version"]),
    solver: nonEmpty(values["solver"]),
    snapshot: nonEmpty(values["snapshot"]),
  };
}

function parametersOf(values: TrainValues, isExporter: boolean): string {
  return nonEmpty(values["train_params"]) ?? (isExporter ? EXPORTER_PARAMETERS : "");
}

/** Where a registry with two hosts is used from, as `--internal_uhub` says. */
export function trainSideOf(values: TrainValues): RegistrySide {
  return values["internal_uhub"] === "true" ? "internal" : "public";
}

/** The user's base on the side that the flag says; the image of `self` is left as it is written. */
function ownImageOf(values: TrainValues, registries: readonly RegistryHosts[]): string | undefined {
  const base = nonEmpty(values["bimg_name"]);
  return (
    nonEmpty(values["self_img"]) ??
    (base === undefined ? undefined : switchRegistryHost(base, trainSideOf(values), registries))
  );
}

/** Flags that are not needed, since something else says the same. */
function replacedFlags(
  values: TrainValues,
  { hasBase, isExporter }: { readonly hasBase: boolean; readonly isExporter: boolean },
): readonly string[] {
  const main = nonEmpty(values["mainfile_path"]) ?? "";
  const isInImage = hasBase && (main.startsWith("/") || mainModuleOf(main) !== undefined);
  return [
    ...(hasBase ? ["ai_arch_v", "self_img"] : []),
    ...(isInImage ? ["code_path"] : []),
    ...(isExporter ? ["code_path", "mainfile_path", "ai_arch_v", "self_img"] : []),
  ];
}

/** The exporter comes with its code. */
function exporterProblems(values: TrainValues): readonly string[] {
  return ["code_path", "mainfile_path", "ai_arch_v"]
    .filter((name) => nonEmpty(values[name]) !== undefined)
    .map((name) => `--exporter needs no --${name}`);
}

function problemsIn(
  flags: readonly TrainFlag[],
  values: TrainValues,
  replaced: readonly string[],
): string[] {
  return [
    ...unknownFlags(flags, values),
    ...missing(flags, values, replaced),
    ...wrongChoices(flags, values),
    ...brokenLines(values),
  ];
}

function unknownFlags(flags: readonly TrainFlag[], values: TrainValues): string[] {
  return Object.keys(values)
    .filter((name) => values[name] !== undefined && !flags.some((flag) => flag.name === name))
    .map((name) => `it has no --${name}`);
}

function missing(
  flags: readonly TrainFlag[],
  values: TrainValues,
  replaced: readonly string[],
): string[] {
  const names = flags
    .filter(({ isRequired, name }) => isRequired && nonEmpty(values[name]) === undefined)
    .filter(({ name }) => !replaced.includes(name))
    .map(({ name }) => `--${name}`);
  return names.length === 0
    ? []
    : [`${names.join(", ")} ${names.length === 1 ? "is" : "are"} missing`];
}

function wrongChoices(flags: readonly TrainFlag[], values: TrainValues): string[] {
  return flags.flatMap(({ name, choices }) => {
    const value = values[name];
    return choices === undefined || value === undefined || choices.includes(value)
      ? []
      : [`--${name} "${value}" is not one of ${choices.join(", ")}`];
  });
}

/** The command file has one line for each command. */
function brokenLines(values: TrainValues): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    /[\r\n]/.test(value?.trim() ?? "") ? [`--${name} has a line break in it`] : [],
  );
}

function acceleratorOf(text: string): Accelerator {
  const known = text.toLowerCase();
  if (known === "cpu" || known === "gpu") return known;
  throw new ToolError("USAGE", `--acc_type "${text}" is neither gpu nor cpu`);
}

/**
 * A path inside the code folder, whatever way the user wrote it, that of the container included; or `-m` and a module. Without a code
 * folder it is a path of the image.
 */
function mainFileOf(value: (name: string) => string): string {
  const [path, codePath] = [value("mainfile_path"), value("code_path")];
  if (path === "") return "";
  const module = mainModuleOf(path);
  if (module !== undefined) return `-m ${module}`;
  if (codePath === "") return posix.normalize(path);
  const inside = posix.normalize(insideCode(path, codePath));
  if (inside.startsWith("../") || isAbsolute(inside) || inside === "." || inside.endsWith("/"))
    throw new ToolError("USAGE", `--mainfile_path "${path}" is not a file in the code folder`);
  return inside;
}

function insideCode(path: string, codePath: string): string {
  if (isAbsolute(path) && isAbsolute(codePath)) return relative(codePath, path);
  const place = `${PLACES.code}/`;
  return path.startsWith(place) ? path.slice(place.length) : path;
}

/** A namespace alone is one of the vendor's registry; with a host before it, any registry will do. */
function tagsFor(
  value: (name: string) => string,
  values: TrainValues,
  registries: readonly [RegistryHosts, ...RegistryHosts[]],
): ImageNames {
  const [namespace, name] = [
    value("uhub_registry").replaceAll(/^\/+|\/+$/g, ""),
    value("uhub_imagename"),
  ];
  const tag = nonEmpty(values["uhub_imagetag"]) ?? DEFAULT_TAG;
  for (const [flag, text] of [
    ["uhub_registry", namespace],
    ["uhub_imagename", name],
    ["uhub_imagetag", tag],
  ] as const) {
    if (/[A-Z]/.test(text) && flag !== "uhub_imagetag")
      throw new ToolError("USAGE", `--${flag} "${text}" has upper-case letters`);
  }
  if (name.includes(":"))
    throw new ToolError(
      "USAGE",
      `--uhub_imagename "${name}" has a tag in it; that is --uhub_imagetag`,
    );
  const names = {
    cpu: `${name}-cpu:${tag}`,
    gpu: nameInRegistry(`${namespace}/${name}:${tag}`, {
      side: nonEmpty(values["internal_uhub"]) === undefined ? undefined : trainSideOf(values),
      registries,
    }),
  };
  parseReference(names.gpu);
  parseReference(names.cpu);
  return names;
}

function countOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new ToolError("USAGE", `--num_gpus "${text}" is not a count`);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === "" ? undefined : text.trim();
}
