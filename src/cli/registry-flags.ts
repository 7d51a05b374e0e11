import type { Command } from "commander";
import type { Context } from "../app/context.ts";
import { collect, countOf } from "../app/options.ts";
import type { RegistryAccess } from "../app/places/registry-access.ts";
import { ToolError } from "../ground/errors/index.ts";
import { parseLocation } from "../images/copy/index.ts";
import { readSecret } from "./prompt.ts";

/** Words of the command line about reaching registries. */
export interface RegistryFlags {
  readonly caFile?: string;
  readonly registryMirror?: readonly string[];
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly chunkSize?: number;
}

const MIB = 2 ** 20;

/** Adds the options by which a command is told how to reach registries. */
export function addRegistryFlags(
  command: Command,
  { sends = false }: { readonly sends?: boolean } = {},
): Command {
  command
    .optionsGroup("Registry options:")
    .option(
      "--username <name>",
      "who you are at the registry, for this command only; with --password-stdin",
    )
    .option("--password-stdin", "read the password or token for --username from standard input")
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

/**
 * The context for a command with such options. @param names - places of the command line; the credential is for the registry among them.
 * @throws ToolError `USAGE` when it is not clear for which registry.
 */
export async function withRegistryFlags(
  context: Context,
  flags: RegistryFlags,
  names: readonly (string | undefined)[],
): Promise<Context> {
  const login = await loginOf(flags, names, context);
  const access: RegistryAccess = {
    caFile: flags.caFile,
    mirrors: flags.registryMirror ?? [],
    chunkBytes: flags.chunkSize === undefined ? undefined : flags.chunkSize * MIB,
    ...(login === undefined ? {} : { login }),
  };
  return { ...context, access };
}

async function loginOf(
  { username, passwordStdin }: RegistryFlags,
  names: readonly (string | undefined)[],
  context: Context,
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
  return { registry, username, password: await readSecret(context) };
}

function registryIn(name: string): readonly string[] {
  const location = parseLocation(name);
  return location.kind === "registry" ? [location.reference.registry] : [];
}
