import type { Environment } from "./launch.ts";

/** The program of the wrapper, by whose name images call the server. */
export const MICROSERVICE = "seldon-core-microservice";
const SHELLS: ReadonlySet<string> = new Set(["/bin/sh", "sh", "/bin/bash", "bash"]);
/** What only a shell can do. */
const NEEDS_SHELL = /[;&|<>`(){}*?[\]~#\n\\]/;
const WORD = /(?:"([^"]*)"|'([^']*)'|([^\s"']+))/g;

/**
 * Finds the arguments of `seldon-core-microservice` in a container's command. The program may stand
 * there by its name, or in the documented `CMD exec seldon-core-microservice $MODEL_NAME
 * --service-type $SERVICE_TYPE`. That form arrives as `/bin/sh -c "…"`; it is parsed here, because
 * an image may have no shell. Undefined when the command runs something else.
 */
export function microserviceArguments(
  argv: readonly string[],
  env: Environment,
): readonly string[] | undefined {
  const [program = "", flag, command = ""] = argv;
  if (program === MICROSERVICE) return argv.slice(1);
  if (!SHELLS.has(program) || flag !== "-c") return undefined;
  const text = command.trim().replace(/^exec\s+/, "");
  const plain = text.replaceAll(/'[^']*'|\$\{\w+\}/g, "");
  if (!text.startsWith(MICROSERVICE) || NEEDS_SHELL.test(plain)) return undefined;
  const [name, ...words] = wordsOf(text, env);
  return name === MICROSERVICE ? words : undefined;
}

/** Words with variables put in; as in a shell, an unquoted one that is empty is no word, and one with blanks is several. */
function wordsOf(text: string, env: Environment): readonly string[] {
  const expand = (part: string): string =>
    part.replaceAll(
      /\$(?:\{(\w+)\}|(\w+))/g,
      (_, braced: string | undefined, bare: string | undefined) => env[braced ?? bare ?? ""] ?? "",
    );
  return [...text.matchAll(WORD)].flatMap(([, double, single, bare = ""]) => {
    if (single !== undefined) return [single];
    if (double !== undefined) return [expand(double)];
    return expand(bare)
      .split(/\s+/)
      .filter((word) => word !== "");
  });
}
