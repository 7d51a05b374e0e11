/** Variables that belong to the machine that a Dockerfile was written for. */
const OF_THE_MACHINE =
  /^(PATH|HOME|USER|SHELL|LANG|LC_\w+|LD_\w+|PYTHONPATH|PYTHONHOME|PYTHON_\w+|PIP_\w+|UV_\w+|CONDA_\w+|DEBIAN_FRONTEND|GPG_KEY|VIRTUAL_ENV)$/;
/** Values of these have no place in an image, whoever else would put them there. */
const SECRET = /PASSW|SECRET|TOKEN|CREDENTIAL|API_?KEY|PRIVATE/i;
const NAME = /^[A-Za-z_]\w*$/;

/**
 * What the last stage of a Dockerfile sets by `ENV`, with earlier variables put into later ones. Steps are not run. Left out: variables of
 * the machine, such as PATH, what is called like a secret, and values that need one that is not set here.
 */
export function parseDockerfileEnv(text: string): Readonly<Record<string, string>> {
  const env = new Map<string, string>();
  for (const line of instructionsOf(text)) {
    const [, instruction = "", rest = ""] = /^(\w+)\s+([\s\S]*)$/.exec(line) ?? [];
    if (instruction.toUpperCase() === "FROM") env.clear();
    if (instruction.toUpperCase() !== "ENV") continue;
    for (const [name, value] of pairsOf(rest)) {
      const expanded = expand(value, env);
      if (expanded !== undefined) env.set(name, expanded);
    }
  }
  return Object.fromEntries([...env].filter(([name]) => isTaken(name)));
}

function isTaken(name: string): boolean {
  return !OF_THE_MACHINE.test(name) && !SECRET.test(name);
}

/** `NAME=value` lines, as in `.s2i/environment`; `#` begins a comment. */
export function parseEnvironmentFile(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(/\r?\n/).map((line) => /^\s*([A-Za-z_]\w*)=(.*)$/.exec(line));
  const found = pairs.flatMap((match) =>
    match === null ? [] : [[match[1] ?? "", unquote((match[2] ?? "").trim())] as const],
  );
  return Object.fromEntries(found.filter(([name]) => isTaken(name)));
}

/** Instructions without comments, continued lines put together. */
function instructionsOf(text: string): readonly string[] {
  const lines = text.split(/\r?\n/).filter((line) => !/^\s*#/.test(line));
  return lines
    .join("\n")
    .replaceAll(/\\[ \t]*\n/g, " ")
    .split("\n")
    .map((line) => line.trim());
}

const PAIR = /([A-Za-z_]\w*)=((?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])*)/gy;

/** `ENV NAME=value …`, or the older `ENV NAME value`. */
function pairsOf(rest: string): readonly (readonly [name: string, value: string])[] {
  if (/^[A-Za-z_]\w*=/.test(rest)) {
    return rest
      .split(/\s+(?=[A-Za-z_]\w*=)/)
      .flatMap((part) =>
        [...part.matchAll(PAIR)].map(
          ([, name = "", value = ""]) => [name, unquote(value)] as const,
        ),
      );
  }
  const [, name = "", value = ""] = /^(\S+)\s+([\s\S]*)$/.exec(rest) ?? [];
  return NAME.test(name) ? [[name, unquote(value.trim())]] : [];
}

function unquote(value: string): string {
  const [, double, single] = /^(?:"((?:[^"\\]|\\.)*)"|'([^']*)')$/.exec(value) ?? [];
  return single ?? (double ?? value).replaceAll(/\\(.)/g, "$1");
}

/** Puts `$NAME` and `${NAME}` in; undefined when one is not set. */
function expand(value: string, env: ReadonlyMap<string, string>): string | undefined {
  let isKnown = true;
  const text = value.replaceAll(
    /\$(?:\{([^}]*)\}|([A-Za-z_]\w*))/g,
    (_, braced: string | undefined, bare: string | undefined) => {
      const found = env.get(braced ?? bare ?? "");
      isKnown &&= found !== undefined;
      return found ?? "";
    },
  );
  return isKnown ? text : undefined;
}
