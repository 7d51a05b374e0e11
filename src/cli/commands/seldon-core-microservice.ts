import { findPython } from "../../app/index.ts";
import { runEntry } from "../../serving/server/index.ts";
import type { Cli } from "../cli.ts";
import type { CommandModule } from "../command.ts";

/** `slipway seldon-core-microservice NAME [flags]`: what images call `seldon-core-microservice`, on this machine. */
export const define: CommandModule["define"] = (command, cli) => {
  command
    .argument(
      "[words...]",
      "the class, and flags such as --service-type, --workers, --http-port, --parameters",
    )
    .allowUnknownOption()
    .passThroughOptions()
    .addHelpText(
      "after",
      "\nThe class is imported from the working folder; the environment is that of Seldon's wrapper. Runs until Ctrl-C.\n\nExample:\n  slipway seldon-core-microservice MyModel --service-type MODEL",
    )
    .action((words: readonly string[]) => serve(words, cli));
};

async function serve(words: readonly string[], { session }: Cli): Promise<void> {
  const { cwd, environment, signal } = session;
  const python = await findPython(cwd, environment);
  const argv = ["seldon-core-microservice", ...words];
  process.exitCode = await runEntry({
    argv,
    env: { ...environment, SLIPWAY_PYTHON: python },
    cwd,
    signal,
    print: (text) => void process.stderr.write(text),
  });
}
