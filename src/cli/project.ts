import { readFile, realpath, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ToolError } from "../errors/index.ts";
import { detectModel, type DetectedModel } from "../formats/index.ts";
import { MAX_PROJECT_FILE_BYTES, parseProjectFile, PROJECT_FILE_NAME, type Contract, type Ports, type ProjectFile } from "../model/index.ts";
import { walkProject, type PackProject } from "../pack/index.ts";
import type { Context } from "./context.ts";

/** What the command line says beside the project file; it wins. */
export interface ProjectFlags {
  readonly code?: string | undefined;
  readonly model?: string | undefined;
  readonly serviceType?: string | undefined;
  readonly allowSecret?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly findLinks?: readonly string[] | undefined;
  readonly indexUrl?: string | undefined;
}

/** A project that is read and detected. */
export interface LoadedProject {
  readonly file: ProjectFile;
  readonly detected: DetectedModel;
  readonly project: PackProject;
}

const DEFAULT_PORTS: Readonly<Record<Contract, Ports>> = {
  seldon: { http: 9000, grpc: 5000, metrics: 6000 },
  uai: { http: 8080 },
  "model-server": { http: 5000 },
  kserve: { http: 8080, grpc: 8081 },
};

/** Reads the folder's project file, detects its model, and decides what neither says. @throws ToolError `PROJECT_NOT_FOUND`, `PROJECT_INVALID`, `MODEL_NOT_DETECTED`. */
export async function loadProject(folder: string, flags: ProjectFlags, context: Context): Promise<LoadedProject> {
  const root = await rootOf(resolve(context.cwd, folder));
  const file = await readProjectFile(root);
  const files = await walkProject(root, { ignore: file.ignore ?? [], signal: context.signal });
  const request = { folder, files: files.map(({ path, source, guard }) => ({ path, location: source, size: guard.size })), model: flags.model ?? file.model, code: flags.code ?? file.code };
  const detected = await detectModel(request, { signal: context.signal });
  const { chosen } = detected;
  for (const warning of detected.warnings) context.reporter.warn(warning);
  const contract = file.contract ?? "seldon";
  const project: PackProject = {
    root,
    name: file.name ?? nameOf(root),
    kind: chosen.kind,
    modelPath: chosen.modelPath === undefined ? undefined : join(root, chosen.modelPath),
    modelFiles: detected.files.filter((path) => path !== chosen.code?.file),
    code: chosen.code,
    signature: detected.signature,
    contract,
    service: serviceOf(flags.serviceType) ?? file.service ?? "MODEL",
    ports: { ...DEFAULT_PORTS[contract], ...file.ports },
    server: file.server ?? {},
    env: { ...file.env, ...flags.env },
    requirements: await requirementsOf(root, file, detected),
    indexes: { indexUrl: flags.indexUrl ?? file.python?.indexUrl, extraIndexUrls: file.python?.extraIndexUrl, findLinks: [...(file.python?.findLinks ?? []), ...(flags.findLinks ?? [])] },
    ignore: file.ignore ?? [],
    allowSecrets: [...(file.allowSecrets === true ? ["**"] : file.allowSecrets === false ? [] : (file.allowSecrets ?? [])), ...(flags.allowSecret ?? [])],
    labels: file.labels ?? {},
    annotations: file.annotations ?? {},
    epochS: epochOf(context.env["SOURCE_DATE_EPOCH"]),
  };
  return { file, detected, project };
}

async function rootOf(folder: string): Promise<string> {
  const stats = await stat(folder).catch(() => undefined);
  if (stats?.isDirectory() !== true) throw new ToolError("PROJECT_NOT_FOUND", `read "${folder}": there is no such folder`);
  return realpath(folder);
}

async function readProjectFile(root: string): Promise<ProjectFile> {
  const path = join(root, PROJECT_FILE_NAME);
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return {};
  if (stats.size > MAX_PROJECT_FILE_BYTES) throw new ToolError("PROJECT_INVALID", `read "${path}": it is longer than ${MAX_PROJECT_FILE_BYTES} bytes`);
  return parseProjectFile(await readFile(path, "utf8"), path);
}

/** Files that the project file names, else `requirements.txt` when there is Python to run. */
async function requirementsOf(root: string, file: ProjectFile, { chosen }: DetectedModel): Promise<readonly string[]> {
  if (file.python?.requirements !== undefined) return file.python.requirements;
  const isPython = chosen.code?.language === "python" || chosen.kind === "sklearn";
  const stats = await stat(join(root, "requirements.txt")).catch(() => undefined);
  return isPython && stats?.isFile() === true ? ["requirements.txt"] : [];
}

const SERVICES = ["MODEL", "ROUTER", "TRANSFORMER", "COMBINER", "OUTLIER_DETECTOR"] as const;

function serviceOf(text: string | undefined): (typeof SERVICES)[number] | undefined {
  const found = SERVICES.find((service) => service === text);
  if (text !== undefined && found === undefined) throw new ToolError("USAGE", `there is no service type "${text}"`, { hint: `it is one of ${SERVICES.join(", ")}` });
  return found;
}

function nameOf(root: string): string {
  return basename(root).toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "") || "model";
}

/** @see https://reproducible-builds.org/specs/source-date-epoch/ */
export function epochOf(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  if (!/^\d{1,11}$/.test(text)) throw new ToolError("USAGE", `SOURCE_DATE_EPOCH is "${text}", which is no count of seconds`);
  return Number(text);
}
