import type { ModelDescription } from "../../models/description/index.ts";
import { runtimeOf } from "../../models/kinds/index.ts";
import {
  createJsComponent,
  createOnnxComponent,
  createPythonComponent,
  type ClassParameter,
  type Component,
  type LogLine,
  type PythonComponentOptions,
} from "../runtime/index.ts";
import type { Logger } from "./log/index.ts";
import type { SeldonSettings } from "./seldon/settings.ts";

export interface LoadOptions {
  readonly settings: SeldonSettings;
  readonly parameters: readonly ClassParameter[];
  /** A name of Python's logging. */
  readonly logLevel: string;
  readonly threads: number;
  /** Environment of the workers; the server's own when absent. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly log: Logger;
  readonly onRestart?: PythonComponentOptions["onRestart"];
  readonly onBatch?: PythonComponentOptions["onBatch"];
  readonly signal?: AbortSignal | undefined;
}

/** Loads what a description speaks of on the runtime that it needs. @throws InferenceError `MODEL_LOAD_FAILED`, `RUNTIME_MISSING` */
export async function loadComponent(
  description: ModelDescription,
  options: LoadOptions,
): Promise<Component> {
  const { code } = description;
  const { settings, parameters, logLevel, threads, env, onRestart, onBatch, signal } = options;
  const { maxQueue, workerMemoryMib } = description.server;
  const common = {
    ...(maxQueue !== undefined && { maxQueue }),
    ...(signal !== undefined && { signal }),
  };
  if (runtimeOf(description) === "onnx") return createOnnxComponent(description, common);
  const contract = {
    ...common,
    parameters,
    strictCompat: settings.isStrict,
    sortKeys: settings.sortKeys,
    asciiOnly: settings.asciiOnly,
    onLog: (line: LogLine): void => logLine(options.log, line),
    ...(env !== undefined && { env }),
  };
  if (code?.language === "javascript") return createJsComponent(description, contract);
  return createPythonComponent(description, {
    ...contract,
    logLevel,
    threads,
    typedArrays: settings.hasTypedArrays,
    ...(onRestart !== undefined && { onRestart }),
    ...(onBatch !== undefined && { onBatch }),
    ...(workerMemoryMib !== undefined && { memoryBytes: workerMemoryMib * 2 ** 20 }),
  });
}

/** A line of user code, with the request that it belongs to. */
function logLine(log: Logger, { level, text, requestId, worker }: LogLine): void {
  const fields = { worker, ...(requestId !== undefined && { puid: requestId }) };
  if (level === "stdout" || level === "stderr") log.info({ ...fields, stream: level }, text);
  else log[level](fields, text);
}
