import type { RegistryAccess } from "../places/registry-access.ts";
import { flag, scaled, text, texts } from "./kinds.ts";
import type { Options, RegistryUse } from "./option.ts";

/** How registries are reached, as far as a command line says it. */
export type Reach = Partial<Pick<RegistryAccess, "caFile" | "mirrors" | "chunkBytes">>;

/** Who one is at a registry, for one command. */
export interface OneLogin {
  readonly username?: string | undefined;
  readonly isPasswordOnStdin?: boolean | undefined;
}

/** Options of every command that talks to a registry. */
export function reachOptions({ sends = false, heading }: RegistryUse<never>): Options<Reach> {
  const title = { heading: heading ?? "Registry options:" };
  return {
    caFile: text(
      "--ca-file <file>",
      "PEM certificates of authorities to trust besides the usual ones",
      title,
    ),
    mirrors: texts(
      "--registry-mirror <registry=host>",
      "read from this host first; may come more than once",
      title,
    ),
    ...(sends && {
      chunkBytes: scaled(
        "--chunk-size <mib>",
        "largest body of one upload request, for proxies that limit it (default: found out)",
        2 ** 20,
        title,
      ),
    }),
  };
}

const LOGIN_TITLE = { heading: "Registry options:" };

/** Options for a credential that holds for one command. */
export const LOGIN_OPTIONS: Options<OneLogin> = {
  username: text(
    "--username <name>",
    "who you are at the registry, for this command only; with --password-stdin",
    LOGIN_TITLE,
  ),
  isPasswordOnStdin: flag(
    "--password-stdin",
    "read the password or token for --username from standard input",
    LOGIN_TITLE,
  ),
};
