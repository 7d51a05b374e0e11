import { interfaceNameOf, type ModelDescription } from "../../models/description/index.ts";
import type { ImageConfig } from "../oci/index.ts";
import type { BaseImage, PackProject } from "./contracts.ts";

const PREFIX = "dev.slipway.";
/** Programs of ours that other tools' Dockerfiles and manifests call by name. */
const LAUNCHERS = "/opt/slipway/bin";

/** What the image's labels and annotations say, by key. */
export function metadataOf(
  project: PackProject,
  base: BaseImage,
  toolVersion: string,
): Readonly<Record<string, string>> {
  return {
    "org.opencontainers.image.created": timeOf(project.epochS),
    "org.opencontainers.image.title": project.name,
    "org.opencontainers.image.base.name": base.name,
    "org.opencontainers.image.base.digest": base.digest,
    [`${PREFIX}version`]: toolVersion,
    [`${PREFIX}kind`]: project.kind,
    [`${PREFIX}contract`]: project.contract,
    ...project.annotations,
  };
}

/** RFC 3339 of seconds since the epoch. */
export function timeOf(epochS: number): string {
  return new Date(epochS * 1000).toISOString().replace(/\.000Z$/, "Z");
}

/** Where the project's files are in the image: beside the code when there is code. */
export function folderOf({ code, contract }: Pick<PackProject, "code" | "contract">): string {
  if (contract === "uai") return "/ai-ucloud-client-django"; // where its code and its tools look
  return code === undefined ? "/models" : "/app";
}

interface RunFacts {
  readonly project: PackProject;
  readonly base: BaseImage;
  readonly description: ModelDescription;
  readonly toolVersion: string;
  readonly binFolder?: string | undefined;
}

/** What a container of the image runs as, on top of the base's config. */
export function runConfig(config: ImageConfig, about: RunFacts): ImageConfig {
  const { project, description } = about;
  if (project.startCommand !== undefined) return foreignConfig(config, about);
  const env = mergeEnv(config.config?.Env ?? [], {
    PYTHONUNBUFFERED: "1",
    MODEL_NAME: project.code === undefined ? project.name : interfaceNameOf(project.code),
    SERVICE_TYPE: project.service,
    ...project.env,
  });
  return {
    ...config,
    created: timeOf(project.epochS),
    config: {
      ...config.config,
      User: "8888:0",
      WorkingDir: folderOf(project), // there must be such a folder: not every engine makes it
      Env: prependPath(env, [
        LAUNCHERS,
        ...(about.binFolder === undefined ? [] : [about.binFolder]),
      ]),
      ExposedPorts: portsOf(project),
      Entrypoint: ["/opt/slipway/node", "/opt/slipway/server.mjs"],
      Cmd: [],
      StopSignal: "SIGTERM",
      Healthcheck: {
        Test: ["CMD", "/opt/slipway/node", "/opt/slipway/server.mjs", "--healthcheck"],
        Interval: seconds(10),
        Timeout: seconds(5),
        StartPeriod: seconds(60),
        Retries: 3,
      },
      Labels: {
        ...labelsOn(config, about),
        [`${PREFIX}model`]: labelOf(description),
        ...project.labels,
      },
    },
  };
}

/** A server of the base's own starts as it always did: the base's user, folder and entry point stay. */
function foreignConfig(config: ImageConfig, about: RunFacts): ImageConfig {
  const { project, binFolder } = about;
  const env = mergeEnv(config.config?.Env ?? [], project.env);
  return {
    ...config,
    created: timeOf(project.epochS),
    config: {
      ...config.config,
      Env: binFolder === undefined ? env : prependPath(env, [binFolder]),
      ExposedPorts: { ...config.config?.ExposedPorts, ...portsOf(project) },
      Cmd: project.startCommand ?? [],
      Labels: { ...labelsOn(config, about), ...project.labels },
    },
  };
}

function portsOf({
  ports: { http, grpc, metrics },
}: PackProject): Readonly<Record<string, Readonly<Record<string, never>>>> {
  return Object.fromEntries(
    [http, grpc, metrics].filter((port) => port !== undefined).map((port) => [`${port}/tcp`, {}]),
  );
}

function labelsOn(
  { config }: ImageConfig,
  { project, base, toolVersion }: RunFacts,
): Readonly<Record<string, string>> {
  return { ...withoutBaseFacts(config?.Labels ?? {}), ...metadataOf(project, base, toolVersion) };
}

/** The description without paths, for people and tools that only read labels. */
function labelOf({ name, kind, contract, service, signature, ports }: ModelDescription): string {
  return JSON.stringify({
    name,
    kind,
    contract,
    service,
    ports,
    ...(signature === undefined ? {} : { signature }),
  });
}

/** The base's own description speaks of the base, or of its model; long lists of its packages and libraries have no place in every image. */
function withoutBaseFacts(
  labels: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(labels).filter(
      ([key]) => !/^dev\.slipway\.(model|base\.(packages|sonames|directories))$/.test(key),
    ),
  );
}

function mergeEnv(
  base: readonly string[],
  own: Readonly<Record<string, string>>,
): readonly string[] {
  const merged = new Map(
    base.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
  for (const [key, value] of Object.entries(own)) merged.set(key, value);
  return [...merged].map(([key, value]) => `${key}=${value}`);
}

function prependPath(env: readonly string[], folders: readonly string[]): readonly string[] {
  const path =
    env.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ??
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return [
    ...env.filter((entry) => !entry.startsWith("PATH=")),
    `PATH=${[...folders, path].join(":")}`,
  ];
}

function seconds(count: number): number {
  return count * 1_000_000_000;
}
