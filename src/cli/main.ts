import { createSession } from "../app/index.ts";
import { explainFullDisk, ToolError, factsOf, isToolError } from "../ground/errors/index.ts";
import { ScriptError } from "./script-error.ts";
import type { Cli } from "./cli.ts";
import { commandNames, GLOBAL_FLAGS } from "./command-names.ts";
import { overview } from "./overview.ts";
import { createEventPrinter } from "./render/events.ts";
import { createReporter } from "./render/create-reporter.ts";

/** Flags of the old tools whose values are secrets. */
const HAS_SECRET = /^--(?:uhub[_-]password|private[_-]key)(?:=|$)/;

/** Runs one command line (without `node` and the script) and sets the exit code. Never throws. */
export async function main(args: readonly string[]): Promise<void> {
  // What was typed shows in the process list for as long as a program runs.
  if (args.some((arg) => HAS_SECRET.test(arg))) process.title = `slipway ${args[0]}`;
  const abort = new AbortController();
  const interrupt = (): void => abort.abort(new ToolError("INTERRUPTED", "interrupted"));
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  let isRead = true;
  const endQuietly = (error: NodeJS.ErrnoException): void => {
    if (error.code !== "EPIPE") throw error;
    isRead = false;
    interrupt();
  };
  // Whoever reads our output, such as `head`, may have seen enough: the command stops what it started and ends, which is no failure.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", endQuietly);
  const cli = createCli(args, abort.signal);
  try {
    await dispatch(args, cli);
  } catch (error) {
    if (isRead || !isAbort(error, cli)) await report(error, cli);
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}

function createCli(args: readonly string[], signal: AbortSignal): Cli {
  const own = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length);
  const isJson = own.includes("--json");
  const reporter = createReporter({
    streams: {
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
    },
    isJson,
    isQuiet: own.includes("--quiet"),
    columns: process.stderr.isTTY ? process.stderr.columns : undefined,
    now: () => performance.now(),
  });
  return {
    session: createSession({
      environment: process.env,
      cwd: process.cwd(),
      signal,
      onEvent: createEventPrinter(reporter),
      access: { isPlainHttp: own.includes("--plain-http") },
    }),
    reporter,
    isJson,
    readSecret: async () => (await import("./prompt.ts")).readSecret({ signal }),
  };
}

async function dispatch(args: readonly string[], cli: Cli): Promise<void> {
  const at = args.findIndex((arg) => !GLOBAL_FLAGS.some(({ form }) => form === arg));
  const name = args[at];
  if (name === undefined || name === "--help" || name === "-h" || name === "help")
    return void process.stdout.write(overview());
  if (name === "--version" || name === "-V")
    return void process.stdout.write(`${cli.session.toolVersion}\n`);
  if (name === "__complete") {
    const { printCandidates } = await import("./commands/completion.ts");
    return printCandidates(args.slice(at + 1), cli);
  }
  const known = commandNames().find((candidate) => candidate === name && !name.includes(" "));
  if (known === undefined) throw unknownCommand(name);
  const { runCommand } = await import("./run-command.ts");
  await runCommand(known, [...args.slice(0, at), ...args.slice(at + 1)], cli);
}

async function report(error: unknown, cli: Cli): Promise<void> {
  cli.reporter.close();
  const { errorData, errorLines } = await import("./render/error.ts");
  const shown = isAbort(error, cli)
    ? cli.session.signal.reason
    : explainFullDisk(error, "a temporary folder");
  if (cli.isJson)
    process.stdout.write(`${JSON.stringify({ event: "error", ...errorData(shown) })}\n`);
  else process.stderr.write(`${errorLines(shown).join("\n")}\n`);
  if (!isToolError(shown) && process.env["SLIPWAY_DEBUG"] === "1" && shown instanceof Error)
    process.stderr.write(`${shown.stack ?? ""}\n`);
  process.exitCode = shown instanceof ScriptError ? shown.exitCode : factsOf(shown).exit;
}

function isAbort(error: unknown, cli: Cli): boolean {
  return cli.session.signal.aborted && !(isToolError(error) && error.code !== "INTERRUPTED");
}

function unknownCommand(name: string): ToolError {
  const near = commandNames().filter(
    (known) => !known.includes(" ") && known.startsWith(name.slice(0, 2)),
  );
  return new ToolError("USAGE", `slipway: there is no command "${name}"`, {
    hint:
      near.length > 0
        ? `did you mean \`slipway ${near.join("` or `slipway ")}\`?`
        : "run `slipway --help`",
  });
}
