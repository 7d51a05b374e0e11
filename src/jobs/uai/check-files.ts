import { readdir, readFile, stat } from "node:fs/promises";
import { join, posix } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import { findPythonClasses } from "../../models/python-source/index.ts";
import type { FlagProblem, NamedFramework, UaiModel } from "./contracts.ts";

/** What a folder holds for a job. */
export interface CheckedModel {
  /** Relative to the folder. */
  readonly modelFiles: readonly string[];
  /** The main module's file, relative to the folder. */
  readonly mainFile: string;
  readonly problems: readonly FlagProblem[];
}

/** Which class a configuration names. */
export interface ConfEntry {
  readonly mainModule: string;
  readonly mainClass: string;
}

const MAX_CONF_BYTES = 1 << 20;
const MAX_SOURCE_BYTES = 4 << 20;

/** Looks for the model's files by the framework's naming rules, and for the class. Reads code, never runs it. */
export async function checkModel(
  folder: string,
  framework: NamedFramework,
  model: UaiModel,
): Promise<CheckedModel> {
  const files = await modelFilesOf(folder, framework, model);
  const main = await checkClass(folder, model);
  return {
    modelFiles: files.found,
    mainFile: main.file,
    problems: [...main.problems, ...files.problems],
  };
}

/** Whether the module and its class are there. A name that is imported from elsewhere counts, since only running could tell. */
export async function checkClass(
  folder: string,
  { mainModule, mainClass }: ConfEntry,
): Promise<{ readonly file: string; readonly problems: readonly FlagProblem[] }> {
  const stem = mainModule.split(".").join("/");
  if (stem === "") return { file: "", problems: [] };
  const candidates = [`${stem}.py`, `${stem}/__init__.py`];
  for (const file of candidates) {
    const stats = await stat(join(folder, file)).catch(noFile);
    if (stats?.isFile() !== true) continue;
    if (stats.size > MAX_SOURCE_BYTES)
      return {
        file,
        problems: [
          { flag: "main_module", why: `"${file}" has ${stats.size} bytes, which no source has` },
        ],
      };
    const source = await readFile(join(folder, file), "utf8");
    const known = findPythonClasses(source).map(({ name }) => name);
    const name = mainClass.replaceAll(/[$()*+./?[\\\]^{|}]/g, String.raw`\$&`);
    const isImported = new RegExp(
      `^(?:from\\s.*)?(?:import\\s.*|\\s+.*)\\b${name}\\b|^${name}\\s*=`,
      "mu",
    ).test(source);
    if (mainClass === "" || known.includes(mainClass) || isImported) return { file, problems: [] };
    return {
      file,
      problems: [
        {
          flag: "main_class",
          why: `there is no class "${mainClass}" in "${file}"${known.length === 0 ? "" : `, which has ${known.slice(0, 5).join(", ")}`}`,
        },
      ],
    };
  }
  return {
    file: candidates[0] ?? "",
    problems: [
      {
        flag: "main_module",
        why: `${(await isFileName(folder, mainModule)) ? `write "${mainModule.slice(0, -3)}", without .py` : `there is no "${candidates[0]}" in the folder`}`,
      },
    ],
  };
}

async function isFileName(folder: string, mainModule: string): Promise<boolean> {
  return (
    mainModule.endsWith(".py") &&
    (await stat(join(folder, mainModule)).catch(noFile))?.isFile() === true
  );
}

/** What a configuration of the user's own says. */
export type ReadConf =
  | {
      readonly kind: "read";
      readonly bytes: Uint8Array;
      readonly entry: ConfEntry;
      /** Folders of models that it names. */
      readonly modelDirs: readonly string[];
    }
  | { readonly kind: "missing" }
  /** It is there, and not of the contract. */
  | { readonly kind: "invalid"; readonly why: string };

const BYTE_ORDER_MARK = "\uFEFF";

/** Reads a configuration of the user's own. */
export async function readConf(path: string): Promise<ReadConf> {
  const stats = await stat(path).catch(noFile);
  if (stats?.isFile() !== true) return { kind: "missing" };
  if (stats.size > MAX_CONF_BYTES)
    return { kind: "invalid", why: `it is longer than ${MAX_CONF_BYTES} bytes` };
  const text = await readFile(path, "utf8");
  // Editors of Windows put the mark there, and Python's JSON reader refuses it.
  const json = text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text;
  try {
    const server = memberOf(JSON.parse(json), "http_server");
    const exec = memberOf(server, "exec");
    const [mainModule, mainClass] = [memberOf(exec, "main_file"), memberOf(exec, "main_class")];
    if (
      typeof mainModule === "string" &&
      typeof mainClass === "string" &&
      mainModule !== "" &&
      mainClass !== ""
    )
      return {
        ...{ kind: "read", bytes: Buffer.from(json), entry: { mainModule, mainClass } },
        modelDirs: modelDirsIn(server),
      };
    return { kind: "invalid", why: "it has no http_server.exec.main_file and main_class" };
  } catch (error) {
    // What follows the comma quotes the file.
    const why = error instanceof Error ? error.message.replace(/, ".*/s, "") : "";
    return { kind: "invalid", why: `it is not JSON: ${why}` };
  }
}

/** `model_dir` of every section of a framework. */
function modelDirsIn(server: unknown): readonly string[] {
  const sections = typeof server === "object" && server !== null ? Object.values(server) : [];
  return sections
    .map((section) => memberOf(section, "model_dir"))
    .filter((folder) => typeof folder === "string");
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined; // checked: an object
}

interface FoundModelFiles {
  readonly found: readonly string[];
  readonly problems: readonly FlagProblem[];
}

async function modelFilesOf(
  folder: string,
  framework: NamedFramework,
  model: UaiModel,
): Promise<FoundModelFiles> {
  if (model.modelDir === "") return { found: [], problems: [] };
  const dir = posix.normalize(model.modelDir).replace(/\/+$/, "");
  if (posix.isAbsolute(dir) || dir === ".." || dir.startsWith("../"))
    return {
      found: [],
      problems: [{ flag: "model_dir", why: `"${model.modelDir}" is not inside the folder` }],
    };
  const names = await readdir(join(folder, dir)).catch(noFile);
  if (names === undefined)
    return {
      found: [],
      problems: [
        { flag: "model_dir", why: `there is no folder "${model.modelDir}" in the folder` },
      ],
    };
  if (framework === "tf") {
    const found = await filesIn(folder, dir, names);
    return {
      found,
      problems:
        names.length === 0 ? [{ flag: "model_dir", why: `"${model.modelDir}" is empty` }] : [],
    };
  }
  // An epoch that is no number was complained of already; no file has such a name.
  if (framework === "mxnet" && !Number.isSafeInteger(model.epoch))
    return { found: [], problems: [] };
  const parts = modelFileNames(framework, model).map((choices) => ({
    choices,
    found: choices.find((name) => names.includes(name)),
  }));
  return {
    found: parts.flatMap(({ found }) => (found === undefined ? [] : [posix.join(dir, found)])),
    problems: parts
      .filter(({ found }) => found === undefined)
      .map(({ choices }) => ({
        flag: "model_name",
        why: `there is no ${choices.map((name) => `"${name}"`).join(" or ")} in "${model.modelDir}"`,
      })),
  };
}

async function filesIn(
  folder: string,
  dir: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const all = await Promise.all(
    names.toSorted().map(async (name) => ({
      path: posix.join(dir, name),
      stats: await stat(join(folder, dir, name)).catch(noFile),
    })),
  );
  return all.filter(({ stats }) => stats?.isFile() === true).map(({ path }) => path);
}

/** For each file that there must be: the names that it may have. */
function modelFileNames(
  framework: Exclude<NamedFramework, "tf">,
  { modelName: name, isOneFile, archType, epoch }: UaiModel,
): readonly (readonly string[])[] {
  const ending = (...endings: readonly string[]): readonly string[] =>
    endings.map((one) => `${name}.${one}`);
  switch (framework) {
    case "caffe":
      return [ending("prototxt"), ending("caffemodel")];
    case "keras":
      return isOneFile ? [ending("h5")] : [ending(archType), ending("h5")];
    case "mxnet":
      return [[`${name}-symbol.json`], [`${name}-${String(epoch).padStart(4, "0")}.params`]];
    case "pytorch":
      return [ending("pt", "pth", "pt2", "pkl")];
    case "onnx":
      return [ending("onnx")];
    case "sklearn":
      return [ending("joblib", "pkl", "skops")];
    case "xgboost":
      return [[name, ...ending("model", "json", "ubj")]];
  }
}
