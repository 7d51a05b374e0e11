import { logIn, logOut, type CommandRequests, type LoginPlace } from "../../app/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import type { Cli, Run } from "../cli.ts";
import { ask, canAsk } from "../prompt.ts";

type Words = CommandRequests["login"];

/** `slipway login`: asks for what is missing, and asks the registry first. */
export const login: Run<"login"> = async (words, cli) => {
  const { host } = words;
  if (words.password !== undefined && words.isPasswordOnStdin === true)
    throw new ToolError("USAGE", "login: --password and --password-stdin exclude each other");
  const username = words.username ?? (await askFor("username", host, cli));
  const password = await passwordOf(words, cli);
  const place = await logIn({ host, username, password }, cli.session);
  const { reporter } = cli;
  reporter.line(`logged in to ${host} as ${username}; kept in ${nameOf(place)}`);
  if (place.helper === undefined)
    reporter.warn(
      `"${place.file}" holds the password readable for you; a credential helper would keep it better`,
    );
  reporter.result({ host, username, ...place });
};

/** `slipway logout`. */
export const logout: Run<"logout"> = async ({ host }, { session, reporter }) => {
  const place = await logOut(host, session);
  reporter.line(
    place === undefined
      ? `there was no credential for ${host}`
      : `forgot the credential for ${host}, which was in ${place.helper ?? place.file}`,
  );
  reporter.result({ host, isForgotten: place !== undefined, ...place });
};

async function passwordOf(words: Words, cli: Cli): Promise<string> {
  if (words.isPasswordOnStdin === true) return cli.readSecret();
  if (words.password === undefined) return askFor("password", words.host, cli);
  cli.reporter.warn(
    "a password on the command line shows in the process list and the shell's history; use --password-stdin",
  );
  return words.password;
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
