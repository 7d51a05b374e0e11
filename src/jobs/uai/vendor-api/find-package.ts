import type { EnvironmentPackage, PackageType } from "./contracts.ts";

const VERSIONED: readonly PackageType[] = ["OS", "Python", "AIFrame"];

/**
 * The package that a name such as `tensorflow-1.1.0` means: for systems, Pythons and frameworks the part after the last hyphen is the
 * version, which a package without one fits too; without a hyphen the first of that name. Other kinds are found by their whole name.
 */
export function findPackage(
  packages: readonly EnvironmentPackage[],
  type: PackageType,
  wanted: string,
): EnvironmentPackage | undefined {
  const hyphen = VERSIONED.includes(type) ? wanted.lastIndexOf("-") : -1;
  if (hyphen < 0) return packages.find(({ name }) => name === wanted);
  const [name, version] = [wanted.slice(0, hyphen), wanted.slice(hyphen + 1)];
  return packages.find(
    (entry) => entry.name === name && (entry.version === version || entry.version === ""),
  );
}
