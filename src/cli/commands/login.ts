import { logIn, registryHostOf, type LoginPlace } from "../../app/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import type { Cli } from "../cli.ts";
import type { CommandModule } from "../command.ts";
import { ask, canAsk } from "../prompt.ts";
import { addReachFlags, withReachFlags, type ReachFlags } from "../registry-flags.ts";

interface Flags extends ReachFlags {
  readonly username?: string;
  readonly password?: string;
  readonly passwordStdin?: boolean;
}

/** `slipway login HOST`. */
export const define: CommandModule["define"] = (command, cli) => {
  addReachFlags(command)
    .argument("[host]", "the registry", "docker.io")
    .option("-u, --username <name>", "who you are there")
    .option("--password-stdin", "read the password or token from standard input")
    .option(
      "-p, --password <password>",
      "the password; other programs can see it, so use --password-stdin",
    )
    .addHelpText(
      "after",
      "\nThe registry is asked first. What it accepts is kept where docker keeps it: in the helper that is set up, else in docker's config.\n\nExample:\n  slipway login registry.example.com --username mia --password-stdin < token.txt",
    )
    .action((host: string, flags: Flags) => logInTo(host, flags, withReachFlags(cli, flags)));
};

async function logInTo(text: string, flags: Flags, cli: Cli): Promise<void> {
  const host = registryHostOf(text);
  if (flags.password !== undefined && flags.passwordStdin === true)
    throw new ToolError("USAGE", "login: --password and --password-stdin exclude each other");
  const username = flags.username ?? (await askFor("username", host, cli));
  const password = await passwordOf(flags, host, cli);
  const place = await logIn({ host, username, password }, cli.session);
  const { reporter } = cli;
  reporter.line(`logged in to ${host} as ${username}; kept in ${nameOf(place)}`);
  if (place.helper === undefined)
    reporter.warn(
      `"${place.file}" holds the password readable for you; a credential helper would keep it better`,
    );
  reporter.result({ host, username, ...place });
}

async function passwordOf(flags: Flags, host: string, cli: Cli): Promise<string> {
  if (flags.passwordStdin === true) return cli.readSecret();
  if (flags.password === undefined) return askFor("password", host, cli);
  cli.reporter.warn(
    "a password on the command line shows in the process list and the shell's history; use --password-stdin",
  );
  return flags.password;
}

async function askFor(what: "username" | "password", host: string, cli: Cli): Promise<string> {
  if (!canAsk()) {
    throw new ToolError(
      "USAGE",
      `login to "${host}": no ${what} is given, and there is no terminal to ask on`,
      { hint: what === "password" ? "pipe it in with --password-stdin" : "pass --username NAME" },
    );
  }
  const answer = await ask(`${what} for ${host}: `, cli.session, what === "password");
  if (answer === "") throw new ToolError("USAGE", `login to "${host}": the ${what} is empty`);
  return answer;
}

function nameOf({ file, helper }: LoginPlace): string {
  return helper === undefined ? file : `${helper} (named in ${file})`;
}
