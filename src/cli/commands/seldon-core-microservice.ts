import type { Command } from "commander";
import { runEntry } from "../../serving/server/index.ts";
import type { Context } from "../../app/context.ts";
import { findPython } from "../../app/run/describe-project.ts";

/** `slipway seldon-core-microservice NAME [flags]`: what images call `seldon-core-microservice`, on this machine. */
export function define(command: Command, context: Context): void {
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
    .action((words: readonly string[]) => serve(words, context));
}

async function serve(words: readonly string[], { cwd, env, signal }: Context): Promise<void> {
  const python = await findPython(cwd, env);
  const argv = ["seldon-core-microservice", ...words];
  process.exitCode = await runEntry({
    argv,
    env: { ...env, SLIPWAY_PYTHON: python },
    cwd,
    signal,
    print: (text) => void process.stderr.write(text),
  });
}
