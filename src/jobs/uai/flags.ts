import { FRAMEWORKS, type UaiFramework } from "./contracts.ts";

/** What is packed, where it goes, what it stands on, or the account of the vendor's API. */
type UaiFlagGroup = "packed" | "goes" | "stands" | "vendor";

/** One flag of `packdocker`, as `--name value`. */
export interface UaiFlag {
  readonly name: string;
  /** What the flag is about. */
  readonly group: UaiFlagGroup;
  readonly frameworks: readonly UaiFramework[];
  readonly isRequired: boolean;
  readonly defaultValue?: string;
  readonly choices?: readonly string[];
  readonly help: string;
}

const NAMED: readonly UaiFramework[] = FRAMEWORKS.filter((framework) => framework !== "self");
const WITH_NAME: readonly UaiFramework[] = NAMED.filter((framework) => framework !== "tf");

/** Every flag of the old documents and of the old code. What was needed for the vendor's service is taken and no longer needed. */
const UAI_FLAGS: readonly UaiFlag[] = [
  {
    name: "public_key",
    group: "vendor",
    frameworks: NAMED,
    isRequired: false,
    help: "account's public key; better: SLIPWAY_VENDOR_PUBLIC_KEY",
  },
  {
    name: "private_key",
    group: "vendor",
    frameworks: NAMED,
    isRequired: false,
    help: "account's private key; better: SLIPWAY_VENDOR_PRIVATE_KEY",
  },
  {
    name: "project_id",
    group: "vendor",
    frameworks: NAMED,
    isRequired: false,
    help: "project of the account",
  },
  {
    name: "region",
    group: "vendor",
    frameworks: NAMED,
    isRequired: false,
    help: "region (default: cn-bj2)",
  },
  {
    name: "zone",
    group: "vendor",
    frameworks: NAMED,
    isRequired: false,
    help: "zone (default: cn-bj2-04)",
  },
  {
    name: "os",
    group: "vendor",
    frameworks: NAMED,
    isRequired: false,
    help: "operating system of the base (default: ubuntu)",
  },
  {
    name: "python_version",
    group: "vendor",
    frameworks: NAMED,
    isRequired: false,
    help: "Python of the base (default: python-2.7.6)",
  },
  {
    name: "ai_arch_v",
    group: "stands",
    frameworks: NAMED,
    isRequired: false,
    help: "framework and version, such as tensorflow-2.19.0 (default: the newest known)",
  },
  {
    name: "uhub_username",
    group: "goes",
    frameworks: FRAMEWORKS,
    isRequired: false,
    help: "account of the registry (default: what `slipway login` keeps)",
  },
  {
    name: "uhub_password",
    group: "goes",
    frameworks: FRAMEWORKS,
    isRequired: false,
    help: "password of the account; better: slipway login, or --password-stdin",
  },
  {
    name: "uhub_registry",
    group: "goes",
    frameworks: FRAMEWORKS,
    isRequired: true,
    help: "namespace in the registry, or HOST/NAMESPACE for any registry",
  },
  {
    name: "uhub_imagename",
    group: "goes",
    frameworks: FRAMEWORKS,
    isRequired: true,
    help: "name of the image with its tag, such as test:v1.1",
  },
  {
    name: "in_uhost",
    group: "goes",
    frameworks: FRAMEWORKS,
    isRequired: false,
    choices: ["yes", "no"],
    help: "use the registry's address inside the vendor's network",
  },
  {
    name: "in_host",
    group: "goes",
    frameworks: FRAMEWORKS,
    isRequired: false,
    choices: ["yes", "no"],
    help: "the same as --in_uhost",
  },
  {
    name: "pack_file_path",
    group: "packed",
    frameworks: FRAMEWORKS,
    isRequired: true,
    help: "folder with code and model files",
  },
  {
    name: "bimg_name",
    group: "stands",
    frameworks: FRAMEWORKS,
    isRequired: false,
    help: "base image, with its tag; it has the framework",
  },
  {
    name: "conf_file",
    group: "packed",
    frameworks: ["self"],
    isRequired: true,
    help: "configuration file",
  },
  {
    name: "main_module",
    group: "packed",
    frameworks: NAMED,
    isRequired: true,
    help: "Python module of the main class, without .py",
  },
  {
    name: "main_class",
    group: "packed",
    frameworks: NAMED,
    isRequired: true,
    help: "the main class",
  },
  {
    name: "model_dir",
    group: "packed",
    frameworks: NAMED,
    isRequired: true,
    help: "folder of the model files, relative to --pack_file_path",
  },
  {
    name: "model_name",
    group: "packed",
    frameworks: WITH_NAME,
    isRequired: true,
    help: "name of the model files without their endings",
  },
  {
    name: "all_one_file",
    group: "packed",
    frameworks: ["keras"],
    isRequired: false,
    defaultValue: "false",
    choices: ["true", "false"],
    help: "architecture and weights are in one file",
  },
  {
    name: "model_arch_type",
    group: "packed",
    frameworks: ["keras"],
    isRequired: false,
    defaultValue: "json",
    help: "ending of the architecture's file (default: json)",
  },
  {
    name: "num_epoch",
    group: "packed",
    frameworks: ["mxnet"],
    isRequired: true,
    help: "epoch of the checkpoint",
  },
];

/** Flags of other frameworks that one takes and has no use for. `self` takes none. */
export function strayFlagsOf(framework: UaiFramework): readonly UaiFlag[] {
  return framework === "self"
    ? []
    : UAI_FLAGS.filter(
        ({ name, frameworks }) => name !== "conf_file" && !frameworks.includes(framework),
      );
}

/** The flags of one mode. `self` cannot do without a base image. */
export function uaiFlagsOf(framework: UaiFramework): readonly UaiFlag[] {
  const own = UAI_FLAGS.filter(({ frameworks }) => frameworks.includes(framework));
  return framework === "self"
    ? own.map((flag) => (flag.name === "bimg_name" ? { ...flag, isRequired: true } : flag))
    : own;
}
