import { COMMANDS, type CommandName, type Flag } from "../app/index.ts";

/** Options of every command. They may stand before its name, too. */
export const GLOBAL_FLAGS: readonly Flag[] = [
  { form: "--json", help: "print events and the result as JSON lines" },
  { form: "--quiet", help: "print the result only" },
  { form: "--plain-http", help: "speak plain HTTP to a registry that is not on loopback" },
];

/** Every command's words, in the order of the table. */
export function commandNames(): readonly CommandName[] {
  return Object.keys(COMMANDS) as CommandName[];
}
