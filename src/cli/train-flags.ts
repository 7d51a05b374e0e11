import { Option, type Command } from "commander";
import { type TrainPackRequest } from "../app/index.ts";
import {
  TRAIN_FLAGS,
  TRAIN_FRAMEWORKS,
  trainFlagsOf,
  type TrainFlag,
  type TrainFramework,
  type TrainValues,
} from "../app/words/index.ts";
import { ToolError } from "../ground/errors/index.ts";
import { addCatalogueOption } from "./catalogue-flag.ts";
import { collect, collectList, oldFlagIn } from "./options.ts";
import { addReachFlags, type ReachFlags } from "./registry-flags.ts";

/** What `train pack` takes beside the old tools' flags. */
export interface TrainPackFlags extends ReachFlags {
  readonly framework?: string;
  readonly base?: string;
  readonly gpuBase?: string;
  readonly catalogue?: string;
  readonly requirements?: readonly string[];
  readonly apt?: readonly string[];
  readonly pushCpu?: boolean;
  readonly push?: boolean;
  readonly engine?: TrainPackRequest["engine"];
  readonly dryRun?: boolean;
  readonly platform?: string;
  readonly gpu?: string;
  readonly driver?: string;
  readonly allowMissingLibrary?: readonly string[];
  readonly allowSecret?: readonly string[];
  readonly indexUrl?: string;
  readonly extraIndexUrl?: readonly string[];
  readonly findLinks?: readonly string[];
  readonly passwordStdin?: boolean;
  /** The old tools' own, whichever way each was written. */
  readonly [name: string]: unknown;
}

/** Adds the old flags of a framework, or of all, and the new ones. Every old flag may be written with `-` for `_`. */
export function addTrainPackOptions(command: Command, framework?: TrainFramework): void {
  for (const flag of framework === undefined ? TRAIN_FLAGS : trainFlagsOf(framework)) {
    command.addOption(new Option(`--${flag.name} <value>`, helpOf(flag, framework)));
    if (flag.name.includes("_"))
      command.addOption(new Option(`--${flag.name.replaceAll("_", "-")} <value>`).hideHelp());
  }
  command
    .option(
      "--base <image>",
      "base image in place of the known one; the framework's wheels go on top when --ai_arch_v names one",
    )
    .option("--gpu-base <image>", "another base for the GPU image")
    .option(
      "--requirements <file>",
      "Python packages for both images; may come more than once (default: requirements.txt of the code folder)",
      collect,
    )
    .option(
      "--apt <packages>",
      "Debian packages for both images, with commas between them",
      collectList,
    )
    .option("--push-cpu", "push the CPU image too: REGISTRY/NAME-cpu:TAG")
    .option("--no-push", "push nothing")
    .addOption(
      new Option(
        "--engine <name>",
        "load the CPU image into this engine (default: the one that answers)",
      )
        .choices(["auto", "docker", "podman", "none"])
        .default("auto"),
    )
    .option("--dry-run", "check everything, show the plan and the commands, make nothing")
    .option("--platform <os/arch>", "linux/amd64 (default) or linux/arm64")
    .option(
      "--gpu <card>",
      "card that shall train, such as V100, sm_86 or 9.0: checked against the framework's CUDA",
    )
    .option("--driver <version>", "its driver, checked too")
    .option(
      "--allow-secret <pattern>",
      "let files that match into the image though they look like secrets",
      collect,
    )
    .option("--index-url <url>", "Python package index")
    .option("--extra-index-url <url>", "another one; may come more than once", collect)
    .option(
      "--allow-missing-library <name>",
      "shared library, such as libgomp.so.1, that Python packages may miss; may come more than once",
      collect,
    )
    .option("--find-links <place>", "folder or page with wheels; may come more than once", collect)
    .option("--password-stdin", "read the registry's password from standard input");
  if (framework !== "self") addCatalogueOption(command);
  addReachFlags(command, { sends: true });
}

/** What is to be made, by the flags. @throws ToolError `USAGE` for a flag that the framework does not have. */
export function trainRequestOf(
  framework: TrainFramework,
  flags: TrainPackFlags,
  password: string | undefined,
): TrainPackRequest {
  return {
    framework,
    password,
    values: trainValues(framework, { ...flags }),
    base: flags.base,
    gpuBase: flags.gpuBase,
    catalogue: flags.catalogue,
    requirements: flags.requirements,
    apt: flags.apt,
    isCpuPushed: flags.pushCpu,
    isPush: flags.push,
    engine: flags.engine,
    platform: flags.platform,
    gpu: flags.gpu,
    driver: flags.driver,
    allowMissingLibraries: flags.allowMissingLibrary,
    allowSecrets: flags.allowSecret,
    indexUrl: flags.indexUrl,
    extraIndexUrls: flags.extraIndexUrl,
    findLinks: flags.findLinks,
  };
}

function trainValues(
  framework: TrainFramework,
  flags: Readonly<Record<string, unknown>>,
): TrainValues {
  const known = trainFlagsOf(framework);
  const values: Record<string, string | undefined> = {};
  for (const { name } of TRAIN_FLAGS) {
    const value = oldFlagIn(flags, name);
    if (value === undefined) continue;
    if (!known.some((flag) => flag.name === name))
      throw new ToolError("USAGE", `pack for ${framework}: it has no --${name}`);
    values[name] = value;
  }
  return values;
}

/** @throws ToolError `USAGE`. */
export function frameworkOf(text: string | undefined): TrainFramework {
  const found =
    TRAIN_FRAMEWORKS.find((framework) => framework === text?.toLowerCase()) ??
    (text?.toLowerCase() === "tensorflow" ? "tf" : undefined);
  if (found !== undefined) return found;
  throw new ToolError(
    "USAGE",
    text === undefined
      ? "train pack: --framework is missing"
      : `train pack: there is no framework "${text}"`,
    { hint: `it is one of ${TRAIN_FRAMEWORKS.join(", ")}` },
  );
}

function helpOf(flag: TrainFlag, framework: TrainFramework | undefined): string {
  const only =
    framework === undefined && flag.frameworks.length < 3 ? `${flag.frameworks.join(", ")}: ` : "";
  return `${only}${flag.help}`;
}
