import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ToolError } from "../../../ground/errors/index.ts";
import { type CallOptions } from "../../../ground/bytes/index.ts";
import { noFile, run, writeFileAtomic, type RunResult } from "../../../ground/process/index.ts";
import type { AptHost } from "./host.ts";
import { renderSources, type AptSource } from "./sources.ts";

export interface IndexFolderOptions {
  readonly cacheDir: string;
  readonly architecture: string;
  readonly sources: readonly AptSource[];
  readonly keyring: string;
  readonly host: AptHost;
}

/** A private apt state for one architecture and one set of sources. Shared by processes: every apt run holds its lock. */
export interface IndexFolder {
  readonly architecture: string;
  /** Runs an apt program against this state. */
  apt(
    command: readonly [string, ...string[]],
    options?: CallOptions & { readonly allowFailure?: boolean },
  ): Promise<RunResult>;
  /** Keeps a status file of what counts as installed. @returns its path, the same for the same text. */
  keepStatus(text: string): Promise<string>;
  /** Milliseconds since the epoch of the last good refresh, or `undefined`. */
  updatedAtMs(): Promise<number | undefined>;
  markUpdated(): Promise<void>;
  /** Changes when any index does: sha256 over the signed release files. */
  fingerprint(): Promise<string>;
}

const LOCK_WAIT_S = 120;

/** Opens, and makes on first use, the private state. Nothing is fetched. */
export async function openIndexFolder(options: IndexFolderOptions): Promise<IndexFolder> {
  const { architecture, host } = options;
  checkPath(options.cacheDir);
  const sources = renderSources(options.sources, { architecture, keyring: options.keyring });
  const key = createHash("sha256")
    .update(JSON.stringify(["apt-1", architecture, sources, host.network]))
    .digest("hex")
    .slice(0, 16);
  const root = join(options.cacheDir, "debian", "index", key);
  await mkdir(join(root, "lists", "partial"), { recursive: true });
  await mkdir(join(root, "archives", "partial"), { recursive: true });
  await writeFileAtomic(join(root, "debian.sources"), sources);
  // Proxy settings may hold a password.
  await writeFileAtomic(join(root, "apt.conf"), configuration(root, options), { mode: 0o600 });
  await writeFileAtomic(join(root, "status"), "");
  const stamp = join(root, "updated");
  return {
    architecture,
    apt: ([program, ...args], call = {}) =>
      run(
        [
          "env",
          `APT_CONFIG=${join(root, "apt.conf")}`,
          "LC_ALL=C.UTF-8",
          "flock",
          "-w",
          String(LOCK_WAIT_S),
          join(root, "lock"),
          program,
          ...args,
        ],
        call,
      ),
    keepStatus: (text) => keepStatus(root, text),
    updatedAtMs: async () => (await stat(stamp).catch(noFile))?.mtimeMs,
    markUpdated: () => writeFileAtomic(stamp, ""),
    fingerprint: () => fingerprint(join(root, "lists")),
  };
}

function configuration(root: string, { architecture, host }: IndexFolderOptions): string {
  const none = join(root, "archives", "partial");
  return [
    ...host.network,
    ...["Parts", "PreferencesParts", "SourceParts", "TrustedParts"].map(
      (name) => `Dir::Etc::${name} "${none}";`,
    ),
    ...["Main", "Preferences", "Trusted"].map((name) => `Dir::Etc::${name} "/dev/null";`),
    `Dir::Etc::SourceList "${join(root, "debian.sources")}";`,
    `Dir::State "${root}";`,
    `Dir::State::Lists "${join(root, "lists")}";`,
    `Dir::State::Status "${join(root, "status")}";`,
    `Dir::Cache "${root}";`,
    `Dir::Log "${root}";`,
    // The cache over the lists alone serves every status file; the one over both would be rebuilt for each.
    'Dir::Cache::PkgCache "";',
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    'APT::Install-Recommends "false";',
    'APT::Cmd::Pattern-Only "true";',
    'APT::Update::Error-Mode "any";',
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    'Acquire::PDiffs "false";',
    'Acquire::ForceHash "sha256";',
    "",
  ].join("\n");
}

async function keepStatus(root: string, text: string): Promise<string> {
  const path = join(root, `status-${createHash("sha256").update(text).digest("hex").slice(0, 16)}`);
  if ((await readFile(path, "utf8").catch(noFile)) !== text) await writeFileAtomic(path, text);
  return path;
}

async function fingerprint(lists: string): Promise<string> {
  const names = (await readdir(lists)).filter((name) => /_(In)?Release$/.test(name)).sort();
  if (names.length === 0) throw new Error("no index was fetched");
  const hash = createHash("sha256");
  for (const name of names) hash.update(`${name}\0`).update(await readFile(join(lists, name)));
  return hash.digest("hex");
}

/** The folder's name goes into apt's configuration file, where quotes, backslashes and line ends mean something. */
function checkPath(path: string): void {
  // oxlint-disable-next-line no-control-regex
  if (/["\\\x00-\x1f]/.test(path)) {
    throw new ToolError(
      "USAGE",
      `make a Debian base: the cache folder "${path}" has a name that apt cannot take`,
      { hint: "choose another with XDG_CACHE_HOME" },
    );
  }
}
