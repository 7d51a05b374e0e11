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
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
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
  /** Instructions for images that are built on this one; Docker's, reserved by the image spec. */
  readonly OnBuild?: readonly string[];
  /** What a Dockerfile's shell-form instructions run in; Docker's, reserved by the image spec. */
  readonly Shell?: readonly string[];
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

/**
 * Reads a config. `null` counts as absent in every field, as Go's encoder and Docker's classic builder print it.
 * Unknown fields are kept, so that a changed config loses nothing.
 * @throws ContentError `MANIFEST_INVALID` naming the field.
 */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const document = withoutNulls(parseJsonObject(bytes, WHAT, MAX_CONFIG_BYTES));
  const { architecture, os, rootfs, history, config } = document;
  if (typeof architecture !== "string" || architecture === "")
    throw invalid(WHAT, "architecture is missing");
  if (typeof os !== "string" || os === "") throw invalid(WHAT, "os is missing");
  for (const key of ["created", "author", "variant"]) checkText(document, key, key);
  // The checks above and below cover every field that the type names.
  return {
    ...document,
    rootfs: { type: "layers", diff_ids: diffIdsOf(rootfs) },
    ...(history === undefined ? {} : { history: historyOf(history) }),
    ...(config === undefined ? {} : { config: runConfigOf(config) }),
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

type JsonObject = Readonly<Record<string, unknown>>;

/** The object without the fields that hold `null`. */
function withoutNulls(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

function checkText(object: JsonObject, key: string, path: string): void {
  if (object[key] !== undefined && typeof object[key] !== "string")
    throw invalid(WHAT, `${path} is not text`);
}

function diffIdsOf(rootfs: unknown): readonly Digest[] {
  const { type = "layers", diff_ids: diffIds = [] } = withoutNulls(
    objectOf(rootfs, WHAT, "rootfs"),
  );
  if (type !== "layers") throw invalid(WHAT, 'rootfs.type is not "layers"');
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest))
    throw invalid(WHAT, "rootfs.diff_ids is not a list of digests");
  return diffIds;
}

const HISTORY_TEXTS = ["created", "author", "created_by", "comment"] as const;

function historyOf(history: unknown): readonly JsonObject[] {
  if (!Array.isArray(history) || history.length > 10_000)
    throw invalid(WHAT, "history is not a list");
  return history.map((value, index) => {
    const path = `history[${index}]`;
    const entry = withoutNulls(objectOf(value, WHAT, path));
    for (const key of HISTORY_TEXTS) checkText(entry, key, `${path}.${key}`);
    if (entry["empty_layer"] !== undefined && typeof entry["empty_layer"] !== "boolean")
      throw invalid(WHAT, `${path}.empty_layer is not true or false`);
    return entry;
  });
}

const RUN_TEXTS = ["User", "WorkingDir", "StopSignal"] as const;
const RUN_LISTS = ["Env", "Entrypoint", "Cmd", "OnBuild", "Shell"] as const;
const RUN_SETS = ["ExposedPorts", "Volumes"] as const;
const HEALTH_NUMBERS = ["Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"] as const;

function runConfigOf(value: unknown): JsonObject {
  const config: Record<string, unknown> = withoutNulls(objectOf(value, WHAT, "config"));
  for (const key of RUN_TEXTS) checkText(config, key, `config.${key}`);
  for (const key of RUN_LISTS)
    if (config[key] !== undefined && !isTextList(config[key]))
      throw invalid(WHAT, `config.${key} is not a list of texts`);
  for (const key of RUN_SETS)
    if (config[key] !== undefined) config[key] = namesOfSet(config[key], `config.${key}`);
  if (config["Labels"] !== undefined) config["Labels"] = labelsOf(config["Labels"]);
  if (config["Healthcheck"] !== undefined) config["Healthcheck"] = healthOf(config["Healthcheck"]);
  return config;
}

/** A set of names, which Go prints as an object; what stands behind a name says nothing. */
function namesOfSet(value: unknown, path: string): JsonObject {
  return Object.fromEntries(Object.keys(objectOf(value, WHAT, path)).map((name) => [name, {}]));
}

function labelsOf(value: unknown): JsonObject {
  return textMapOf(withoutNulls(objectOf(value, WHAT, "config.Labels")), WHAT, "config.Labels");
}

function healthOf(value: unknown): JsonObject {
  const health = withoutNulls(objectOf(value, WHAT, "config.Healthcheck"));
  if (health["Test"] !== undefined && !isTextList(health["Test"]))
    throw invalid(WHAT, "config.Healthcheck.Test is not a list of texts");
  for (const key of HEALTH_NUMBERS)
    if (health[key] !== undefined && typeof health[key] !== "number")
      throw invalid(WHAT, `config.Healthcheck.${key} is not a number`);
  return health;
}
