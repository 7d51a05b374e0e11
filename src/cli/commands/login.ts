import type { Command } from "commander";
import { ToolError } from "../../ground/errors/index.ts";
import { login, type LoginPlace } from "../../images/registry/index.ts";
import type { Context } from "../../app/context.ts";
import { registryOptions } from "../../app/places/places.ts";
import { ask, canAsk, readSecret } from "../prompt.ts";
import { withRegistryFlags } from "../registry-flags.ts";
import { registryHostOf } from "../../app/places/registry-host.ts";

interface Flags {
  readonly username?: string;
  readonly password?: string;
  readonly passwordStdin?: boolean;
  readonly caFile?: string;
}

/** `slipway login HOST`. */
export function define(command: Command, context: Context): void {
  command
    .argument("[host]", "the registry", "docker.io")
    .option("-u, --username <name>", "who you are there")
    .option("--password-stdin", "read the password or token from standard input")
    .option(
      "-p, --password <password>",
      "the password; other programs can see it, so use --password-stdin",
    )
    .option("--ca-file <file>", "PEM certificates of authorities to trust besides the usual ones")
    .addHelpText(
      "after",
      "\nThe registry is asked first. What it accepts is kept where docker keeps it: in the helper that is set up, else in docker's config.\n\nExample:\n  slipway login registry.example.com --username mia --password-stdin < token.txt",
    )
    .action((host: string, flags: Flags) => logIn(host, flags, context));
}

async function logIn(text: string, flags: Flags, context: Context): Promise<void> {
  const host = registryHostOf(text);
  if (flags.password !== undefined && flags.passwordStdin === true)
    throw new ToolError("USAGE", "login: --password and --password-stdin exclude each other");
  const username = flags.username ?? (await askFor("username", host, context));
  const password = await passwordOf(flags, host, context);
  const { keychain: _, ...registry } = await registryOptions(
    host,
    await withRegistryFlags(
      context,
      { ...(flags.caFile === undefined ? {} : { caFile: flags.caFile }) },
      [],
    ),
  );
  const place = await login({ registry, username, password, signal: context.signal });
  context.reporter.line(`logged in to ${host} as ${username}; kept in ${nameOf(place)}`);
  if (place.helper === undefined)
    context.reporter.warn(
      `"${place.file}" holds the password readable for you; a credential helper would keep it better`,
    );
  context.reporter.result({ host, username, ...place });
}

async function passwordOf(flags: Flags, host: string, context: Context): Promise<string> {
  if (flags.passwordStdin === true) return readSecret(context);
  if (flags.password === undefined) return askFor("password", host, context);
  context.reporter.warn(
    "a password on the command line shows in the process list and the shell's history; use --password-stdin",
  );
  return flags.password;
}

async function askFor(
  what: "username" | "password",
  host: string,
  context: Context,
): Promise<string> {
  if (!canAsk()) {
    throw new ToolError(
      "USAGE",
      `login to "${host}": no ${what} is given, and there is no terminal to ask on`,
      { hint: what === "password" ? "pipe it in with --password-stdin" : "pass --username NAME" },
    );
  }
  const answer = await ask(`${what} for ${host}: `, context, what === "password");
  if (answer === "") throw new ToolError("USAGE", `login to "${host}": the ${what} is empty`);
  return answer;
}

function nameOf({ file, helper }: LoginPlace): string {
  return helper === undefined ? file : `${helper} (named in ${file})`;
}
