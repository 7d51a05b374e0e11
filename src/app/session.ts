import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { readVersion } from "./pack/tool-files.ts";
import type { AppEvent } from "./events.ts";
import type { RegistryAccess } from "./places/registry-access.ts";

/** Variables, by name, as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where local data lives. All absolute. @see XDG Base Directory Specification */
export interface Directories {
  /** The store. */
  readonly data: string;
  /** Safe to delete at any time. */
  readonly cache: string;
  /** Unfinished uploads. */
  readonly state: string;
}

/** Who waits for something: hears of it, and may end it. */
export interface Caller {
  /** Aborting ends the work; it then rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** Told what happens. Must not throw. */
  readonly emit: (event: AppEvent) => void;
}

/** A caller with a place to stand: relative paths begin there. */
export interface Standpoint extends Caller {
  /** Absolute. */
  readonly cwd: string;
}

/** A caller whose variables say how programs are found and started. */
export interface Surroundings extends Standpoint {
  /** For child processes, and for the settings that stand in variables. */
  readonly environment: Environment;
}

/** What opening a place of images needs. */
export interface Places extends Standpoint {
  readonly directories: Directories;
  /** How registries are reached. */
  readonly access: RegistryAccess;
}

/** What a use case gets of the outside world. Nothing else is global. Plain data but for `emit` and `signal`; a copy with other values is a session too. */
export interface Session extends Places, Surroundings {
  readonly toolVersion: string;
}

/** What a session is made of; everything has a default. */
export interface SessionOptions {
  /** Default: empty. A program that should behave as the command does passes the environment of its process. */
  readonly environment?: Environment | undefined;
  /** Absolute. Default: the process's working folder. */
  readonly cwd?: string | undefined;
  /** Default: by the environment's `XDG_*` variables and the user's home. */
  readonly directories?: Directories | undefined;
  /** Default: never aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Default: nobody listens. */
  readonly onEvent?: ((event: AppEvent) => void) | undefined;
  /** Certificates, mirrors, a credential for one registry and the like. Default: what the environment says. */
  readonly access?: Partial<Omit<RegistryAccess, "environment" | "userAgent">> | undefined;
}

/** Makes a session. Nothing is opened or asked before a use case does. */
export function createSession(options: SessionOptions = {}): Session {
  const environment = options.environment ?? {};
  const toolVersion = readVersion();
  return {
    environment,
    toolVersion,
    cwd: options.cwd ?? process.cwd(),
    directories: options.directories ?? directoriesOf(environment),
    signal: options.signal ?? new AbortController().signal,
    emit: options.onEvent ?? (() => undefined),
    access: {
      mirrors: [],
      isPlainHttp: false,
      ...options.access,
      environment,
      userAgent: `slipway/${toolVersion}`,
    },
  };
}

/** The three folders, by the environment's `XDG_*` variables with their standard defaults. */
function directoriesOf(environment: Environment): Directories {
  const named = environment["HOME"] ?? "";
  const home = named.startsWith("/") ? named : homeOf();
  const place = (name: string, fallback: string): string => {
    const value = environment[name];
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

/** Folder of the Python environments that `serve` installs models' packages into. */
export function environmentsFolder({ directories }: Pick<Session, "directories">): string {
  return join(directories.cache, "environments");
}
