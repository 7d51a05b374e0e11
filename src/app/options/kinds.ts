import type { Flag, Option, OptionContext } from "./option.ts";
import {
  parseCount,
  parseCountOrNone,
  parseEnvironment,
  parseNames,
  parsePortNumber,
} from "./values.ts";

/** What a flag has beside its form and its help. */
type FlagDetails = Omit<Flag, "form" | "help">;

/** A switch; absent when it is not given. */
export function flag(form: string, help: string, details?: FlagDetails): Option<true | undefined> {
  return {
    flags: [{ form, help, ...details }],
    read: ([given = []]) => given.length > 0 || undefined,
  };
}

/** A switch that takes something away, such as `--no-push`: false when it is given, else true. */
export function negated(form: string, help: string, details?: FlagDetails): Option<boolean> {
  return { flags: [{ form, help, ...details }], read: ([given = []]) => given.length === 0 };
}

/** An option with one value; absent when it is not given. */
export function text(
  form: string,
  help: string,
  details?: FlagDetails,
): Option<string | undefined> {
  return parsed(form, help, (value) => value, details);
}

/** An option or argument that always has a value: it is required, or has a default. */
export function needed(
  form: string,
  help: string,
  details: FlagDetails = { isRequired: true },
): Option<string> {
  return { flags: [{ form, help, ...details }], read: ([given = []]) => given.at(-1) ?? "" };
}

/** An option with one value that a function reads; absent when it is not given. */
export function parsed<Value>(
  form: string,
  help: string,
  parse: (value: string, context: OptionContext) => Value,
  details?: FlagDetails,
): Option<Value | undefined> {
  return {
    flags: [{ form, help, ...details }],
    read([given = []], context) {
      const value = given.at(-1);
      return value === undefined ? undefined : parse(value, context);
    },
  };
}

/** An option that takes one of a few values. */
export function choice<const Value extends string>(
  form: string,
  help: string,
  choices: readonly Value[],
  details?: FlagDetails,
): Option<Value | undefined> {
  return parsed(form, help, (value) => choices.find((known) => known === value), {
    choices,
    ...details,
  });
}

/** An option that may come more than once; absent when it never does. */
export function texts(
  form: string,
  help: string,
  details?: FlagDetails,
): Option<readonly string[] | undefined> {
  return parsedEach(form, help, (value) => [value], details);
}

/** An option that may come more than once, and may have several names in one value, with commas between them. */
export function names(
  form: string,
  help: string,
  details?: FlagDetails,
): Option<readonly string[] | undefined> {
  return parsedEach(form, help, parseNames, details);
}

/** An option that may come more than once, each time read by a function to values of its own. */
export function parsedEach<Value>(
  form: string,
  help: string,
  parse: (value: string, context: OptionContext) => readonly Value[],
  details?: FlagDetails,
): Option<readonly Value[] | undefined> {
  return {
    flags: [{ form, help, isRepeated: true, ...details }],
    read: ([given = []], context) =>
      given.length === 0 ? undefined : given.flatMap((value) => parse(value, context)),
  };
}

/** A whole number above 0. */
export function count(
  form: string,
  help: string,
  details?: FlagDetails,
): Option<number | undefined> {
  return parsed(form, help, parseCount, details);
}

/** A whole number, 0 too. */
export function countOrNone(
  form: string,
  help: string,
  details?: FlagDetails,
): Option<number | undefined> {
  return parsed(form, help, parseCountOrNone, details);
}

/** A whole number above 0 in one unit, which the request has in another: seconds as milliseconds, mebibytes as bytes. */
export function scaled(
  form: string,
  help: string,
  factor: number,
  details?: FlagDetails,
): Option<number | undefined> {
  return parsed(form, help, (value) => parseCount(value) * factor, details);
}

/** A port, 0 too. */
export function port(
  form: string,
  help: string,
  details?: FlagDetails,
): Option<number | undefined> {
  return parsed(form, help, parsePortNumber, details);
}

/** `NAME=VALUE` pairs, or `NAME` for the value in the environment; may come more than once. */
export function environment(form: string, help: string): Option<Readonly<Record<string, string>>> {
  return {
    flags: [{ form, help, isRepeated: true }],
    read: ([given = []], context) => parseEnvironment(given, context.environment),
  };
}

/** A field that no flag changes. */
export function always<const Value>(value: Value): Option<Value> {
  return { flags: [], read: () => value };
}

/** Flags that other programs' command lines have and nothing here needs: taken, not shown. */
export function ignored(...forms: readonly string[]): Option<undefined> {
  return {
    flags: forms.map((form) => ({ form, help: "", isHidden: true })),
    read: () => undefined,
  };
}

/** The values of several flags by their names, such as `main_class` of `--main_class`; those that are not given are absent. */
export function valuesByName(flags: readonly Flag[]): Option<Readonly<Record<string, string>>> {
  return {
    flags,
    read: (given) =>
      Object.fromEntries(
        flags.flatMap(({ form }, index) => {
          const value = given[index]?.at(-1);
          return value === undefined ? [] : [[/^--([^ ]+)/.exec(form)?.[1] ?? form, value]];
        }),
      ),
  };
}

/** A flag of an old tool: written as it was, or with `-` for each `_`. */
export function oldFlag(
  name: string,
  help: string,
  details?: FlagDetails & { readonly value?: string },
): Flag {
  const { value = "value", ...rest } = details ?? {};
  return {
    form: `--${name} <${value}>`,
    help,
    alias: name.includes("_") ? `--${name.replaceAll("_", "-")}` : undefined,
    ...rest,
  };
}
