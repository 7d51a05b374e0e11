import { ToolError } from "../ground/errors/index.ts";

/** For options that may come more than once. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/** For options that take names with commas between them, and may come more than once. */
export function collectList(value: string, previous: readonly string[] = []): readonly string[] {
  return [
    ...previous,
    ...value
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  ];
}

/** A port; 0 lets the system choose where that makes sense. @throws ToolError `USAGE`. */
export function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new ToolError("USAGE", `"${text}" is not a port`, {
    hint: "a port is a number from 0 to 65535",
  });
}

/** A whole number above 0. @throws ToolError `USAGE`. */
export function countOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new ToolError("USAGE", `"${text}" is not a whole number above 0`);
}

/** A whole number, 0 too. @throws ToolError `USAGE`. */
export function countOrNoneOf(text: string): number {
  return text === "0" ? 0 : countOf(text);
}

/**
 * `NAME=VALUE` entries; a `NAME` alone takes its value from the environment and is left out when it has none.
 * @throws ToolError `USAGE`.
 */
export function environmentOf(
  entries: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.flatMap((entry): readonly (readonly [string, string])[] => {
      const [, name, value] = /^([A-Za-z_][A-Za-z0-9_.-]*)(?:=(.*))?$/s.exec(entry) ?? [];
      // A value may be a secret: only what stands before it is shown.
      if (name === undefined)
        throw new ToolError(
          "USAGE",
          `"${entry.split("=")[0]?.slice(0, 40) ?? ""}" does not name an environment variable`,
          { hint: "write -e NAME=VALUE" },
        );
      const known = value ?? environment[name];
      return known === undefined ? [] : [[name, known]];
    }),
  );
}

/** `NAME=VALUE` entries. @param flag - as errors name it. @throws ToolError `USAGE`. */
export function variablesOf(
  entries: readonly string[],
  flag: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.map((entry) => {
      const equals = entry.indexOf("=");
      if (equals <= 0)
        throw new ToolError("USAGE", `${flag} "${entry.slice(0, 40)}": it is not NAME=VALUE`);
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

/** The value of an old tool's flag, whichever way it was written: `--main_class` or `--main-class`. */
export function oldFlagIn(
  flags: Readonly<Record<string, unknown>>,
  name: string,
): string | undefined {
  const dashed = name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const value = flags[name] ?? flags[dashed];
  return typeof value === "string" ? value : undefined;
}
