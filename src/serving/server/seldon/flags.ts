import { ToolError } from "../../../ground/errors/index.ts";

/** Arguments taken apart: one positional, and flags by name with their text. */
export interface FlagValues {
  readonly positional?: string;
  readonly values: ReadonlyMap<string, string>;
}

const FLAGS: ReadonlySet<string> = new Set([
  "service-type",
  "api-type",
  "persistence",
  "parameters",
  "log-level",
  "debug",
  "tracing",
  "workers",
  "threads",
  "max-requests",
  "max-requests-jitter",
  "keepalive",
  "single-threaded",
  "grpc-workers",
  "grpc-threads",
  "http-port",
  "grpc-port",
  "metrics-port",
  "pidfile",
  "access-log",
]);
/** May stand without a value. */
const OPTIONAL: ReadonlySet<string> = new Set(["debug", "access-log"]);

/** @throws ToolError `USAGE` for a flag that is unknown or lacks its value, and for a second positional argument */
export function readFlags(argv: readonly string[]): FlagValues {
  const values = new Map<string, string>();
  let positional: string | undefined;
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (!word.startsWith("--")) {
      if (positional !== undefined)
        throw new ToolError("USAGE", `read the arguments: unrecognized argument "${word}"`, {
          hint: "REST or GRPC is not said any more: both are served",
        });
      positional = word;
      continue;
    }
    const [name, inline] = splitOnce(word.slice(2));
    if (!FLAGS.has(name))
      throw new ToolError("USAGE", `read the arguments: unrecognized argument "--${name}"`);
    const next = argv[at + 1];
    if (inline !== undefined) values.set(name, inline);
    else if (next !== undefined && !next.startsWith("--")) {
      values.set(name, next);
      at += 1;
    } else if (OPTIONAL.has(name)) values.set(name, "true");
    else throw new ToolError("USAGE", `read --${name}: it needs a value`);
  }
  return { values, ...(positional !== undefined && { positional }) };
}

/** A flag's whole number, else that of its variable, else the default. @throws ToolError `USAGE` */
export function numberIn(
  flags: FlagValues,
  {
    name,
    text,
    otherwise,
  }: { readonly name: string; readonly text: string | undefined; readonly otherwise: number },
): number {
  const found = flags.values.get(name) ?? text;
  if (found === undefined || found === "") return otherwise;
  const value = Number(found);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new ToolError("USAGE", `read --${name}: invalid int value: "${found}"`);
  return value;
}

/** A flag's truth. In the wrapper any text at all is true, the word `false` included; that is kept for the strict mode. */
export function booleanOf(
  flags: FlagValues,
  {
    name,
    isStrict,
    otherwise,
  }: { readonly name: string; readonly isStrict: boolean; readonly otherwise: boolean },
): boolean {
  const text = flags.values.get(name);
  if (text === undefined) return otherwise;
  return isStrict
    ? text !== ""
    : !["false", "0", "no", "off", "f", "n", ""].includes(text.toLowerCase());
}

function splitOnce(text: string): readonly [string, string | undefined] {
  const at = text.indexOf("=");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
