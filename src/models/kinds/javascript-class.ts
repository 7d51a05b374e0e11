import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import { type CallOptions } from "../../ground/bytes/index.ts";
import { mapLimited } from "../../ground/process/index.ts";
import type { Candidate, ModelFile } from "./contracts.ts";
import { findJavascriptClasses } from "./javascript-source.ts";

const MAX_SOURCE_BYTES = 2 ** 20;
const MAX_SOURCES = 500;
const MAX_DEPTH = 3;
const SOURCE = /\.[mc]?[jt]s$/;
/** Files whose classes are not meant to be served. */
const NOT_SERVED = /(?:^|\/)node_modules\/|\.d\.[mc]?ts$|\.(?:test|spec|config)\.[mc]?[jt]s$/;

/** Any of these makes a class one that can answer requests, in the spelling of Python or of JavaScript. */
const CONTRACT_METHODS: ReadonlySet<string> = new Set([
  "predict",
  "transform_input",
  "transform_output",
  "transformInput",
  "transformOutput",
  "route",
  "aggregate",
  "predict_raw",
  "predictRaw",
  "predict_rest",
  "predictRest",
]);

/** JavaScript and TypeScript classes that answer requests; certain when the file is called like the class, as for Python. */
export async function findJavascriptCandidates(
  files: readonly ModelFile[],
  options?: CallOptions,
): Promise<readonly Candidate[]> {
  const sources = files.filter(isSource).slice(0, MAX_SOURCES);
  return (await mapLimited(sources, 8, (file) => candidatesOf(file, options))).flat();
}

function isSource({ path, size }: ModelFile): boolean {
  return (
    SOURCE.test(path) &&
    !NOT_SERVED.test(path) &&
    size <= MAX_SOURCE_BYTES &&
    path.split("/").length <= MAX_DEPTH
  );
}

async function candidatesOf(
  file: ModelFile,
  options: CallOptions | undefined,
): Promise<readonly Candidate[]> {
  const stem = posix.basename(file.path).replace(SOURCE, "");
  const classes = findJavascriptClasses(
    await readFile(file.location, { encoding: "utf8", signal: options?.signal }),
  );
  return classes
    .filter(({ members }) => members.some((member) => CONTRACT_METHODS.has(member)))
    .map(({ name = "default" }) => ({
      kind: "class",
      code: { file: file.path, name, language: "javascript" },
      isCertain: name === stem,
      label: `JavaScript class "${name}" in "${file.path}"`,
    }));
}
