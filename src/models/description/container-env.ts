/** Variables that belong to the machine that a Dockerfile was written for. */
const OF_THE_MACHINE =
  /^(PATH|HOME|USER|SHELL|LANG|LC_\w+|LD_\w+|PYTHONPATH|PYTHONHOME|PYTHON_\w+|PIP_\w+|UV_\w+|CONDA_\w+|DEBIAN_FRONTEND|GPG_KEY|VIRTUAL_ENV)$/;
/** Values of these have no place in an image, whoever else would put them there. */
const SECRET = /PASSW|SECRET|TOKEN|CREDENTIAL|API_?KEY|PRIVATE/i;
const NAME = /^[A-Za-z_]\w*$/;

/**
 * True for a variable that a description in a folder may set in an image. False for variables of
 * the machine, such as PATH, and for names that look like secrets.
 */
export function isContainerVariable(name: string): boolean {
  return NAME.test(name) && !OF_THE_MACHINE.test(name) && !SECRET.test(name);
}

/** `NAME=value` lines, as in `.s2i/environment`; `#` begins a comment. */
export function parseEnvironmentFile(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(/\r?\n/).map((line) => /^\s*([A-Za-z_]\w*)=(.*)$/.exec(line));
  const found = pairs.flatMap((match) =>
    match === null ? [] : [[match[1] ?? "", unquote((match[2] ?? "").trim())] as const],
  );
  return Object.fromEntries(found.filter(([name]) => isContainerVariable(name)));
}

function unquote(value: string): string {
  const [, double, single] = /^(?:"((?:[^"\\]|\\.)*)"|'([^']*)')$/.exec(value) ?? [];
  return single ?? (double ?? value).replaceAll(/\\(.)/g, "$1");
}
