import type { Digest, Platform } from "./descriptor.ts";
import { isDigest } from "./digest.ts";
import {
  invalid,
  isTextList,
  MAX_CONFIG_BYTES,
  objectOf,
  parseJsonObject,
  textMapOf,
} from "./manifest.ts";

/** Docker's health check, which the image spec reserves. Times in nanoseconds. */
export interface Healthcheck {
  readonly Test: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly Retries?: number;
}

/** What a container runs as. Fields this project does not know are kept. @see image-spec, config.md#properties */
export interface RunConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly Healthcheck?: Healthcheck;
}

/** One step of an image's history; `empty_layer` marks the ones that made no layer. */
export interface HistoryEntry {
  readonly created?: string;
  readonly author?: string;
  readonly created_by?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** @see image-spec, config.md */
export interface ImageConfig {
  readonly created?: string;
  readonly author?: string;
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly config?: RunConfig;
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly HistoryEntry[];
}

const WHAT = "image config";

/** Unknown fields are kept, so that a changed config loses nothing. @throws ContentError `MANIFEST_INVALID` naming the field. */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const document = parseJsonObject(bytes, WHAT, MAX_CONFIG_BYTES);
  const { architecture, os, rootfs, history, config } = document;
  if (typeof architecture !== "string" || architecture === "")
    throw invalid(WHAT, "architecture is missing");
  if (typeof os !== "string" || os === "") throw invalid(WHAT, "os is missing");
  checkHistory(history);
  checkRunConfig(config);
  // The checks above and below cover every field that the type names.
  return {
    ...document,
    architecture,
    os,
    rootfs: { type: "layers", diff_ids: diffIdsOf(rootfs) },
    ...(history === null ? { history: undefined } : {}),
  } as unknown as ImageConfig;
}

/** The bytes of a config, keys in a fixed order: what is known first, in the spec's order, then the rest. */
export function printConfig(config: ImageConfig): Uint8Array {
  const {
    created,
    author,
    architecture,
    os,
    variant,
    config: run,
    rootfs,
    history,
    ...rest
  } = config;
  return Buffer.from(
    JSON.stringify({
      created,
      author,
      architecture,
      os,
      variant,
      ...rest,
      config: run,
      rootfs,
      history,
    }),
  );
}

/** Platform of a config. */
export function platformOfConfig(config: ImageConfig): Platform {
  return {
    architecture: config.architecture,
    os: config.os,
    ...(config.variant === undefined || config.variant === "" ? {} : { variant: config.variant }),
  };
}

function diffIdsOf(rootfs: unknown): readonly Digest[] {
  const { type, diff_ids: diffIds } = objectOf(rootfs, WHAT, "rootfs");
  if (type !== "layers") throw invalid(WHAT, 'rootfs.type is not "layers"');
  if (diffIds === undefined || diffIds === null) return [];
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest))
    throw invalid(WHAT, "rootfs.diff_ids is not a list of digests");
  return diffIds;
}

const HISTORY_TEXTS = ["created", "author", "created_by", "comment"] as const;

function checkHistory(history: unknown): void {
  if (history === undefined || history === null) return;
  if (!Array.isArray(history) || history.length > 10_000)
    throw invalid(WHAT, "history is not a list");
  history.forEach((value, index) => {
    const entry = objectOf(value, WHAT, `history[${index}]`);
    for (const key of HISTORY_TEXTS)
      if (entry[key] !== undefined && typeof entry[key] !== "string")
        throw invalid(WHAT, `history[${index}].${key} is not text`);
    if (entry["empty_layer"] !== undefined && typeof entry["empty_layer"] !== "boolean")
      throw invalid(WHAT, `history[${index}].empty_layer is not true or false`);
  });
}

const TEXTS = ["User", "WorkingDir", "StopSignal"] as const;
const LISTS = ["Env", "Entrypoint", "Cmd"] as const;
const SETS = ["ExposedPorts", "Volumes"] as const;

function checkRunConfig(value: unknown): void {
  if (value === undefined || value === null) return;
  const config = objectOf(value, WHAT, "config");
  const present = (key: string): boolean => config[key] !== undefined && config[key] !== null;
  for (const key of TEXTS)
    if (present(key) && typeof config[key] !== "string")
      throw invalid(WHAT, `config.${key} is not text`);
  for (const key of LISTS)
    if (present(key) && !isTextList(config[key]))
      throw invalid(WHAT, `config.${key} is not a list of texts`);
  for (const key of SETS) if (present(key)) objectOf(config[key], WHAT, `config.${key}`);
  if (present("Labels")) textMapOf(config["Labels"], WHAT, "config.Labels");
}
