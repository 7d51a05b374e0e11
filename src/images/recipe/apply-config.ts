import type { ImageConfig, RunConfig } from "../oci/index.ts";
import type { ConfigChange, FolderList } from "./recipe.ts";

/** Where programs are looked for when an image does not say it. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Fields in the order in which new ones are printed: the order of a config is part of the image's identity. */
const FIELDS: readonly (keyof RunConfig)[] = [
  "User",
  "WorkingDir",
  "Env",
  "ExposedPorts",
  "Entrypoint",
  "Cmd",
  "StopSignal",
  "Healthcheck",
  "Volumes",
  "OnBuild",
  "Shell",
  "Labels",
];

/** Labels by which a base describes itself, or the model that it holds: no longer all that is true of an image on top of it. */
const BASE_LABELS = /^dev\.slipway\.(model|base\.(packages|sonames|directories))$/;

/** The config with what a recipe changes. @param created - RFC 3339 */
export function applyConfigChange(
  config: ImageConfig,
  change: ConfigChange,
  created: string,
): ImageConfig {
  const before: RunConfig = config.config ?? {};
  const changed = fieldsOf(before, change);
  const run: Record<string, unknown> = { ...before };
  for (const field of FIELDS) {
    const value = changed[field];
    if (value === null) delete run[field];
    else if (value !== undefined) run[field] = value;
  }
  const author = change.author === undefined ? {} : { author: change.author };
  return { ...config, created, ...author, config: run as RunConfig }; // a RunConfig with fields of a RunConfig
}

type ChangedFields = { readonly [Key in keyof RunConfig]?: RunConfig[Key] | null | undefined };

function fieldsOf(before: RunConfig, change: ConfigChange): ChangedFields {
  const { set = {}, exposedPorts = [], volumes = [] } = change;
  return {
    ...set,
    Env: environmentOf(before.Env ?? [], change),
    ...(exposedPorts.length === 0
      ? {}
      : { ExposedPorts: withNames(set.ExposedPorts ?? before.ExposedPorts, exposedPorts) }),
    ...(volumes.length === 0 ? {} : { Volumes: withNames(set.Volumes ?? before.Volumes, volumes) }),
    Labels: { ...withoutBaseLabels(before.Labels ?? {}), ...change.labels },
  };
}

type NameSet = Readonly<Record<string, Readonly<Record<string, never>>>>;

function withNames(before: NameSet | undefined, names: readonly string[]): NameSet {
  return { ...before, ...Object.fromEntries(names.map((name) => [name, {}])) };
}

function withoutBaseLabels(
  labels: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !BASE_LABELS.test(key)));
}

/** @returns `undefined` when nothing changes. */
function environmentOf(
  before: readonly string[],
  { env, folders = [] }: ConfigChange,
): readonly string[] | undefined {
  if (env === undefined && folders.length === 0) return undefined;
  const variables = new Map(before.map(splitVariable));
  for (const [name, value] of Object.entries(env ?? {})) variables.set(name, value);
  for (const list of folders) {
    const value = joinFolders(variables.get(list.variable), list);
    variables.delete(list.variable); // so that it stands last
    variables.set(list.variable, value);
  }
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

function splitVariable(entry: string): readonly [name: string, value: string] {
  const equals = entry.indexOf("=");
  return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
}

function joinFolders(value: string | undefined, { folders, place, fallback }: FolderList): string {
  const known = (value ?? fallback) === "" ? [] : [value ?? fallback];
  return (place === "before" ? [...folders, ...known] : [...known, ...folders]).join(":");
}
