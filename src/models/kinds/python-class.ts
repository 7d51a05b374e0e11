import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import { type CallOptions } from "../../ground/bytes/index.ts";
import { mapLimited } from "../../ground/process/index.ts";
import type { Candidate, ModelFile } from "./contracts.ts";
import { findPythonClasses, type PythonClass } from "../python-source/index.ts";

/** Any of these makes a class one that can answer requests. @see Seldon Core, Python component interface */
const CONTRACT_METHODS: ReadonlySet<string> = new Set(
  ["predict", "transform_input", "transform_output", "route", "aggregate"].flatMap((name) => [
    name,
    `${name}_raw`,
    `${name}_rest`,
    `${name}_grpc`,
  ]),
);

const MAX_SOURCE_BYTES = 2 ** 20;
const MAX_SOURCES = 500;
const MAX_DEPTH = 3;
/** Files whose classes are not meant to be served. */
const NOT_SERVED = /(?:^|\/)(?:test_[^/]*|[^/]*_test|conftest|setup|noxfile)\.py$/;

/** Python classes that answer requests; certain when the file is called like the class, as the Seldon convention has it. */
export async function findPythonCandidates(
  files: readonly ModelFile[],
  options?: CallOptions,
): Promise<readonly Candidate[]> {
  const sources = files.filter(isSource).slice(0, MAX_SOURCES);
  const found = await mapLimited(sources, 8, (file) => candidatesOf(file, options));
  return found.flat();
}

/** The classes of a Python file. Never runs it. */
export async function classesIn(
  file: ModelFile,
  options: CallOptions = {},
): Promise<readonly PythonClass[]> {
  if (file.size > MAX_SOURCE_BYTES) return [];
  return findPythonClasses(
    await readFile(file.location, { encoding: "utf8", signal: options.signal }),
  );
}

function isSource({ path, size }: ModelFile): boolean {
  return (
    path.endsWith(".py") &&
    size <= MAX_SOURCE_BYTES &&
    path.split("/").length <= MAX_DEPTH &&
    !NOT_SERVED.test(path)
  );
}

async function candidatesOf(
  file: ModelFile,
  options: CallOptions | undefined,
): Promise<readonly Candidate[]> {
  const stem = posix.basename(file.path, ".py");
  return (await classesIn(file, options))
    .filter(
      (one) =>
        one.members.some((member) => CONTRACT_METHODS.has(member)) ||
        (one.name === stem && /\bSeldonComponent\b/.test(one.bases)),
    )
    .map(({ name }) => ({
      kind: "class",
      code: { file: file.path, name, language: "python" },
      isCertain: name === stem,
      label: `Python class "${name}" in "${file.path}"`,
    }));
}
