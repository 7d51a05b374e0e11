import {
  knownRegistries,
  nameInRegistry,
  switchRegistryHost,
  type RegistryHosts,
  type RegistrySide,
} from "../catalogue/index.ts";
import { isToolError } from "../../ground/errors/index.ts";
import { parseReference } from "../../images/oci/index.ts";
import type { UaiFramework, UaiJob, UaiModel } from "./contracts.ts";
import { uaiFlagsOf } from "./flags.ts";

/** Values of flags by their names; absent ones were not written. */
export type UaiValues = Readonly<Record<string, string | undefined>>;

/** A job, and what is wrong with it: with problems its values may be empty. */
export interface ParsedJob {
  readonly job: UaiJob;
  /** One for each, beginning with its flag. */
  readonly problems: readonly string[];
}

/** As in `account:password@host/`: in an image's name only a digest stands behind this sign, and a password must not be shown. */
const HAS_ACCOUNT = /@(?!sha\d+:)/;
const MODULE = /^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u;

/**
 * Reads flags and names every problem that they have by themselves. Touches nothing.
 * @param registries - those with two hosts; a namespace alone is in the first. Default: the vendor's.
 */
export function parseUaiJob(
  framework: UaiFramework,
  values: UaiValues,
  registries: Registries = knownRegistries(undefined),
): ParsedJob {
  const flags = uaiFlagsOf(framework);
  const value = (name: string): string =>
    values[name]?.trim() || (flags.find((flag) => flag.name === name)?.defaultValue ?? "");
  const problems = flags
    .filter(({ name, isRequired }) => isRequired && value(name) === "")
    .map(({ name }) => `--${name}: it is missing`);
  for (const { name, choices } of flags) {
    if (choices !== undefined && value(name) !== "" && !choices.includes(value(name)))
      problems.push(`--${name}: "${value(name)}" is not one of ${choices.join(", ")}`);
  }
  const image = imageOf(value, registries);
  if (HAS_ACCOUNT.test(value("bimg_name")))
    problems.push("--bimg_name: it has an account in it; run `slipway login` for its registry");
  problems.push(...imageProblems(value, image));
  if (value("in_uhost") !== "" && value("in_host") !== "" && value("in_uhost") !== value("in_host"))
    problems.push(
      `--in_uhost: "${value("in_uhost")}" and --in_host "${value("in_host")}" contradict each other`,
    );
  if (framework !== "self") problems.push(...modelProblems(framework, value));
  const basics = {
    image,
    folder: value("pack_file_path"),
    baseImage: baseOf(framework, value, registries),
    ...environmentOf(value),
  };
  return framework === "self"
    ? { problems, job: { ...basics, framework, confFile: value("conf_file") } }
    : { problems, job: { ...basics, framework, model: modelOf(value) } };
}

type Value = (name: string) => string;
type Registries = readonly [RegistryHosts, ...RegistryHosts[]];

function environmentOf(value: Value): Pick<UaiJob, "release" | "os" | "python"> {
  return {
    release: value("ai_arch_v") || undefined,
    os: value("os") || undefined,
    python: value("python_version") || undefined,
  };
}

/** From where a registry with two hosts is used; `undefined` when the flags do not say. */
function sideOf(value: Value): RegistrySide | undefined {
  if (value("in_uhost") === "yes" || value("in_host") === "yes") return "internal";
  return value("in_uhost") === "no" || value("in_host") === "no" ? "public" : undefined;
}

/** The same for what the tool itself names: the public side when the flags do not say. */
export function uaiSideOf(values: UaiValues): RegistrySide {
  return sideOf((name) => values[name]?.trim() ?? "") ?? "public";
}

/** The user's base on the side that the flags say; `self` has its own left as it is written. */
function baseOf(framework: UaiFramework, value: Value, registries: Registries): string | undefined {
  const image = value("bimg_name");
  if (image === "") return undefined;
  return framework === "self"
    ? image
    : switchRegistryHost(image, sideOf(value) ?? "public", registries);
}

function imageOf(value: Value, registries: Registries): string {
  const namespace = value("uhub_registry").replaceAll(/^\/+|\/+$/g, "");
  return nameInRegistry(`${namespace}/${value("uhub_imagename")}`, {
    side: sideOf(value),
    registries,
  });
}

function imageProblems(value: Value, image: string): readonly string[] {
  const [registry, name] = [value("uhub_registry"), value("uhub_imagename")];
  if (registry === "" || name === "") return [];
  const problems: string[] = [];
  if (HAS_ACCOUNT.test(image))
    return [
      "--uhub_registry: it has an account in it; give that with --uhub_username and --password-stdin",
    ];
  if (/[A-Z]/.test(registry))
    problems.push(`--uhub_registry: "${registry}" has upper-case letters`);
  if (name.includes("@"))
    problems.push(
      `--uhub_imagename: "${name}" names a digest, which a new image does not have yet`,
    );
  else if (!/:[^/:]+$/.test(name))
    problems.push(
      `--uhub_imagename: "${name}" has no tag, as in ${name.replace(/:.*$/s, "") || "test"}:v1`,
    );
  else if (/[A-Z]/.test(name.replace(/:[^:]*$/, "")))
    problems.push(`--uhub_imagename: "${name}" has upper-case letters before its tag`);
  if (problems.length > 0) return problems;
  try {
    parseReference(image);
    return [];
  } catch (error) {
    if (!isToolError(error)) throw error;
    return [`--uhub_imagename: ${error.message}`];
  }
}

function modelProblems(framework: UaiFramework, value: Value): readonly string[] {
  const problems: string[] = [];
  if (value("main_module") !== "" && !MODULE.test(value("main_module")))
    problems.push(
      `--main_module: "${value("main_module")}" is no module's name${value("main_module").endsWith(".py") ? "; leave the .py out" : ""}`,
    );
  if (value("main_class") !== "" && !MODULE.test(value("main_class")))
    problems.push(`--main_class: "${value("main_class")}" is no class's name`);
  if (value("num_epoch") !== "" && !/^\d{1,9}$/.test(value("num_epoch")))
    problems.push(`--num_epoch: "${value("num_epoch")}" is no whole number`);
  if (/[/\\]/.test(value("model_name")) && framework !== "xgboost")
    problems.push(`--model_name: "${value("model_name")}" is a path; write the name alone`);
  if (/[/\\]/.test(value("model_arch_type")))
    problems.push(`--model_arch_type: "${value("model_arch_type")}" is no file ending`);
  return problems;
}

function modelOf(value: Value): UaiModel {
  return {
    mainModule: value("main_module"),
    mainClass: value("main_class"),
    modelDir: value("model_dir"),
    modelName: value("model_name"),
    isOneFile: value("all_one_file") === "true",
    archType: value("model_arch_type"),
    epoch: Number(value("num_epoch")),
  };
}
