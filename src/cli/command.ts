import type { Command } from "commander";
import type { Cli } from "./cli.ts";

/** What a file in `commands/` exports: it adds its arguments, options, examples and action to an empty command. */
export interface CommandModule {
  readonly define: (command: Command, cli: Cli) => void;
}
