import type { Command } from "commander";
import type { Context } from "../app/context.ts";

/** What a file in `commands/` exports: it adds its arguments, options, examples and action to an empty command. */
export interface CommandModule {
  define(command: Command, context: Context): void;
}
