import type { Flag, Option, OptionContext } from "./option.ts";

/**
 * Makes a request of what was written; fields that nothing was written for are absent.
 * @param givenFor - what was written for a flag: empty when it was not given.
 * @throws ToolError `USAGE` for a text that has not its option's form.
 */
export function readOptions(
  options: Readonly<Record<string, Option<unknown>>>,
  givenFor: (flag: Flag) => readonly string[],
  context: OptionContext,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(options)
      .map(([key, { flags, read }]) => [key, read(flags.map(givenFor), context)] as const)
      .filter(([, value]) => value !== undefined),
  );
}
