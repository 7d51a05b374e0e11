import { totalmem } from "node:os";
import { resolve } from "node:path";
import type { ModelDescription, Ports } from "../../models/description/index.ts";
import {
  applyLaunch,
  applyServerEnv,
  parseSeldonLaunch,
  readPod,
  type ModelSources,
  type Pod,
  type RunningModels,
  type SeldonLaunch,
  type ServeOptions,
} from "../../serving/server/index.ts";
import { loadProject, type ProjectRequest } from "../pack/project.ts";
import type { Environment, Surroundings } from "../session.ts";
import { describeProject } from "./describe-project.ts";
import { firstOf, openModelFolders, type ModelFolderRequest } from "./model-folders.ts";
import { explainMissing } from "./missing-packages.ts";
import { watchModels } from "./watch-models.ts";
import type { ServeKeysRequest } from "./serve-keys.ts";

/** How models are served on this machine. */
export interface ServeSettings extends Pick<ProjectRequest, "env">, ServeKeysRequest {
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** 0 takes one that is free. Default: the contract's. */
  readonly ports?: Partial<Ports> | undefined;
  /** `rest` leaves gRPC out. Default `both`. */
  readonly apiType?: "rest" | "grpc" | "both" | undefined;
  /** Worker processes. */
  readonly workers?: number | undefined;
  /** Calls of user code at the same time in one worker. */
  readonly threads?: number | undefined;
  /** Typed arguments of the class, as JSON. */
  readonly parameters?: string | undefined;
  readonly logLevel?: string | undefined;
  /** Default: the folder's .venv, the active environment, python3. */
  readonly python?: string | undefined;
  /** Absolute folder of kept environments: what each model needs is installed into one there, which then serves it. Default: nothing is installed. */
  readonly environments?: string | undefined;
  /** Loads what changes anew: code, and the models of a folder. Default false. */
  readonly isWatched?: boolean | undefined;
  /** Logs each request. Default false. */
  readonly logsRequests?: boolean | undefined;
  /** Whether `/` has the page for people. Default true, or what `SLIPWAY_PAGE` says. */
  readonly page?: boolean | undefined;
}

/** A folder to serve as it lies. */
export interface ServeFolderRequest
  extends
    ServeSettings,
    Pick<
      ProjectRequest,
      "code" | "model" | "serviceType" | "allowPickle" | "indexUrl" | "findLinks"
    > {
  readonly folder: string;
  /** True when the models of a folder load with their first call. Default: when there are many, or a budget. */
  readonly isLazy?: boolean | undefined;
  /** Memory that the loaded models of a folder may take together, in MiB. Default: half of what there is, where models load with their first call. */
  readonly memoryBudgetMib?: number | undefined;
}

/** What is to be served, and how. */
export interface OpenedModels {
  readonly description: ModelDescription;
  readonly source: NonNullable<ServeOptions["source"]>;
  readonly others: ModelSources;
  readonly memoryBudgetBytes: number | undefined;
  /** Environment of the model. */
  readonly env: Environment;
  readonly launch: SeldonLaunch;
  readonly pod: Pod;
  /** The error to throw in place of one that loading ended with. */
  readonly explain: (error: unknown) => Promise<unknown>;
  /** Follows the models of a folder as they change, until it is disposed of. */
  readonly watch: (server: RunningModels) => AsyncDisposable;
}

/** The models of a folder of models, or the project in a folder. */
export async function openFolder(
  request: ServeFolderRequest,
  session: Surroundings,
): Promise<OpenedModels> {
  const { folder, code, model, serviceType, env: own = {} } = request;
  const { allowPickle, indexUrl, findLinks, environments } = request;
  if (code === undefined && model === undefined) {
    const about = await finishing(own, request, session);
    const place: ModelFolderRequest = {
      folder: resolve(session.cwd, folder),
      project: { env: own, allowPickle, indexUrl, findLinks },
      options: request,
      isLazy: request.isLazy ?? (request.memoryBudgetMib === undefined ? undefined : true),
      finish: about.finish,
    };
    const found = await openModelFolders(place, session);
    if (found !== undefined) return openModels(found, { place, about, request }, session);
  }
  const said = { code, model, serviceType, env: own, allowPickle, indexUrl, findLinks };
  const { project } = await loadProject(folder, said, { session });
  const description = await describeProject(project, request, session);
  const opened = await openDescribed({ description, env: project.env }, request, session);
  const { root, requirements: files, requirementLines: lines } = project;
  const python = description.python?.executable ?? "python3";
  const needed = { python, lines, files, root, isInstalled: environments !== undefined };
  return { ...opened, explain: (error) => explainMissing(error, needed, session) };
}

/** One model, described. */
export interface DescribedModel {
  readonly description: ModelDescription;
  /** Environment that its project names. */
  readonly env: Readonly<Record<string, string>>;
}

/** A model that is described already, with what flags and variables say of it. */
export async function openDescribed(
  { description: found, env }: DescribedModel,
  request: ServeSettings,
  session: Surroundings,
): Promise<OpenedModels> {
  const about = await finishing(env, request, session);
  const description = about.finish(found);
  return {
    ...about,
    description,
    source: { version: "1", describe: async () => description },
    others: { models: [] },
    memoryBudgetBytes: undefined,
    explain: async (error) => error,
    watch: () => NOTHING_TO_WATCH,
  };
}

/** What flags and variables say of every model. @param own - environment that a project names */
async function finishing(
  own: Readonly<Record<string, string>>,
  request: ServeSettings,
  session: Surroundings,
): Promise<Finishing> {
  const env = { ...session.environment, ...own };
  const pod = await readPod(env);
  const launch = launchOf(request, env);
  const finish = (one: ModelDescription): ModelDescription =>
    pod.applyTo(applyServerEnv(served(applyLaunch(one, launch), request, launch), env));
  return { env, pod, launch, finish };
}

const NOTHING_TO_WATCH: AsyncDisposable = { [Symbol.asyncDispose]: async () => undefined };

type Finishing = Pick<OpenedModels, "env" | "pod" | "launch"> & Pick<ModelFolderRequest, "finish">;

interface FoundModels {
  readonly place: ModelFolderRequest;
  readonly about: Finishing;
  readonly request: ServeFolderRequest;
}

async function openModels(
  found: ModelSources,
  { place, about, request }: FoundModels,
  session: Surroundings,
): Promise<OpenedModels> {
  const { source, description } = await firstOf(found, request.folder);
  const models = found.models.filter((one) => one !== source);
  const isLazy = models.some((one) => one.isLazy === true);
  const mib = request.memoryBudgetMib;
  return {
    ...about,
    description,
    source: { ...source, isLazy: false },
    others: { ...found, models },
    memoryBudgetBytes: mib !== undefined ? mib * 2 ** 20 : isLazy ? defaultBudget() : undefined,
    explain: async (error) => error,
    watch: (server) =>
      request.isWatched === true ? watchModels(server, place, session) : NOTHING_TO_WATCH,
  };
}

/** Half of the memory that this process may take, in bytes. */
function defaultBudget(): number {
  const limit = process.constrainedMemory();
  const total = limit > 0 ? Math.min(limit, totalmem()) : totalmem(); // without a limit it says 0, or more than there is
  return Math.floor(total / 2);
}

/** Flags, and the variables of Seldon's wrapper; the class and its service type are the project's own. */
function launchOf(
  { workers, threads, parameters, logLevel }: ServeSettings,
  env: Environment,
): SeldonLaunch {
  const said = Object.entries({ workers, threads, parameters, "log-level": logLevel });
  const argv = said.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
  return parseSeldonLaunch(argv, { ...env, MODEL_NAME: undefined, SERVICE_TYPE: undefined });
}

/** The description without what is not to be served. */
function served(
  description: ModelDescription,
  { apiType }: ServeSettings,
  { hasGrpc }: SeldonLaunch,
): ModelDescription {
  const { grpc, ...others } = description.ports;
  return (apiType === "rest" || !hasGrpc) && grpc !== undefined
    ? { ...description, ports: others }
    : description;
}
