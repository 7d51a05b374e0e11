import { FRAMEWORKS, type Framework } from "./contracts.ts";

/** One flag of the old tools' `pack`, as `--name value`. */
export interface TrainFlag {
  readonly name: string;
  /** Where it exists. */
  readonly frameworks: readonly Framework[];
  readonly isRequired: boolean;
  readonly defaultValue?: string;
  readonly choices?: readonly string[];
  /** Its value may be shown nowhere. */
  readonly isSecret?: boolean;
  readonly help: string;
}

const NAMED: readonly Framework[] = FRAMEWORKS.filter((framework) => framework !== "self");

/** Name of a tag where none is given. */
export const DEFAULT_TAG = "uaitrain";

/**
 * Flags of the old training tools with their defaults. What they needed for the vendor's service (keys, project, account) is taken and no
 * longer needed; a base of the user's own takes the place of `ai_arch_v`.
 */
export const TRAIN_FLAGS: readonly TrainFlag[] = [
  {
    name: "public_key",
    frameworks: FRAMEWORKS,
    isRequired: false,
    isSecret: true,
    help: "account's public key; no longer needed",
  },
  {
    name: "private_key",
    frameworks: FRAMEWORKS,
    isRequired: false,
    isSecret: true,
    help: "account's private key; no longer needed",
  },
  {
    name: "project_id",
    frameworks: NAMED,
    isRequired: false,
    defaultValue: "",
    help: "project; no longer needed",
  },
  {
    name: "region",
    frameworks: NAMED,
    isRequired: false,
    defaultValue: "cn-bj2",
    help: "region; no longer needed",
  },
  {
    name: "zone",
    frameworks: NAMED,
    isRequired: false,
    defaultValue: "cn-bj2-04",
    help: "zone; no longer needed",
  },
  {
    name: "os",
    frameworks: NAMED,
    isRequired: false,
    help: "operating system, such as ubuntu-14.04.05 or debian-12",
  },
  {
    name: "python_version",
    frameworks: NAMED,
    isRequired: false,
    help: "Python, such as python-3.12",
  },
  {
    name: "ai_arch_v",
    frameworks: NAMED,
    isRequired: true,
    help: "framework and version, such as pytorch-2.6.0 or tensorflow-2.19.0",
  },
  {
    name: "acc_type",
    frameworks: FRAMEWORKS,
    isRequired: false,
    defaultValue: "gpu",
    help: "gpu (default) or cpu, in any case",
  },
  {
    name: "uhub_username",
    frameworks: FRAMEWORKS,
    isRequired: false,
    help: "account of the registry (default: what `slipway login` keeps)",
  },
  {
    name: "uhub_password",
    frameworks: FRAMEWORKS,
    isRequired: false,
    isSecret: true,
    help: "password of the account; better: slipway login, or --password-stdin",
  },
  {
    name: "uhub_registry",
    frameworks: FRAMEWORKS,
    isRequired: true,
    help: "namespace in the registry, or HOST/NAMESPACE for any registry",
  },
  {
    name: "uhub_imagename",
    frameworks: FRAMEWORKS,
    isRequired: true,
    help: "name of the image, without a tag",
  },
  {
    name: "uhub_imagetag",
    frameworks: FRAMEWORKS,
    isRequired: false,
    defaultValue: DEFAULT_TAG,
    help: `tag of the image (default: ${DEFAULT_TAG})`,
  },
  {
    name: "internal_uhub",
    frameworks: FRAMEWORKS,
    isRequired: false,
    defaultValue: "false",
    choices: ["true", "false"],
    help: "use the registry's address inside the vendor's network",
  },
  {
    name: "code_path",
    frameworks: FRAMEWORKS,
    isRequired: true,
    help: "folder with all the code; not needed where your own image has the main file",
  },
  {
    name: "mainfile_path",
    frameworks: FRAMEWORKS,
    isRequired: true,
    help: "main file, relative to the code folder: Python or a shell script; or '-m package.module'; or a path of your own image, such as /data/train.py",
  },
  {
    name: "train_params",
    frameworks: FRAMEWORKS,
    isRequired: false,
    defaultValue: "",
    help: "parameters of the main file, quoted as for a shell",
  },
  {
    name: "test_data_path",
    frameworks: FRAMEWORKS,
    isRequired: true,
    help: "folder of this machine with data for a local test",
  },
  {
    name: "test_output_path",
    frameworks: FRAMEWORKS,
    isRequired: true,
    help: "folder of this machine for what a local test writes",
  },
  {
    name: "solver",
    frameworks: ["caffe"],
    isRequired: true,
    help: "solver file, relative to the code folder",
  },
  {
    name: "snapshot",
    frameworks: ["caffe"],
    isRequired: false,
    help: "solver state to go on from",
  },
  { name: "self_img", frameworks: ["self"], isRequired: true, help: "your own base image" },
  {
    name: "num_gpus",
    frameworks: FRAMEWORKS,
    isRequired: false,
    help: "graphics cards that the GPU command asks for",
  },
  {
    name: "bimg_name",
    frameworks: FRAMEWORKS,
    isRequired: false,
    help: "your own base image for both images, taken as it is: it has the framework",
  },
];

/** The flags of one framework. */
export function flagsOf(framework: Framework): readonly TrainFlag[] {
  return TRAIN_FLAGS.filter(({ frameworks }) => frameworks.includes(framework));
}
