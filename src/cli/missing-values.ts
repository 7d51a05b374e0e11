import type { Command, Option } from "commander";
import { ToolError } from "../ground/errors/index.ts";

/**
 * Refuses a flag whose value was left out, so that the next flag would be taken for it, as an empty variable of the shell does:
 * `--user $NAME --no-push`. A value that begins with `--` is written `--flag=--value`; one with a space in it is no flag and is taken, as
 * Python's argparse does it.
 * @param args - words after the command's name.
 * @throws ToolError `USAGE` naming the flag.
 */
export function refuseMissingValues(command: Command, args: readonly string[]): void {
  let current = command;
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? "";
    if (word === "--") return;
    const child = current.commands.find((one) => one.name() === word);
    if (child !== undefined) current = child;
    const option = valueOptionOf(current, word);
    if (option === undefined) continue;
    at += 1;
    const value = args[at];
    if (value !== undefined && /^--\S*$/.test(value))
      throw missingValue(command, word, { value, current });
  }
}

/** The option that a word names, when the next word is its value. */
function valueOptionOf(command: Command, word: string): Option | undefined {
  return command.options.find(
    (option) => option.required && (option.long === word || option.short === word),
  );
}

function missingValue(
  command: Command,
  flag: string,
  { value, current }: { readonly value: string; readonly current: Command },
): ToolError {
  // What is no flag may be a secret, and is not shown.
  const name = value.replace(/=.*$/s, "");
  const isKnown = current.options.some(({ long }) => long === name);
  return new ToolError(
    "USAGE",
    `${command.name()}: ${flag} has no value${isKnown ? `: "${name}" follows it` : ""}`,
    {
      hint: `give it a value, or write ${flag}=VALUE for one that begins with --; is a variable of the shell empty?`,
    },
  );
}
