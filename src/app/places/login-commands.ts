import { flag, needed, text } from "../options/kinds.ts";
import type { CommandSpec } from "../options/option.ts";
import { registryHostOf } from "./registry-host.ts";

/** A credential to check and keep; what is missing is asked for where there is a terminal. */
export interface LoginWords {
  /** As it was written. */
  readonly host: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly isPasswordOnStdin?: boolean | undefined;
}

const HOST = needed("[host]", "the registry", { byDefault: "docker.io" });

/** `slipway login HOST`. */
export const LOGIN_COMMAND: CommandSpec<LoginWords> = {
  options: {
    host: { ...HOST, read: (...given) => registryHostOf(HOST.read(...given)) },
    username: text("-u, --username <name>", "who you are there"),
    isPasswordOnStdin: flag("--password-stdin", "read the password or token from standard input"),
    password: text(
      "-p, --password <password>",
      "the password; other programs can see it, so use --password-stdin",
    ),
  },
  registry: {},
  notes: [
    "The registry is asked first. What it accepts is kept where docker keeps it: in the helper that is set up, else in docker's config.",
  ],
  examples: ["slipway login registry.example.com --username mia --password-stdin < token.txt"],
};

/** `slipway logout HOST`. */
export const LOGOUT_COMMAND: CommandSpec<Pick<LoginWords, "host">> = {
  options: { host: LOGIN_COMMAND.options.host },
  examples: ["slipway logout registry.example.com"],
};
