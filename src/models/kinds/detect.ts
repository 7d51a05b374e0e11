import { posix } from "node:path";
import { ProjectError } from "../../ground/errors/index.ts";
import type { CallOptions } from "../../ground/bytes/index.ts";
import { nearestName, type CodeEntry, type ModelKind } from "../description/index.ts";
import { chooseCandidate } from "./choose-candidate.ts";
import type { Candidate, ModelFacts, ModelFile, ReadOptions } from "./contracts.ts";
import { labelsBeside } from "./files/labels.ts";
import { folderOf } from "./files/model-file.ts";
import { classesIn } from "./python-class.ts";
import { KIND_ROWS, kindRow } from "./rows.ts";

/** What to look at, and what the project file has already decided. */
export interface DetectRequest {
  /** How the folder is called in errors. */
  readonly folder: string;
  readonly files: readonly ModelFile[];
  /** `model:` of the project file: a file or folder among `files`. */
  readonly model?: string | undefined;
  /** `kind:` of the project file. */
  readonly kind?: ModelKind | undefined;
  /** `code:` of the project file: `File.py:Class` or `File.py`. */
  readonly code?: string | undefined;
}

/** The model of a folder. */
export interface DetectedModel extends ModelFacts {
  readonly chosen: Candidate;
  /** Everything that was found, for `init` and for reports. */
  readonly candidates: readonly Candidate[];
}

/**
 * Finds out what kind of model a folder holds, and reads what its files say of it. `chooseCandidate` has the rule where several are found.
 * @throws ProjectError `MODEL_NOT_DETECTED` listing what was found and what to write; `MODEL_FILE_INVALID` when the chosen file is damaged.
 */
export async function detectModel(
  request: DetectRequest,
  options: ReadOptions = {},
): Promise<DetectedModel> {
  const candidates = (
    await Promise.all(KIND_ROWS.map((row) => row.recognise(request.files, options)))
  ).flat();
  const chosen =
    request.code === undefined
      ? choose(request, candidates)
      : await chooseCode(request, request.code, options);
  const facts = await kindRow(chosen.kind).describe(chosen, request.files, options);
  return {
    ...withLabels(facts, chosen, request.files),
    details: { ...facts.details, ...chosen.about },
    files: filesOf(request, facts.files),
    chosen,
    candidates,
  };
}

/** Names of classes beside a model, when it has none itself. */
function withLabels(
  facts: ModelFacts,
  { kind, modelPath = "" }: Candidate,
  files: readonly ModelFile[],
): ModelFacts {
  if (facts.labels !== undefined || kind === "class") return facts;
  const isFile = files.some(({ path }) => path === modelPath);
  const beside = labelsBeside(files, isFile ? folderOf(modelPath) : modelPath);
  return beside === undefined
    ? facts
    : { ...facts, labels: beside.labels, files: [...facts.files, beside.path] };
}

/** Folders stand for all that is in them. */
function filesOf({ files }: DetectRequest, named: readonly string[]): readonly string[] {
  const wanted = new Set(named);
  const folders = named.map((path) => `${path}/`);
  return files
    .map(({ path }) => path)
    .filter((path) => wanted.has(path) || folders.some((folder) => path.startsWith(folder)));
}

async function chooseCode(
  request: DetectRequest,
  code: string,
  options: CallOptions,
): Promise<Candidate> {
  const colon = code.lastIndexOf(":");
  const file = posix.normalize(colon < 0 ? code : code.slice(0, colon));
  const wanted = colon < 0 ? undefined : code.slice(colon + 1);
  const source = request.files.find(({ path }) => path === file);
  if (source === undefined) {
    const nearest = nearestName(
      file,
      request.files.map(({ path }) => path).filter((path) => /\.(py|[mc]?[jt]s)$/.test(path)),
    );
    throw notDetected(
      request,
      `there is no file "${file}", which code: names`,
      nearest === undefined
        ? "check the path, and that .slipwayignore does not name it"
        : `did you mean "${nearest}"?`,
    );
  }
  const model =
    request.model === undefined ? {} : { modelPath: checkModel(request, request.model) };
  const entry: CodeEntry = file.endsWith(".py")
    ? { file, language: "python", name: await chooseClass(request, { source, wanted }, options) }
    : { file, language: "javascript", name: wanted ?? "default" };
  return {
    kind: "class",
    code: entry,
    ...model,
    isCertain: true,
    label: `class "${entry.name}" in "${file}"`,
  };
}

async function chooseClass(
  request: DetectRequest,
  { source, wanted }: { readonly source: ModelFile; readonly wanted: string | undefined },
  options: CallOptions,
): Promise<string> {
  const names = (await classesIn(source, options)).map(({ name }) => name);
  const stem = posix.basename(source.path, ".py");
  if (wanted === undefined) {
    const only = names.length === 1 ? names[0] : names.find((name) => name === stem);
    if (only !== undefined) return only;
    throw notDetected(
      request,
      `"${source.path}" has ${names.length === 0 ? "no class at its top level" : `the classes ${names.join(", ")}`}`,
      `write which one: code: ${source.path}:${names[0] ?? "Name"}`,
    );
  }
  // A name that the file imports or makes at run time cannot be seen by reading; only a file with classes can be mistaken for another.
  if (names.length === 0 || names.includes(wanted)) return wanted;
  const nearest = nearestName(wanted, names);
  throw notDetected(
    request,
    `"${source.path}" has no class "${wanted}"`,
    nearest === undefined ? `it has ${names.join(", ")}` : `did you mean "${nearest}"?`,
  );
}

function choose(request: DetectRequest, candidates: readonly Candidate[]): Candidate {
  const model = request.model === undefined ? undefined : checkModel(request, request.model);
  const choice = chooseCandidate(candidates, { model, kind: request.kind });
  if (choice.chosen !== undefined) return choice.chosen;
  const { found } = choice;
  if (found.length === 0)
    throw notDetected(
      request,
      nothingFound(request),
      "add the model, or write slipway.yaml with `code: File.py:Class` or `model: FILE`",
    );
  throw notDetected(
    request,
    `found ${found.length} that could be it: ${labelsOf(found)}`,
    `write one of them into slipway.yaml: ${suggestionOf(found)}`,
  );
}

function checkModel(request: DetectRequest, model: string): string {
  const path = posix.normalize(model).replace(/\/$/, "");
  if (
    path === "." ||
    request.files.some((file) => file.path === path || file.path.startsWith(`${path}/`))
  )
    return path;
  const nearest = nearestName(
    path,
    request.files.map((file) => file.path),
  );
  throw notDetected(
    request,
    `there is no file or folder "${path}", which model: names`,
    nearest === undefined
      ? "check the path, and that .slipwayignore does not name it"
      : `did you mean "${nearest}"?`,
  );
}

function nothingFound({ files, model, kind }: DetectRequest): string {
  if (files.length === 0) return "it is empty";
  const want = kind === undefined ? "no model of a kind that is known" : `no model of kind ${kind}`;
  if (model !== undefined)
    return `"${model}", which model: names, is ${want}, and no class stands beside it`;
  const shown = files.slice(0, 5).map(({ path }) => `"${path}"`);
  return `${want} and no class with predict among its ${files.length} file${files.length === 1 ? "" : "s"} (${shown.join(", ")}${files.length > shown.length ? ", …" : ""})`;
}

function labelsOf(found: readonly Candidate[]): string {
  const shown = found.slice(0, 8).map(({ label }) => label);
  return `${shown.join(", ")}${found.length > shown.length ? ` and ${found.length - shown.length} more` : ""}`;
}

function suggestionOf(found: readonly Candidate[]): string {
  return found
    .slice(0, 3)
    .map(({ code, modelPath = "" }) =>
      code === undefined ? `\`model: ${modelPath}\`` : `\`code: ${code.file}:${code.name}\``,
    )
    .join(" or ");
}

function notDetected(request: DetectRequest, why: string, hint: string): ProjectError {
  return new ProjectError("MODEL_NOT_DETECTED", `find the model in "${request.folder}": ${why}`, {
    hint,
    file: request.folder,
  });
}
