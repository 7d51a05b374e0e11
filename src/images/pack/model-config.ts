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
/** Says of an image that it is weights alone, and where they are. */
export const WEIGHTS_KEY = "dev.slipway.weights";
/** Programs of ours that other tools' Dockerfiles and manifests call by name. */
const LAUNCHERS = "/opt/slipway/bin";

/** What every packed image says of itself: when and of what it was made, and by which version of the tool. */
export function originOf(
  { name, epochS }: Pick<PackProject, "name" | "epochS">,
  base: BaseImage,
  toolVersion: string,
): Readonly<Record<string, string>> {
  return {
    "org.opencontainers.image.created": timeOf(epochS),
    "org.opencontainers.image.title": name,
    "org.opencontainers.image.base.name": base.name,
    "org.opencontainers.image.base.digest": base.digest,
    [`${PREFIX}version`]: toolVersion,
  };
}

/** What the image's labels and annotations say, by key. */
export function metadataOf(
  project: PackProject,
  base: BaseImage,
  toolVersion: string,
): Readonly<Record<string, string>> {
  return {
    ...originOf(project, base, toolVersion),
    [`${PREFIX}kind`]: project.fetchedKinds?.join(",") ?? project.kind,
    [`${PREFIX}contract`]: project.contract,
    ...project.annotations,
  };
}

/** Where the project's files are in the image: beside the code when there is code. */
export function folderOf({ code, contract }: Pick<PackProject, "code" | "contract">): string {
  if (contract === "uai") return "/ai-ucloud-client-django"; // where its code and its tools look
  return code === undefined ? "/models" : "/app";
}

/** Where the model's weights are in the image: in one place for every kind and class, where no contract demands another. */
export function weightFolderOf(project: Pick<PackProject, "code" | "contract">): string {
  return project.contract === "uai" ? folderOf(project) : "/models";
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
      Entrypoint: entryOf(project),
      Cmd: [],
      StopSignal: "SIGTERM",
      Healthcheck: healthcheckOf(project),
    },
    exposedPorts: portsOf(project),
    env: {
      PYTHONUNBUFFERED: "1",
      ...nameVariables(project),
      ...project.env,
    },
    folders: [pathWith([LAUNCHERS, ...packageFolders])],
    labels: {
      ...metadata,
      [`${PREFIX}model`]: labelOf(description, project.fetchedKinds),
      ...project.labels,
    },
  };
}

/** The program that a container starts: one that fetches its model first is a bundle of its own. */
function entryOf({ fetchedKinds }: PackProject): readonly string[] {
  const bundle = fetchedKinds === undefined ? "server" : "boot";
  return ["/opt/slipway/node", `/opt/slipway/${bundle}.mjs`];
}

/** Seldon's variables. A model that is fetched is named when it is there. */
function nameVariables({
  fetchedKinds,
  code,
  name,
  service,
}: PackProject): Readonly<Record<string, string>> {
  if (fetchedKinds !== undefined) return {};
  return {
    MODEL_NAME: code === undefined ? name : interfaceNameOf(code),
    SERVICE_TYPE: service,
  };
}

function healthcheckOf(project: PackProject): Healthcheck {
  return {
    Test: ["CMD", ...entryOf(project), "--healthcheck"],
    Interval: nanoseconds(10),
    Timeout: nanoseconds(5),
    StartPeriod: nanoseconds(project.fetchedKinds === undefined ? 60 : FETCH_SECONDS),
    Retries: 3,
  };
}

/** An engine lets a model be fetched for this long before it calls the container unhealthy. */
const FETCH_SECONDS = 1800;

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
function labelOf(
  { name, kind, contract, service, signature, ports }: ModelDescription,
  fetchedKinds: PackProject["fetchedKinds"],
): string {
  const common = { contract, service, ports };
  if (fetchedKinds !== undefined) return JSON.stringify({ name, fetches: fetchedKinds, ...common });
  return JSON.stringify({
    name,
    kind,
    ...common,
    ...(signature === undefined ? {} : { signature }),
  });
}
