import { resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import { run } from "../../ground/process/index.ts";
import { distributionOf } from "../../models/python-source/index.ts";
import { ComponentError } from "../../serving/plane/index.ts";
import type { Surroundings } from "../session.ts";

/** What a model needs of the Python that serves it. */
export interface NeededPackages {
  /** Interpreter that serves. */
  readonly python: string;
  /** Lines of requirements. */
  readonly lines: readonly string[];
  /** Requirements files, as the project names them. */
  readonly files: readonly string[];
  /** Absolute folder of the project. */
  readonly root: string;
  /** True where all of that was installed for it. */
  readonly isInstalled: boolean;
}

const TIMEOUT_MS = 30_000;
/** Prints those of the named distributions that this Python has not, as JSON. */
const QUESTION = `
import json, sys
from importlib import metadata
def lacks(name):
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return True
    return False
print(json.dumps([name for name in sys.argv[1:] if lacks(name)]))
`;

/**
 * Says of a model that could not be loaded for want of a module which packages its Python lacks, and how they come there.
 * @returns the error that is to be thrown: the same one where something else is wrong.
 */
export async function explainMissing(
  error: unknown,
  needed: NeededPackages,
  session: Surroundings,
): Promise<unknown> {
  const module = missingModule(error);
  if (module === undefined) return error;
  const wanted = needed.lines.flatMap((line) => {
    const name = /^[A-Za-z0-9][\w.-]*/.exec(line)?.[0];
    return name === undefined ? [] : [{ line, name: normalName(name) }];
  });
  const found = await askMissing(needed.python, wanted, session);
  if (found === undefined) return error;
  const first = normalName(distributionOf(module));
  const missing = found.some(({ name }) => name === first)
    ? found
    : [{ line: first, name: first }, ...found];
  return new ToolError(
    "MODEL_LOAD_FAILED",
    `load the model in "${needed.root}": ${needed.python} lacks ${missing.map(({ name }) => name).join(", ")}`,
    { cause: error, hint: wayOut(needed, missing, first) },
  );
}

interface Wanted {
  /** Normalised. */
  readonly name: string;
  /** Such as `scikit-learn==1.7.2`. */
  readonly line: string;
}

/** The module at the top that an import did not find; undefined for any other failure. */
function missingModule(error: unknown): string | undefined {
  if (!(error instanceof ComponentError) || error.code !== "MODEL_LOAD_FAILED") return undefined;
  const { lacks } = error.failure;
  if (lacks === undefined || lacks.attribute !== undefined) return undefined;
  return lacks.module.includes(".") ? undefined : lacks.module;
}

/** Undefined where the interpreter cannot say. */
async function askMissing(
  python: string,
  wanted: readonly Wanted[],
  { environment, signal }: Surroundings,
): Promise<readonly Wanted[] | undefined> {
  const { stdout, exitCode } = await run(
    [python, "-c", QUESTION, ...wanted.map(({ name }) => name)],
    { env: environment, signal, timeoutMs: TIMEOUT_MS, allowFailure: true },
  );
  if (exitCode !== 0) return undefined;
  const missing: unknown = JSON.parse(stdout.toString("utf8"));
  return Array.isArray(missing) ? wanted.filter(({ name }) => missing.includes(name)) : undefined;
}

function wayOut(
  { python, files, root, isInstalled }: NeededPackages,
  missing: readonly Wanted[],
  first: string,
): string {
  if (isInstalled) return `add ${first} to requirements.txt: --install takes what that names`;
  const isListed = files.length > 0;
  const what = isListed
    ? files.map((file) => `-r ${shellWord(resolve(root, file))}`).join(" ")
    : missing.map(({ line }) => shellWord(line)).join(" ");
  return `run \`${shellWord(python)} -m pip install ${what}\`, or serve it with --install, which keeps an environment for it`;
}

function shellWord(text: string): string {
  return /^[\w./=:@+,~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The name of a distribution as indexes compare it. */
function normalName(name: string): string {
  return (
    /^[\w.-]*/
      .exec(name)?.[0]
      .toLowerCase()
      .replaceAll(/[-_.]+/g, "-") ?? name
  );
}
