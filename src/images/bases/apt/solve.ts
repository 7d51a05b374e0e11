import { basename } from "node:path";
import { ProcessError, stripControls, ToolError } from "../../../ground/errors/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import type { DebianPackage, InstalledPackage } from "../contracts.ts";
import type { IndexFolder } from "./index-folder.ts";
import { nearestNames } from "./nearest.ts";

export interface SolveRequest extends CallOptions {
  /** `name` or `name=version`. */
  readonly names: readonly string[];
  readonly installed: readonly InstalledPackage[];
}

const NAME = /^[a-z0-9][a-z0-9+.-]*[a-z0-9+.](=[A-Za-z0-9.+:~-]+)?$/;
const URI_LINE = /^'([^']+)' (\S+)_(\S+)_([a-z0-9-]+)\.deb (\d+) SHA256:([0-9a-f]{64})$/;

/**
 * Checks names before they become apt's arguments, where a trailing `-` would mean removal and a leading one an option.
 * @throws ToolError `USAGE` naming the first that is none.
 */
export function checkPackageNames(names: readonly string[]): void {
  const wrong = names.find((name) => !NAME.test(name));
  if (wrong !== undefined) {
    throw new ToolError(
      "USAGE",
      `choose Debian packages: "${stripControls(wrong)}" is not the name of a package`,
      { hint: "write names as apt does: python3, or python3=3.11.2-1" },
    );
  }
}

/**
 * Asks apt what has to be unpacked so that `names` work beside what is installed.
 * @returns packages sorted by name, each with the hash that the signed index gives.
 * @throws ToolError `PACKAGE_UNAVAILABLE` naming what does not exist, with near names, or what cannot go together.
 */
export async function solve(
  folder: IndexFolder,
  request: SolveRequest,
): Promise<readonly DebianPackage[]> {
  checkPackageNames(request.names);
  const known = await knownStanzas(folder, request);
  const status = await folder.keepStatus(
    renderStatus(request.installed, { architecture: folder.architecture, known }),
  );
  const command = [
    "apt-get",
    "-q",
    "-o",
    `Dir::State::Status=${status}`,
    "install",
    "--print-uris",
    "-y",
    "--",
    ...request.names,
  ] as const;
  try {
    const { stdout } = await folder.apt(command, request);
    return parseUris(stdout.toString("utf8"));
  } catch (error) {
    throw await explain(error, folder, request);
  }
}

/**
 * A dpkg status file in which exactly these packages are installed. Where the index knows a package in that version its
 * own words are used: apt would take others for another build of the version, and replace it.
 */
export function renderStatus(
  installed: readonly InstalledPackage[],
  {
    architecture,
    known,
  }: { readonly architecture: string; readonly known: ReadonlyMap<string, string> },
): string {
  return installed
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ name, version, architecture: own, provides }) => {
      const head = [`Package: ${name}`, "Status: install ok installed"];
      const stanza = known.get(`${name}=${version}`);
      if (stanza !== undefined) return [...head, stanza, ""].join("\n");
      const rest = [
        `Version: ${version}`,
        `Architecture: ${own === "all" ? "all" : architecture}`,
        "Maintainer: none <none@localhost>",
      ];
      return [
        ...head,
        ...rest,
        ...(provides === undefined || provides === "" ? [] : [`Provides: ${provides}`]),
        "Description: there already",
        "",
      ].join("\n");
    })
    .join("\n");
}

/** What the index says of packages that are installed: by `name=version`, without the first line and without what is said of the file. */
async function knownStanzas(
  folder: IndexFolder,
  { installed, signal }: SolveRequest,
): Promise<ReadonlyMap<string, string>> {
  const wanted = installed.map(({ name, version }) => `${name}=${version}`);
  if (wanted.length === 0) return new Map();
  // apt reports packages that the index does not have on standard error, with a bad exit code.
  const { stdout } = await folder.apt(["apt-cache", "show", "--", ...wanted], {
    signal,
    allowFailure: true,
  });
  const stanzas = stdout
    .toString("utf8")
    .split(/\n\n+/)
    .map((text) => {
      const lines = text
        .split("\n")
        .filter((line) => !/^(Package|Filename|Size|MD5sum|SHA\d+|Status):/.test(line));
      const value = (name: string): string =>
        new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1] ?? "";
      return [`${value("Package")}=${value("Version")}`, lines.join("\n")] as const;
    });
  return new Map(stanzas);
}

/** Reads the addresses that `apt-get --print-uris` prints. Lines of other forms are talk. */
export function parseUris(text: string): readonly DebianPackage[] {
  const packages = text.split("\n").flatMap((line) => {
    if (!line.startsWith("'")) return [];
    const [, url, name, version, architecture, size, sha256] = URI_LINE.exec(line) ?? [];
    if (
      url === undefined ||
      name === undefined ||
      version === undefined ||
      architecture === undefined ||
      size === undefined ||
      sha256 === undefined
    ) {
      throw new ToolError(
        "MIRROR_UNTRUSTED",
        `read what apt chose: no SHA-256 for "${stripControls(basename(line.split("'")[1] ?? line))}"`,
      );
    }
    return [
      { name, version: decodeURIComponent(version), architecture, size: Number(size), sha256, url },
    ];
  });
  return packages.sort((one, other) => (one.name < other.name ? -1 : 1));
}

async function explain(
  error: unknown,
  folder: IndexFolder,
  request: SolveRequest,
): Promise<unknown> {
  if (!(error instanceof ProcessError)) return error;
  const unknown = /^E: Unable to locate package (\S+)/m.exec(error.stderrTail)?.[1];
  const version = /^E: Version '([^']+)' for '([^']+)' was not found/m.exec(error.stderrTail);
  const virtual = /^E: Package '([^']+)' has no installation candidate/m.exec(
    error.stderrTail,
  )?.[1];
  const missing = unknown ?? virtual;
  if (missing !== undefined) {
    const { stdout } = await folder.apt(["apt-cache", "pkgnames"], { signal: request.signal });
    const near = nearestNames(missing, stdout.toString("utf8").split("\n"));
    return new ToolError(
      "PACKAGE_UNAVAILABLE",
      `choose Debian packages: there is no package "${missing}" for ${folder.architecture}`,
      {
        cause: error,
        hint:
          near.length === 0
            ? "look the name up on packages.debian.org"
            : `did you mean ${near.join(", ")}?`,
      },
    );
  }
  if (version !== null) {
    return new ToolError(
      "PACKAGE_UNAVAILABLE",
      `choose Debian packages: "${version[2]}" is not there in version ${version[1]}`,
      { cause: error, hint: "leave the version away, or use a snapshot" },
    );
  }
  const reason = /^E: (.*)/m.exec(error.stderrTail)?.[1];
  if (reason === undefined) return error;
  return new ToolError("PACKAGE_UNAVAILABLE", `choose Debian packages: ${stripControls(reason)}`, {
    cause: error,
    hint: `asked for: ${request.names.join(" ")}`,
  });
}
