import { ToolError } from "../../ground/errors/index.ts";
import type { Environment } from "../session.ts";

/** A port; 0 lets the system choose where that makes sense. @throws ToolError `USAGE`. */
export function parsePortNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new ToolError("USAGE", `"${text}" is not a port`, {
    hint: "a port is a number from 0 to 65535",
  });
}

/** A whole number above 0. @throws ToolError `USAGE`. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new ToolError("USAGE", `"${text}" is not a whole number above 0`);
}

/** A whole number, 0 too. @throws ToolError `USAGE`. */
export function parseCountOrNone(text: string): number {
  return text === "0" ? 0 : parseCount(text);
}

/** The names of a text with commas between them. */
export function parseNames(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/**
 * `NAME=VALUE` entries; a `NAME` alone takes its value from the environment and is left out when it has none.
 * @throws ToolError `USAGE`.
 */
export function parseEnvironment(
  entries: readonly string[],
  environment: Environment,
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
export function parseVariables(
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
