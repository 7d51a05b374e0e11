import type { Command } from "commander";
import { parseLocation, type RegistryAccess } from "../app/index.ts";
import { ToolError } from "../ground/errors/index.ts";
import type { Cli } from "./cli.ts";
import { collect, countOf } from "./options.ts";

/** How registries are reached, as every command that talks to one takes it; `--plain-http` belongs to all commands. */
export interface ReachFlags {
  readonly caFile?: string;
  readonly registryMirror?: readonly string[];
  readonly chunkSize?: number;
}

/** The same, with who we are there. */
export interface RegistryFlags extends ReachFlags {
  readonly username?: string;
  readonly passwordStdin?: boolean;
}

const MIB = 2 ** 20;

/** Adds the options by which a command is told how to reach registries. */
export function addReachFlags(
  command: Command,
  { sends = false, heading = "Registry options:" }: ReachOptions = {},
): Command {
  command
    .optionsGroup(heading)
    .option("--ca-file <file>", "PEM certificates of authorities to trust besides the usual ones")
    .option(
      "--registry-mirror <registry=host>",
      "read from this host first; may come more than once",
      collect,
    );
  if (sends)
    command.option(
      "--chunk-size <mib>",
      "largest body of one upload request, for proxies that limit it (default: found out)",
      countOf,
    );
  return command.optionsGroup("Options:");
}

interface ReachOptions {
  /** The command uploads. Default false. */
  readonly sends?: boolean;
  /** What help shows above them. */
  readonly heading?: string;
}

/** Adds these options and those for a credential that holds for one command. */
export function addRegistryFlags(command: Command, options: ReachOptions = {}): Command {
  command
    .optionsGroup("Registry options:")
    .option(
      "--username <name>",
      "who you are at the registry, for this command only; with --password-stdin",
    )
    .option("--password-stdin", "read the password or token for --username from standard input");
  return addReachFlags(command, options);
}

/** What a command with the options of `addReachFlags` works with. */
export function withReachFlags(cli: Cli, flags: ReachFlags): Cli {
  return withAccess(cli, accessIn(flags));
}

/**
 * What a command with the options of `addRegistryFlags` works with. @param names - places of the command line; the credential is for the registry among them.
 * @throws ToolError `USAGE` when it is not clear for which registry.
 */
export async function withRegistryFlags(
  cli: Cli,
  flags: RegistryFlags,
  names: readonly (string | undefined)[],
): Promise<Cli> {
  const login = await loginOf(flags, names, cli);
  return withAccess(cli, { ...accessIn(flags), ...(login === undefined ? {} : { login }) });
}

function withAccess(cli: Cli, access: Partial<RegistryAccess>): Cli {
  const { session } = cli;
  return { ...cli, session: { ...session, access: { ...session.access, ...access } } };
}

function accessIn({ caFile, registryMirror = [], chunkSize }: ReachFlags): Partial<RegistryAccess> {
  return {
    caFile,
    mirrors: registryMirror,
    chunkBytes: chunkSize === undefined ? undefined : chunkSize * MIB,
  };
}

async function loginOf(
  { username, passwordStdin }: RegistryFlags,
  names: readonly (string | undefined)[],
  { readSecret }: Cli,
): Promise<RegistryAccess["login"]> {
  if (username === undefined && passwordStdin !== true) return undefined;
  if (username === undefined || passwordStdin !== true)
    throw new ToolError(
      "USAGE",
      `${username === undefined ? "--password-stdin" : "--username"} is given alone`,
      { hint: "give both: --username NAME --password-stdin < file" },
    );
  const registries = [
    ...new Set(names.flatMap((name) => (name === undefined ? [] : registryIn(name)))),
  ];
  const [registry] = registries;
  if (registry === undefined || registries.length > 1) {
    throw new ToolError(
      "USAGE",
      `--username: ${registry === undefined ? "no registry is named" : `it is not clear whether it is for ${registries.join(" or ")}`}`,
      { hint: "run `slipway login HOST` instead" },
    );
  }
  return { registry, username, password: await readSecret() };
}

function registryIn(name: string): readonly string[] {
  const location = parseLocation(name);
  return location.kind === "registry" ? [location.reference.registry] : [];
}
