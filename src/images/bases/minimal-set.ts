import type { InstalledPackage } from "./contracts.ts";

/** What every base has: names, certificates, time zones, and what a Node or wheel binary links against. */
export const MINIMAL_PACKAGES: readonly string[] = [
  "base-files",
  "ca-certificates",
  "libc-bin",
  "libc6",
  "libgcc-s1",
  "libstdc++6",
  "netbase",
  "tzdata",
];

/**
 * Packages that others depend on only for their maintainer scripts, which are not run. apt is told that they are there.
 * One that is asked for by name is installed all the same.
 */
const FOR_SCRIPTS: Readonly<Record<string, string>> = {
  adduser: "",
  "base-passwd": "",
  debconf: "debconf-2.0",
  debianutils: "",
  dpkg: "",
  "init-system-helpers": "",
  "install-info": "",
  mawk: "awk",
  openssl: "",
  passwd: "",
  "perl-base": "perlapi-5.36.0, perlapi-5.40.0",
  "sensible-utils": "",
  tar: "",
  ucf: "",
  "usr-is-merged": "",
};

/** Newer than any version that a dependency asks for. */
const VERSION = "99:0";

/** What apt is told to take for granted, given what the user asked for by name. */
export function assumedPackages(
  architecture: string,
  wanted: readonly string[],
): readonly InstalledPackage[] {
  const named = new Set(wanted.map((name) => name.split("=")[0]));
  return Object.entries(FOR_SCRIPTS)
    .filter(([name]) => !named.has(name))
    .map(([name, provides]) => ({ name, version: VERSION, architecture, provides }));
}
