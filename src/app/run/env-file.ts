import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import type { Environment } from "../session.ts";

const MAX_BYTES = 2 ** 20;

/**
 * Reads files of variables as `docker run --env-file` does: `NAME=VALUE` lines, taken as they are, without quotes or escapes; `NAME` alone
 * takes its value from the environment; empty lines and lines that begin with `#` are passed over. Later lines win.
 * @param files - relative to `cwd`
 * @throws ToolError `USAGE` naming the file and the line
 * @see docker/cli, opts/file.go
 */
export async function readEnvFiles(
  files: readonly string[],
  { cwd, environment }: { readonly cwd: string; readonly environment: Environment },
): Promise<Readonly<Record<string, string>>> {
  const variables: Record<string, string> = {};
  for (const file of files) {
    const text = await readText(resolve(cwd, file), file);
    for (const [index, line] of text
      .replace(/^\uFEFF/, "")
      .split(/\r?\n/)
      .entries()) {
      const [name, value] = parseLine(line.trimStart(), `${file}:${index + 1}`) ?? [];
      const known = value ?? environment[name ?? ""];
      if (name !== undefined && known !== undefined) variables[name] = known;
    }
  }
  return variables;
}

async function readText(path: string, file: string): Promise<string> {
  const bytes = await readFile(path).catch((error: unknown) => {
    const { code = "it cannot be read" } = error as NodeJS.ErrnoException;
    throw new ToolError("USAGE", `read the variables in "${file}": ${code}`, { cause: error });
  });
  if (bytes.byteLength <= MAX_BYTES) return bytes.toString("utf8");
  throw new ToolError(
    "USAGE",
    `read the variables in "${file}": it is longer than ${MAX_BYTES} bytes`,
  );
}

/** A value may be a secret: only the place is shown. */
function parseLine(line: string, place: string): readonly [string, string | undefined] | undefined {
  if (line === "" || line.startsWith("#")) return undefined;
  const equals = line.indexOf("=");
  const name = equals < 0 ? line : line.slice(0, equals);
  if (name === "" || /\s/.test(name))
    throw new ToolError("USAGE", `read the variables in "${place}": the line has no name`, {
      hint: "write NAME=VALUE, without spaces before the equals sign",
    });
  return [name, equals < 0 ? undefined : line.slice(equals + 1)];
}
