import { ToolError } from "../../ground/errors/index.ts";
import {
  FRAMEWORKS,
  flagsOf,
  TRAIN_FLAGS,
  type Framework,
  type TrainFlag,
} from "../../jobs/train/index.ts";
import { CATALOGUE_NOTE, catalogueOption } from "../options/catalogue-option.ts";
import {
  always,
  choice,
  flag,
  negated,
  oldFlag,
  text,
  texts,
  valuesByName,
} from "../options/kinds.ts";
import { ENGINE_NEED, RESOLVER } from "../options/needs.ts";
import type { CommandSpec, Need, NoRequest, Option, Options } from "../options/option.ts";
import { oldToolOptions, type OldToolWords } from "../options/old-tool-options.ts";
import type { TrainPackRequest } from "./train-request.ts";

/** Training images to make, or only to plan. */
export interface TrainPackWords extends OldToolWords, Omit<TrainPackRequest, "password"> {}

const NEEDS: readonly Need[] = [
  RESOLVER,
  { ...ENGINE_NEED, what: "loads the CPU image for a local test; --engine none does without" },
];

/** `slipway train`. */
export const TRAIN_COMMAND: CommandSpec<NoRequest> = {
  options: {},
  examples: ["slipway train pack --framework pytorch --help"],
  unfinished: {
    problem: "train: it does not say what to do",
    hint: "write `slipway train pack --framework pytorch …`",
  },
};

/** `slipway train pack`. */
export const TRAIN_PACK_COMMAND: CommandSpec<TrainPackWords> = {
  options: {
    framework: {
      flags: [{ form: "--framework <name>", help: "pytorch, tf, keras, caffe, mxnet or self" }],
      read: ([given = []]) => parseFramework(given.at(-1)),
    },
    ...packOptions(),
    catalogue: catalogueOption(),
  },
  needs: NEEDS,
  registry: { sends: true },
  notes: [CATALOGUE_NOTE],
  examples: [
    "slipway train pack --framework pytorch --ai_arch_v pytorch-2.6.0 --code_path ./code --mainfile_path mnist.py \\\n    --uhub_registry registry.example.com/team --uhub_imagename mnist --test_data_path ./data --test_output_path ./output",
  ],
};

/** `slipway pytorch` and its siblings: the old tools' own spelling. */
export function oldTrainCommand(framework: Framework): CommandSpec<NoRequest> {
  return {
    options: {},
    examples: [`slipway ${framework} pack --help`],
    unfinished: {
      problem: `${framework}: it does not say what to do`,
      hint: `write \`slipway ${framework} pack …\``,
    },
  };
}

/** `slipway pytorch pack` and its siblings. */
export function oldTrainPackCommand(framework: Framework): CommandSpec<TrainPackWords> {
  const isNamed = framework !== "self";
  return {
    options: {
      framework: always(framework),
      ...packOptions(framework),
      ...(isNamed && { catalogue: catalogueOption() }),
    },
    needs: NEEDS,
    registry: { sends: true },
    notes: [
      ...(isNamed ? [CATALOGUE_NOTE] : []),
      `The same as \`slipway train pack --framework ${framework}\`.`,
    ],
    examples: [`slipway ${framework} pack --code_path ./code/ --mainfile_path train.py …`],
  };
}

/** The old flags of a framework, or of all, and the new ones. */
function packOptions(
  framework?: Framework,
): Omit<Options<TrainPackWords>, "framework" | "catalogue"> {
  return {
    values: oldValues(framework),
    base: text(
      "--base <image>",
      "base image in place of the known one; the framework's wheels go on top when --ai_arch_v names one",
    ),
    gpuBase: text("--gpu-base <image>", "another base for the GPU image"),
    isExporter: flag(
      "--exporter",
      "pack Slipway's exporter of detection models in place of code: no --code_path, --mainfile_path and --self_img are needed",
    ),
    hasFolderFlags: negated(
      "--no-folder-flags",
      "keep --work_dir, --data_dir, --output_dir and --log_dir out of the commands: for programs that refuse flags which they do not know",
    ),
    requirements: texts(
      "--requirements <file>",
      "Python packages for both images; may come more than once (default: requirements.txt of the code folder)",
    ),
    isCpuPushed: flag("--push-cpu", "push the CPU image too: REGISTRY/NAME-cpu:TAG"),
    engine: choice(
      "--engine <name>",
      "load the CPU image into this engine (default: the one that answers)",
      ["auto", "docker", "podman", "none"],
      { byDefault: "auto" },
    ),
    gpu: text(
      "--gpu <card>",
      "card that shall train, such as V100, sm_86 or 9.0: checked against the framework's CUDA",
    ),
    driver: text("--driver <version>", "its driver, checked too"),
    ...oldToolOptions({
      push: "push nothing",
      apt: "Debian packages for both images, with commas between them",
      dryRun: "check everything, show the plan and the commands, make nothing",
    }),
  };
}

function oldValues(framework: Framework | undefined): Option<TrainPackRequest["values"]> {
  return valuesByName(
    (framework === undefined ? TRAIN_FLAGS : flagsOf(framework)).map((one) =>
      oldFlag(one.name, helpOf(one, framework)),
    ),
  );
}

function helpOf(one: TrainFlag, framework: Framework | undefined): string {
  const isOfFew = framework === undefined && one.frameworks.length < 3;
  return isOfFew ? `${one.frameworks.join(", ")}: ${one.help}` : one.help;
}

function parseFramework(name: string | undefined): Framework {
  const found =
    FRAMEWORKS.find((framework) => framework === name?.toLowerCase()) ??
    (name?.toLowerCase() === "tensorflow" ? "tf" : undefined);
  if (found !== undefined) return found;
  throw new ToolError(
    "USAGE",
    name === undefined
      ? "train pack: --framework is missing"
      : `train pack: there is no framework "${name}"`,
    { hint: `it is one of ${FRAMEWORKS.join(", ")}` },
  );
}
