import { readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import { ProjectError, ToolError } from "../../ground/errors/index.ts";
import {
  checkPickles,
  detectModel,
  kindRow,
  type DetectedModel,
  type FactMemory,
  type ModelFile,
} from "../../models/kinds/index.ts";
import {
  type ModelKind,
  runtimeOf,
  MAX_PROJECT_FILE_BYTES,
  parseProjectFile,
  PROJECT_FILE_NAME,
  type Contract,
  type ProjectFile,
} from "../../models/description/index.ts";
import {
  walkTree,
  type PackProject,
  type ProjectTree,
  type WalkedFile,
} from "../../images/pack/index.ts";
import { defaultPortsOf } from "../../serving/protocols/index.ts";
import { declaredLines } from "../python/declared-packages.ts";
import { processingOf } from "./processing.ts";
import type { Surroundings } from "../session.ts";
import { epochOf } from "../settings.ts";
import { fetchedKinds, FETCHING_CONTRACT, isFetchImage } from "./fetch-project.ts";
import { readFolderEnv, type FolderEnv } from "./folder-env.ts";
import type { PackingRequest } from "./packing-request.ts";
import { provenanceOf } from "./provenance.ts";

/** What is said beside the project file; it wins. */
export interface ProjectRequest extends PackingRequest {
  readonly code?: string | undefined;
  readonly model?: string | undefined;
  readonly serviceType?: string | undefined;
  /** What the model is, where its files would do for several. */
  readonly kind?: ModelKind | undefined;
  /** Which clients and ports it is for. Default: `contract` of the project file, else `seldon`. */
  readonly contract?: Contract | undefined;
  /** Makes an image of the model's weights alone. Default false. */
  readonly isWeightsAlone?: boolean | undefined;
  /** Makes an image without a model, which fetches one of these kinds when it starts. */
  readonly fetchedKinds?: readonly string[] | undefined;
  /** Classes and functions, as `MODULE.NAME`, that pickles may import. */
  readonly allowPickle?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** A project that is read and detected. */
export interface LoadedProject {
  readonly file: ProjectFile;
  readonly detected: DetectedModel;
  readonly project: PackProject;
  /** The folder's files, which detection saw and packing takes. */
  readonly tree: ProjectTree;
}

/**
 * Reads the folder's project file, detects its model, and decides what neither says.
 * @param memory - where facts of model files are kept, so that unchanged ones are not read again.
 * @throws ToolError `PROJECT_NOT_FOUND`, `PROJECT_INVALID`, `MODEL_NOT_DETECTED`.
 */
export async function loadProject(
  folder: string,
  request: ProjectRequest,
  { session, memory }: { readonly session: Surroundings; readonly memory?: FactMemory },
): Promise<LoadedProject> {
  const root = await rootOf(resolve(session.cwd, folder));
  const file = await readProjectFile(root);
  const tree = await walkTree(root, { ignore: file.ignore ?? [], signal: session.signal });
  const { files } = tree;
  sayWhatGoesInOnce(tree, session);
  const container = await readFolderEnv(root, files);
  if (isFetchImage(request, file, tree))
    return fetchProject({ root, file, tree, container }, request, session);
  const allowPickle = [...(file.allowPickle ?? []), ...(request.allowPickle ?? [])];
  const detected = await detectModel(
    {
      folder,
      files: files.map(modelFile),
      kind: request.kind ?? file.kind,
      ...namedBy({ ...request, code: codeInside(root, request.code) }, file, container),
    },
    { signal: session.signal, memory, allowPickle },
  );
  await checkPickles(othersThanModel(files.map(modelFile), detected), {
    signal: session.signal,
    memory,
    allowPickle,
  });
  refuseUnserved(detected);
  for (const warning of detected.warnings) session.emit({ kind: "warning", text: warning });
  const project: PackProject = {
    root,
    name: file.name ?? folderName(root),
    ...modelOf(root, detected),
    ...(request.isWeightsAlone === true && { isWeightsAlone: true }),
    processing: processingOf(root, file, detected),
    ...serviceOf(request, file, container),
    ...settingsOf(request, { file, container }, session),
    ...(await requirementsOf({ root, file, detected }, session)),
    labels: {
      ...(await provenanceOf(root, { tree, modelFiles: weightsOf(detected) }, session)),
      ...file.labels,
    },
  };
  if (container.sources.length > 0)
    session.emit({
      kind: "step",
      text: `taking the environment from ${container.sources.join(" and ")}; no step is run`,
    });
  return { file, detected, project, tree };
}

/** A project whose image has no model in it, and fetches one when it starts. */
async function fetchProject(
  about: {
    readonly root: string;
    readonly file: ProjectFile;
    readonly tree: ProjectTree;
    readonly container: FolderEnv;
  },
  request: ProjectRequest,
  session: Surroundings,
): Promise<LoadedProject> {
  const { root, file, tree, container } = about;
  const named = request.fetchedKinds ?? (file.kind === undefined ? [] : [file.kind]);
  const { kinds, requirements } = fetchedKinds(named);
  const detected = { ...TO_BE_FETCHED, requirements };
  session.emit({
    kind: "step",
    text: `no model goes in: the image fetches one when it starts (${kinds.join(", ")})`,
  });
  const contract = request.contract ?? file.contract ?? FETCHING_CONTRACT;
  const project: PackProject = {
    root,
    name: file.name ?? folderName(root),
    kind: "class",
    fetchedKinds: kinds,
    ...serviceOf({ ...request, contract }, file, container),
    ...settingsOf(request, { file, container }, session),
    ...(requirements.length === 0
      ? { requirements: [], requirementLines: [] }
      : await requirementsOf({ root, file, detected }, session)),
    labels: file.labels ?? {},
  };
  return { file, detected, project, tree: { ...tree, files: [], emptyFolders: [] } };
}

/** What is known of a model that is not there yet. */
const TO_BE_FETCHED: DetectedModel = {
  chosen: { kind: "class", isCertain: true, label: "a model that is fetched" },
  ...{ files: [], warnings: [], details: {}, candidates: [] },
};

/** What is said of a project and does not depend on its model. */
function settingsOf(
  request: ProjectRequest,
  { file, container }: { readonly file: ProjectFile; readonly container: FolderEnv },
  session: Surroundings,
): Pick<
  PackProject,
  | "env"
  | "indexes"
  | "pythonVersion"
  | "ignoreLibraries"
  | "ignore"
  | "allowSecrets"
  | "allowPickle"
  | "annotations"
  | "epochS"
> {
  const allowPickle = [...(file.allowPickle ?? []), ...(request.allowPickle ?? [])];
  return {
    env: { ...container.env, ...file.env, ...request.env },
    indexes: indexesOf(request, file, session.cwd),
    pythonVersion: file.python?.version,
    ignoreLibraries: missingLibraries(request, file),
    ignore: file.ignore ?? [],
    allowSecrets: allowedSecrets(request, file),
    ...(allowPickle.length === 0 ? {} : { allowPickle }),
    annotations: file.annotations ?? {},
    epochS: epochOf(session.environment["SOURCE_DATE_EPOCH"]),
  };
}

/** A model that lacks a part, or that has no runtime here, is described and then refused. */
function refuseUnserved({ obstacle, chosen }: DetectedModel): void {
  if (obstacle === undefined) return;
  const path = chosen.modelPath ?? "";
  throw new ProjectError(obstacle.code, `serve "${path}": ${obstacle.why}`, {
    hint: obstacle.hint,
    file: path,
  });
}

/** What only the project's own code may load; the model of a kind that we load was looked into as such. */
function othersThanModel(
  files: readonly ModelFile[],
  { chosen }: DetectedModel,
): readonly ModelFile[] {
  return files.filter(({ path }) => chosen.code !== undefined || path !== chosen.modelPath);
}

/** A class file of the project may be named by its absolute path, as a shell completes it. */
function codeInside(root: string, code: string | undefined): string | undefined {
  if (code === undefined || !isAbsolute(code)) return code;
  const path = relative(root, code);
  return path.startsWith("..") ? code : path;
}

function namedBy(
  request: ProjectRequest,
  file: ProjectFile,
  container: FolderEnv,
): { readonly model: string | undefined; readonly code: string | undefined } {
  return { model: request.model ?? file.model, code: request.code ?? file.code ?? container.code };
}

/** A file of the project as the kinds look at it. */
export function modelFile({ path, source, guard }: WalkedFile): ModelFile {
  const { dev, ino, size, mtimeNs, ctimeNs } = guard;
  return { path, location: source, size, identity: `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}` };
}

function modelOf(
  root: string,
  detected: DetectedModel,
): Pick<PackProject, "kind" | "modelPath" | "modelFiles" | "code" | "signature"> {
  const { chosen, signature } = detected;
  return {
    kind: chosen.kind,
    modelPath: chosen.modelPath === undefined ? undefined : join(root, chosen.modelPath),
    modelFiles: weightsOf(detected),
    code: chosen.code,
    signature,
  };
}

/** Files that the model is made of, without the class that loads them. */
function weightsOf({ chosen, files }: DetectedModel): readonly string[] {
  return files.filter((path) => path !== chosen.code?.file);
}

function serviceOf(
  request: ProjectRequest,
  file: ProjectFile,
  container: FolderEnv,
): Pick<PackProject, "contract" | "service" | "ports" | "server"> {
  const { ports, server = {} } = file;
  const contract = request.contract ?? file.contract ?? "seldon";
  return {
    contract,
    service:
      parseService(request.serviceType) ??
      file.service ??
      parseService(container.service) ??
      "MODEL",
    ports: { ...defaultPortsOf(contract), ...ports },
    server,
  };
}

/** What the command line names is where the user stands; what the project file names is in the project. */
function indexesOf(
  request: ProjectRequest,
  { python = {} }: ProjectFile,
  cwd: string,
): PackProject["indexes"] {
  return {
    indexUrl: request.indexUrl ?? python.indexUrl,
    extraIndexUrls: python.extraIndexUrl,
    findLinks: [
      ...(python.findLinks ?? []),
      ...(request.findLinks ?? []).map((place) =>
        /^(https?|file):/.test(place) ? place : resolve(cwd, place),
      ),
    ],
  };
}

function sayWhatGoesInOnce({ linkedBlobs }: ProjectTree, { emit }: Surroundings): void {
  if (linkedBlobs.length > 0)
    emit({
      kind: "step",
      text: `${linkedBlobs.length} ${linkedBlobs.length === 1 ? "blob" : "blobs"} of a Hugging Face cache go in once, under the names of the snapshots`,
    });
}

function missingLibraries(
  { allowMissingLibraries = [] }: ProjectRequest,
  { python }: ProjectFile,
): readonly string[] {
  return [...(python?.ignoreLibraries ?? []), ...allowMissingLibraries];
}

function allowedSecrets(
  request: ProjectRequest,
  { allowSecrets = [] }: ProjectFile,
): readonly string[] {
  const named = typeof allowSecrets === "boolean" ? (allowSecrets ? ["**"] : []) : allowSecrets;
  return [...named, ...(request.allowSecrets ?? [])];
}

async function rootOf(folder: string): Promise<string> {
  const stats = await stat(folder).catch(noFile);
  if (stats === undefined)
    throw new ToolError("PROJECT_NOT_FOUND", `read "${folder}": there is no such folder`);
  if (!stats.isDirectory())
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      `read "${folder}": it is a file, and a folder is wanted`,
      { hint: `name the folder that it lies in: ${dirname(folder)}` },
    );
  return realpath(folder);
}

/** The project file of a folder; empty when there is none. @throws ProjectError `PROJECT_INVALID` */
export async function readProjectFile(root: string): Promise<ProjectFile> {
  const path = join(root, PROJECT_FILE_NAME);
  const stats = await stat(path).catch(noFile);
  if (stats === undefined) return {};
  if (stats.size > MAX_PROJECT_FILE_BYTES)
    throw new ToolError(
      "PROJECT_INVALID",
      `read "${path}": it is longer than ${MAX_PROJECT_FILE_BYTES} bytes`,
    );
  return parseProjectFile(await readFile(path, "utf8"), path);
}

/** Files that the project file names, else `requirements.txt` when there is Python to run, else what a lock or `pyproject.toml` declares, else what the model file itself needs. */
async function requirementsOf(
  about: { readonly root: string; readonly file: ProjectFile; readonly detected: DetectedModel },
  session: Surroundings,
): Promise<Pick<PackProject, "requirements" | "requirementLines">> {
  const { root, file, detected } = about;
  const { chosen } = detected;
  if (file.python?.requirements !== undefined)
    return { requirements: file.python.requirements, requirementLines: [] };
  if (runtimeOf(chosen) !== "python") return { requirements: [], requirementLines: [] };
  const stats = await stat(join(root, "requirements.txt")).catch(noFile);
  if (stats?.isFile() === true) return { requirements: ["requirements.txt"], requirementLines: [] };
  const declared = await declaredLines(root, session);
  if (declared.length > 0) return { requirements: [], requirementLines: declared };
  return { requirements: [], requirementLines: neededBy(detected) };
}

/** Lines of requirements that the model file itself needs. */
export function neededBy({ chosen, requirements }: DetectedModel): readonly string[] {
  return requirements ?? kindRow(chosen.kind).requirements;
}

const SERVICES = ["MODEL", "ROUTER", "TRANSFORMER", "COMBINER", "OUTLIER_DETECTOR"] as const;

function parseService(text: string | undefined): (typeof SERVICES)[number] | undefined {
  const found = SERVICES.find((service) => service === text);
  if (text !== undefined && found === undefined)
    throw new ToolError("USAGE", `there is no service type "${text}"`, {
      hint: `it is one of ${SERVICES.join(", ")}`,
    });
  return found;
}

function folderName(root: string): string {
  return (
    basename(root)
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-+|-+$/g, "") || "model"
  );
}
