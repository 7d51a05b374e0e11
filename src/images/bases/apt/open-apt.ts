import { createHash } from "node:crypto";
import { access, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ToolError } from "../../../ground/errors/index.ts";
import { type CallOptions } from "../../../ground/bytes/index.ts";
import { writeFileAtomic } from "../../../ground/process/index.ts";
import type { AptOptions, DebianPackage, InstalledPackage } from "../contracts.ts";
import { downloadPackages } from "./download.ts";
import { explainFetch, isUnreachable } from "./explain.ts";
import { readAptHost, type AptHost } from "./host.ts";
import { openIndexFolder, type IndexFolder } from "./index-folder.ts";
import { solve } from "./solve.ts";
import { chooseSources, type AptSource } from "./sources.ts";

/** The host's apt with a state of our own, for one suite and one architecture. */
export interface Apt {
  readonly suite: string;
  readonly architecture: string;
  /**
   * What must be unpacked beside `installed` so that `names` work, sorted by name. Refreshes the index when it is old.
   * @throws ToolError `PACKAGE_UNAVAILABLE`, `MIRROR_UNREACHABLE`, `MIRROR_UNTRUSTED`.
   */
  solve(
    names: readonly string[],
    installed: readonly InstalledPackage[],
    options?: CallOptions,
  ): Promise<readonly DebianPackage[]>;
  /** Brings the packages into the cache. */
  download(packages: readonly DebianPackage[], options?: CallOptions): Promise<void>;
}

/** What every `Apt` of one call shares. */
export interface AptPlace {
  readonly suite: string;
  readonly host: AptHost;
  readonly sources: readonly AptSource[];
  readonly keyring: string;
}

const DEFAULT_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const HOUR_MS = 3_600_000;

/** Decides where packages come from. @throws ToolError `TOOL_MISSING` off Debian, `USAGE` for a wrong suite or mirror. */
export async function openAptPlace(options: AptOptions): Promise<AptPlace> {
  const host = await readAptHost(options);
  const keyring = options.keyring ?? DEFAULT_KEYRING;
  await access(keyring).catch((error: unknown) => {
    throw new ToolError(
      "TOOL_MISSING",
      `make a Debian base: the key ring "${keyring}" is not on this machine`,
      { cause: error, hint: "install the package debian-archive-keyring" },
    );
  });
  const { suite, sources } = chooseSources({
    suite: options.suite,
    mirror: options.mirror,
    snapshot: options.snapshot,
    host: host.targets,
  });
  // Release files of a snapshot have run out by design; their signature is still checked.
  const network =
    options.snapshot === undefined
      ? host.network
      : [...host.network, 'Acquire::Check-Valid-Until "false";'];
  return { suite, host: { ...host, network }, sources, keyring };
}

/** Opens apt for one architecture. */
export async function openApt(
  place: AptPlace,
  architecture: DebianPackage["architecture"],
  options: AptOptions,
): Promise<Apt> {
  const folder = await openIndexFolder({
    cacheDir: options.cacheDir,
    architecture,
    sources: place.sources,
    keyring: place.keyring,
    host: place.host,
  });
  return {
    suite: place.suite,
    architecture,
    async solve(names, installed, call = {}) {
      await refresh(folder, place, { ...options, ...call });
      const key = createHash("sha256")
        .update(
          JSON.stringify([
            "solution-2",
            await folder.fingerprint(),
            architecture,
            names,
            installed,
          ]),
        )
        .digest("hex");
      const path = join(options.cacheDir, "debian", "solutions", `${key}.json`);
      const kept = await readSolution(path);
      if (kept !== undefined) return kept;
      const packages = await solve(folder, { ...call, names, installed });
      await writeFileAtomic(path, JSON.stringify(packages));
      return packages;
    },
    async download(packages, call = {}) {
      await mkdir(join(options.cacheDir, "debian"), { recursive: true });
      try {
        await downloadPackages(folder, {
          ...call,
          cacheDir: options.cacheDir,
          host: place.host,
          packages,
        });
      } catch (error) {
        throw explainFetch(error, "download Debian packages", place.sources);
      }
    },
  };
}

async function refresh(folder: IndexFolder, place: AptPlace, options: AptOptions): Promise<void> {
  const updatedAtMs = await folder.updatedAtMs();
  const ageMs =
    updatedAtMs === undefined || options.now === undefined
      ? Number.POSITIVE_INFINITY
      : options.now() - updatedAtMs;
  if (ageMs < (options.maxIndexAgeMs ?? HOUR_MS)) return;
  try {
    await folder.apt(["apt-get", "-q", "update"], options);
    await folder.markUpdated();
  } catch (error) {
    const explained = explainFetch(error, "read the package index", place.sources);
    if (updatedAtMs === undefined || !isUnreachable(explained)) throw explained;
    options.onWarning?.(
      "the Debian mirror does not answer; the package index of the last run is used",
    );
  }
}

/** The cache is ours, but a file cut short must not become a base without packages. */
async function readSolution(path: string): Promise<readonly DebianPackage[] | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    return Array.isArray(value) ? (value as readonly DebianPackage[]) : undefined;
  } catch {
    // Not there, or not JSON: apt is asked again.
    return undefined;
  }
}
