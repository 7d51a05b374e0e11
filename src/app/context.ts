import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import type { RegistryAccess } from "./places/registry-access.ts";
import type { Reporter } from "./reporter.ts";

/** Where local data lives. All absolute. @see XDG Base Directory Specification */
export interface Directories {
  /** The store. */
  readonly data: string;
  /** Safe to delete at any time. */
  readonly cache: string;
  /** Unfinished uploads. */
  readonly state: string;
}

/** What every command gets: the outside world, and nothing else that is global. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly directories: Directories;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly reporter: Reporter;
  /** True when `--json` was given: standard output carries JSON only. */
  readonly isJson: boolean;
  readonly isPlainHttp: boolean;
  readonly toolVersion: string;
  /** Asks the caller for a password that it was promised, such as from standard input. @throws ToolError `USAGE`. */
  readonly readSecret: () => Promise<string>;
  /** How registries are reached, where the command line says so. */
  readonly access?: RegistryAccess;
}

/** The three folders, by the environment's `XDG_*` variables with their standard defaults. */
export function directoriesOf(env: Context["env"]): Directories {
  const named = env["HOME"] ?? "";
  const home = named.startsWith("/") ? named : homeOf();
  const place = (name: string, fallback: string): string => {
    const value = env[name];
    return join(
      value !== undefined && value.startsWith("/") ? value : join(home, fallback),
      "slipway",
    );
  };
  return {
    data: place("XDG_DATA_HOME", ".local/share"),
    cache: place("XDG_CACHE_HOME", ".cache"),
    state: place("XDG_STATE_HOME", ".local/state"),
  };
}

/** An empty `HOME` would put everything into the working folder. */
function homeOf(): string {
  const home = homedir();
  return home.startsWith("/") ? home : userInfo().homedir;
}
