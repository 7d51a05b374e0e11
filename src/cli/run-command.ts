import type { CommandName, RegistryAccess } from "../app/index.ts";
import { ToolError } from "../ground/errors/index.ts";
import type { Cli } from "./cli.ts";
import { createCommand, type ReadWords } from "./create-command.ts";
import { refuseMissingValues } from "./missing-values.ts";
import { RUNS } from "./run-table.ts";

/**
 * Reads the words after a command's name and does what they say.
 * @throws ToolError `USAGE` for words that it does not know, and what the command throws.
 */
export async function runCommand(
  name: CommandName,
  args: readonly string[],
  cli: Cli,
): Promise<void> {
  const { CommanderError } = await import("commander");
  const command = await createCommand(
    name,
    () => cli.session,
    async (words) => start(words, cli),
  );
  try {
    refuseMissingValues(command, args);
    await command.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    throw new ToolError("USAGE", `slipway ${name}: ${withoutValues(error.message)}`, {
      hint: `run \`slipway ${name} --help\``,
    });
  } finally {
    cli.reporter.close();
  }
}

async function start(words: ReadWords, cli: Cli): Promise<void> {
  const { session } = cli;
  const login = await oneLogin(words, cli);
  const access = { ...session.access, ...words.reach, ...(login === undefined ? {} : { login }) };
  const run = await RUNS[words.name]?.();
  // The tables of requests and of runs have the same names, which the compiler checks.
  await run?.(words.request as never, { ...cli, session: { ...session, access } });
}

/** The parser's sentence without what stood where it knows no option: that may be a secret whose flag was mistyped. */
function withoutValues(message: string): string {
  return message
    .replace(/^error: /, "")
    .replace(/(unknown option '[^'=]*)=[^]*'/, "$1'")
    .replace(/(too many arguments[^]*but got \d+): [^]*$/, "$1")
    .replace(/\.$/, "");
}

/**
 * The credential that holds for one command, with its password from standard input; undefined when none is given.
 * @throws ToolError `USAGE` when it is not clear for which registry it is.
 */
async function oneLogin(
  { login: { username, isPasswordOnStdin = false }, loginNames }: ReadWords,
  { readSecret }: Cli,
): Promise<RegistryAccess["login"]> {
  if (username === undefined && !isPasswordOnStdin) return undefined;
  if (username === undefined || !isPasswordOnStdin)
    throw new ToolError(
      "USAGE",
      `${username === undefined ? "--password-stdin" : "--username"} is given alone`,
      { hint: "give both: --username NAME --password-stdin < file" },
    );
  const { registriesIn } = await import("../app/shown/index.ts");
  const registries = registriesIn(loginNames);
  const [registry] = registries;
  if (registry === undefined || registries.length > 1)
    throw new ToolError(
      "USAGE",
      `--username: ${registry === undefined ? "no registry is named" : `it is not clear whether it is for ${registries.join(" or ")}`}`,
      { hint: "run `slipway login HOST` instead" },
    );
  return { registry, username, password: await readSecret() };
}
