import { once } from "node:events";
import { resolve } from "node:path";
import type { ModelDescription, Ports } from "../../models/description/index.ts";
import {
  applyLaunch,
  applyServerEnv,
  controlOf,
  createLogger,
  parseObserveSettings,
  parseSeldonLaunch,
  readPod,
  serveModel,
  serveOptions,
  type RunningServer,
  type SeldonLaunch,
} from "../../serving/server/index.ts";
import { loadProject, type ProjectRequest } from "../pack/project.ts";
import type { Caller, Environment, Surroundings } from "../session.ts";
import { describeModels, modelFoldersIn } from "./describe-models.ts";
import { describeProject } from "./describe-project.ts";
import { sampleRequest } from "./sample-request.ts";

/** How models are served on this machine. */
export interface ServeSettings extends Pick<ProjectRequest, "env"> {
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
  /** Loads the code anew when it changes. Default false. */
  readonly isWatched?: boolean | undefined;
  /** Logs each request. Default false. */
  readonly logsRequests?: boolean | undefined;
}

/** A folder to serve as it lies. */
export interface ServeFolderRequest
  extends ServeSettings, Pick<ProjectRequest, "code" | "model" | "serviceType" | "allowPickle"> {
  readonly folder: string;
}

/**
 * Serves a folder until the session is aborted; tells when it is ready, and what is logged.
 * @throws ToolError `PROJECT_NOT_FOUND`, `MODEL_NOT_DETECTED`, `MODEL_LOAD_FAILED`, `PORT_TAKEN`.
 */
export async function serveFolder(
  request: ServeFolderRequest,
  session: Surroundings,
): Promise<void> {
  await serveDescribed(await describeFolder(request, session), request, session);
}

/** Serves models that are described until the session is aborted. @throws as `serveFolder` */
export async function serveDescribed(
  found: DescribedModels,
  request: ServeSettings,
  session: Surroundings,
): Promise<void> {
  const { signal, emit } = session;
  const { host = "127.0.0.1" } = request;
  const env = { ...session.environment, ...found.env };
  const pod = await readPod(env);
  const launch = launchOf(request, env);
  for (const note of launch.ignored) emit({ kind: "warning", text: `has no effect here: ${note}` });
  const [description, ...others] = found.models.map((one) =>
    pod.applyTo(applyServerEnv(served(applyLaunch(one, launch), request, launch), env)),
  );
  if (description === undefined) throw new Error("a folder was described without a model");
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  emit({ kind: "step", text: `loading ${description.name}${more}` });
  await using server = await serveModel(description, {
    ...serveOptions(launch),
    host,
    ports: request.ports ?? {},
    ...pod.options,
    log: createLogger({ write: (text) => emit({ kind: "output", text }) }),
    env,
    observe: {
      ...parseObserveSettings(env, description.name),
      logsRequests: request.logsRequests === true,
    },
    watch: request.isWatched === true,
    others,
    ...controlOf(env),
    signal,
  });
  const scheme = pod.options.tls === undefined ? "http" : "https";
  announce(server, { description, host, scheme }, session);
  if (!signal.aborted) await once(signal, "abort");
  await server.stop();
}

/** What is to be served. */
export interface DescribedModels {
  /** At least one. */
  readonly models: readonly ModelDescription[];
  /** Environment that the project names. */
  readonly env: Readonly<Record<string, string>>;
}

/** The project in a folder, or the models of a folder of models. */
async function describeFolder(
  request: ServeFolderRequest,
  session: Surroundings,
): Promise<DescribedModels> {
  const { folder, code, model, serviceType, env = {}, allowPickle } = request;
  const names =
    code === undefined && model === undefined
      ? await modelFoldersIn(resolve(session.cwd, folder))
      : [];
  if (names.length > 0) {
    const models = { folder, names, project: { env, allowPickle }, options: request };
    return { models: await describeModels(models, session), env };
  }
  const { project } = await loadProject(
    folder,
    { code, model, serviceType, env, allowPickle },
    { session },
  );
  return { models: [await describeProject(project, request, session)], env: project.env };
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

function announce(
  { ports }: RunningServer,
  about: {
    readonly description: ModelDescription;
    readonly host: string;
    readonly scheme: "http" | "https";
  },
  { emit }: Caller,
): void {
  const { description, host, scheme } = about;
  const address = host === "0.0.0.0" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  const url = `${scheme}://${address}:${ports.http}`;
  const { name, kind } = description;
  emit({
    kind: "ready",
    name,
    url,
    example: sampleRequest(url, description),
    served: { model: name, kind, ports, address },
  });
}
