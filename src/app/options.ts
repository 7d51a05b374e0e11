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

/** Seconds since the epoch that go into images. @throws ToolError `USAGE`. @see https://reproducible-builds.org/specs/source-date-epoch/ */
export function epochOf(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  if (!/^\d{1,11}$/.test(text))
    throw new ToolError("USAGE", `SOURCE_DATE_EPOCH is "${text}", which is no count of seconds`);
  return Number(text);
}
