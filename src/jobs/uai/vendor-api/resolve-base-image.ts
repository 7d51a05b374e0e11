import { bound, ToolError } from "../../../ground/errors/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import type { EnvironmentPackage, PackageType, VendorApi } from "./contracts.ts";
import { findPackage } from "./find-package.ts";

/** What an image must have, as the flags write it. */
export interface WantedEnvironment {
  /** Default `ubuntu`. */
  readonly os?: string | undefined;
  /** Default `python-2.7.6`. */
  readonly python?: string | undefined;
  /** Such as `tensorflow-1.1.0`. */
  readonly framework: string;
}

const FLAGS = { OS: "os", Python: "python_version", AIFrame: "ai_arch_v" } as const;

/**
 * The vendor's image for an environment: names to ids, then the first image that has them all. Its registry host is as the vendor wrote it;
 * `switchRegistryHost` chooses the other.
 * @throws ToolError `PACKAGE_UNAVAILABLE` naming every package that is not offered; `BASE_UNSUITABLE` when no image has them all; what the API's calls throw.
 */
export async function resolveBaseImage(
  api: VendorApi,
  wanted: WantedEnvironment,
  options: CallOptions = {},
): Promise<string> {
  const names = {
    OS: wanted.os || "ubuntu",
    Python: wanted.python || "python-2.7.6",
    AIFrame: wanted.framework,
  };
  const problems: string[] = [];
  const idOf = async (type: keyof typeof FLAGS): Promise<string> => {
    const packages = await api.listPackages(type, options);
    const found = findPackage(packages, type, names[type]);
    if (found === undefined)
      problems.push(
        `--${FLAGS[type]}: "${names[type]}" is not offered; offered are ${packageNames(packages, type)}`,
      );
    return found?.id ?? "";
  };
  const query = {
    os: await idOf("OS"),
    python: await idOf("Python"),
    framework: await idOf("AIFrame"),
  };
  if (problems.length > 0) {
    throw new ToolError(
      "PACKAGE_UNAVAILABLE",
      `find the vendor's base image: ${problems.join("; ")}`,
      { hint: "name one of those, or an image of your own with --bimg_name" },
    );
  }
  const [image] = await api.findBaseImages(query, options);
  if (image === undefined) {
    throw new ToolError(
      "BASE_UNSUITABLE",
      `find the vendor's base image: none has "${names.OS}", "${names.Python}" and "${names.AIFrame}" together`,
      {
        hint: "try another --os or --python_version, or name an image of your own with --bimg_name",
      },
    );
  }
  return image;
}

function packageNames(packages: readonly EnvironmentPackage[], type: PackageType): string {
  const names = packages.map(({ name, version }) => (version === "" ? name : `${name}-${version}`));
  return bound(names.join(", ") || `no ${type} package`, 1000);
}
