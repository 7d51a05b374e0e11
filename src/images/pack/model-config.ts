import { posix } from "node:path";
import { interfaceNameOf, type ModelDescription } from "../../models/description/index.ts";
import type { Healthcheck } from "../oci/index.ts";
import { DEFAULT_SITE_PACKAGES } from "../python-packages/index.ts";
import {
  DEFAULT_PATH,
  timeOf,
  type BaseImage,
  type ConfigChange,
  type FolderList,
} from "../recipe/index.ts";
import type { PackProject } from "./contracts.ts";

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

/** Where the project's files are in the image: beside the code when there is code. */
export function folderOf({ code, contract }: Pick<PackProject, "code" | "contract">): string {
  if (contract === "uai") return "/ai-ucloud-client-django"; // where its code and its tools look
  return code === undefined ? "/models" : "/app";
}

/** What a container of the image runs as, on top of the base's config. */
export function runConfigChange(
  project: PackProject,
  about: {
    readonly description: ModelDescription;
    readonly metadata: Readonly<Record<string, string>>;
    readonly hasPackages: boolean;
  },
): ConfigChange {
  const { description, metadata, hasPackages } = about;
  const packageFolders = hasPackages ? [posix.join(DEFAULT_SITE_PACKAGES, "bin")] : [];
  if (project.startCommand !== undefined)
    return {
      set: { Cmd: project.startCommand },
      env: project.env,
      folders: packageFolders.length === 0 ? [] : [pathWith(packageFolders)],
      exposedPorts: portsOf(project),
      labels: { ...metadata, ...project.labels },
    }; // the base's user, folder and entry point stay: its own server starts as it always did
  return {
    set: {
      User: "8888:0",
      WorkingDir: folderOf(project), // there must be such a folder: not every engine makes it
      ExposedPorts: {},
      Entrypoint: ["/opt/slipway/node", "/opt/slipway/server.mjs"],
      Cmd: [],
      StopSignal: "SIGTERM",
      Healthcheck: HEALTHCHECK,
    },
    exposedPorts: portsOf(project),
    env: {
      PYTHONUNBUFFERED: "1",
      MODEL_NAME: project.code === undefined ? project.name : interfaceNameOf(project.code),
      SERVICE_TYPE: project.service,
      ...project.env,
    },
    folders: [pathWith([LAUNCHERS, ...packageFolders])],
    labels: { ...metadata, [`${PREFIX}model`]: labelOf(description), ...project.labels },
  };
}

const HEALTHCHECK: Healthcheck = {
  Test: ["CMD", "/opt/slipway/node", "/opt/slipway/server.mjs", "--healthcheck"],
  Interval: nanoseconds(10),
  Timeout: nanoseconds(5),
  StartPeriod: nanoseconds(60),
  Retries: 3,
};

function nanoseconds(seconds: number): number {
  return seconds * 1_000_000_000;
}

function pathWith(folders: readonly string[]): FolderList {
  return { variable: "PATH", folders, place: "before", fallback: DEFAULT_PATH };
}

function portsOf({ ports: { http, grpc, metrics } }: PackProject): readonly string[] {
  return [http, grpc, metrics].filter((port) => port !== undefined).map((port) => `${port}/tcp`);
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
