import { ProjectError } from "../../ground/errors/index.ts";
import type { ModelKind, ServerSettings } from "../description/index.ts";
import { isFields, parseJsonObject } from "./read-limited.ts";

/** What a `model-settings.json` says that has an effect here. */
export interface MlserverSettings {
  readonly name?: string;
  readonly version?: string;
  readonly server: ServerSettings;
  readonly kind?: ModelKind;
  /** The model's file or folder, relative to the settings. */
  readonly model?: string;
  /** A class of the user's own, as `FILE:CLASS`. */
  readonly code?: string;
  readonly ignored: readonly string[];
}

/** Kinds by the classes of MLServer's own runtimes; undefined for those that say nothing of the kind. */
const RUNTIMES: Readonly<Record<string, ModelKind>> = {
  "mlserver_sklearn.SKLearnModel": "sklearn",
  "mlserver_xgboost.XGBoostModel": "xgboost",
  "mlserver_lightgbm.LightGBMModel": "lightgbm",
  "mlserver_catboost.CatboostModel": "catboost",
  "mlserver_mlflow.MLflowRuntime": "mlflow",
  "mlserver_onnx.OnnxModel": "onnx",
};
const CLASS = /^(?<path>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\.(?<name>[A-Za-z_]\w*)$/;
const IGNORED: readonly string[] = ["cache_enabled", "platform"];

/**
 * Reads MLServer's settings of a model.
 * @throws ProjectError `PROJECT_INVALID` naming the key
 * @see https://mlserver.readthedocs.io/en/latest/reference/model-settings.html
 */
export function parseMlserverSettings(text: string, file: string): MlserverSettings {
  const settings = parseJsonObject(text, file);
  const parameters = isFields(settings["parameters"]) ? settings["parameters"] : {};
  const name = textIn(settings, "name", file);
  const version = textIn(parameters, "version", file);
  const uri = textIn(parameters, "uri", file);
  return {
    ...(name !== undefined && { name }),
    ...(version !== undefined && { version }),
    ...(uri !== undefined && { model: pathOf(uri, file) }),
    ...implementationOf(textIn(settings, "implementation", file) ?? "", file),
    server: serverOf(settings, file),
    ignored: IGNORED.filter((key) => settings[key] !== undefined),
  };
}

function implementationOf(
  implementation: string,
  file: string,
): Pick<MlserverSettings, "kind" | "code"> {
  if (implementation === "") return {};
  const kind = Object.hasOwn(RUNTIMES, implementation) ? RUNTIMES[implementation] : undefined;
  if (kind !== undefined) return { kind };
  const { path, name } = CLASS.exec(implementation)?.groups ?? {};
  if (path === undefined || name === undefined || path.startsWith("mlserver"))
    throw new ProjectError(
      "PROJECT_INVALID",
      `read "${file}": nothing here runs the implementation "${implementation.slice(0, 100)}"`,
      {
        file,
        hint: `it is a class of the folder, as MODULE.CLASS, or one of ${Object.keys(RUNTIMES).join(", ")}`,
      },
    );
  return { code: `${path.replaceAll(".", "/")}.py:${name}` };
}

function serverOf(settings: Readonly<Record<string, unknown>>, file: string): ServerSettings {
  const number = (key: string): number | undefined => {
    const value = settings[key];
    if (value === undefined || value === null) return undefined;
    if (typeof value === "number" && value >= 0) return value;
    throw new ProjectError("PROJECT_INVALID", `read "${file}": ${key} is no number`, { file });
  };
  const workers = number("parallel_workers");
  const maxBatch = number("max_batch_size");
  const seconds = number("max_batch_time");
  return {
    ...(workers !== undefined && workers > 0 && { workers: Math.floor(workers) }),
    ...(maxBatch !== undefined && maxBatch > 1 && { maxBatch: Math.floor(maxBatch) }),
    ...(seconds !== undefined && seconds > 0 && { maxWaitMs: Math.ceil(seconds * 1000) }),
  };
}

function pathOf(uri: string, file: string): string {
  if (/^[a-z]\w+:/i.test(uri))
    throw new ProjectError(
      "PROJECT_INVALID",
      `read "${file}": parameters.uri is "${uri.slice(0, 100)}", and a path of this machine is wanted`,
      { file },
    );
  return uri.replace(/^\.\//, "").replace(/\/$/, "") || ".";
}

function textIn(
  fields: Readonly<Record<string, unknown>>,
  key: string,
  file: string,
): string | undefined {
  const value = fields[key];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  throw new ProjectError("PROJECT_INVALID", `read "${file}": ${key} is no text`, { file });
}
