import { InferenceError } from "../../ground/errors/index.ts";
import { type ModelDescription, runtimeOf } from "../../models/description/index.ts";
import {
  batched,
  countCalls,
  countRuns,
  identified,
  identityHeaders,
  limited,
  SERVER_DEFAULTS,
  traced,
  wrapped,
  type ModelIdentity,
  type ModelStatistics,
  type Predictor,
  type PredictorFacts,
  type Tracer,
} from "../plane/index.ts";
import {
  createJsPredictor,
  createOnnxPredictor,
  createPythonPredictor,
  type HostedLoader,
  type LogLine,
  type OnnxOptions,
  type PythonOptions,
  type WorkerAhead,
} from "../runtime/index.ts";
import { identifyModel, modelSources } from "./identity/index.ts";
import type { Logger } from "./log/index.ts";
import { pythonSettings, type UserCodeOptions } from "./python-settings.ts";
import { readLabels } from "./read-labels.ts";
import { warmUp } from "./warm-up.ts";

export interface LoadOptions extends UserCodeOptions {
  /** Environment of the workers; the server's own when absent. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly log: Logger;
  readonly statistics: ModelStatistics;
  readonly onRestart?: PythonOptions["onRestart"];
  /** Loads the model into processes that it shares with others, which `pythonOptions` told about it; absent: into its own. */
  readonly hosted?: HostedLoader | undefined;
  readonly onBatch?: PythonOptions["onBatch"];
  /** Makes a span of each call that belongs to a trace; absent when tracing is off. */
  readonly tracer?: Tracer | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For ONNX models that load with their first call. */
  readonly spares?: OnnxOptions["spares"];
  /** The first worker, where one was started before there was anything to load it. */
  readonly ahead?: WorkerAhead | undefined;
  /** Reference of the image that runs, where it is known. */
  readonly image?: string | undefined;
}

/**
 * Loads what a description speaks of on the runtime that it needs, and puts around it what its settings ask for: batching, a limit on what
 * waits, spans.
 * @throws InferenceError `MODEL_LOAD_FAILED`, `RUNTIME_MISSING`; `UNSUPPORTED` for a kind that is only described
 */
export async function loadPredictor(
  description: ModelDescription,
  options: LoadOptions,
): Promise<Predictor> {
  const { name: model, server } = description;
  const { onBatch, tracer, statistics } = options;
  const sources = await modelSources(description);
  const loaded = await loadBare(description, options);
  try {
    await warmUp(description, loaded);
  } catch (error) {
    await loaded[Symbol.asyncDispose]();
    throw error;
  }
  const identity = await identifyModel(description, sources, options.image);
  const bare = countRuns(await withDescription(description, loaded, identity), statistics);
  const { maxBatch, maxQueue } = { ...SERVER_DEFAULTS, ...server };
  const joined = batched(bare, {
    model,
    maxRows: maxBatch,
    onBatch,
    maxWaitMs: server.maxWaitMs,
    padValue: server.padValue,
    onWait: (ms) => statistics.waited(ms),
  });
  const workers = bare.stats?.workers ?? 1;
  const bounded =
    joined === bare
      ? bare // it has a queue of its own
      : limited(joined, { model, maxCalls: maxQueue + workers * maxBatch });
  const attributes = (): Readonly<Record<string, string>> =>
    Object.fromEntries(
      identityHeaders(identity.current ?? {}).map(([name, value]) => [
        name.replaceAll("-", "."),
        value,
      ]),
    );
  const seen = tracer === undefined ? bounded : traced(bounded, { tracer, model, attributes });
  return identified(countCalls(seen, statistics));
}

/** A predictor that knows what the description says beside the signature, and the names of its classes. */
async function withDescription(
  description: ModelDescription,
  bare: Predictor,
  told: { readonly current: ModelIdentity | undefined },
): Promise<Predictor> {
  const { kind, preprocess, postprocess } = description;
  const own = bare.describe();
  const labels = await readLabels(description, own.signature);
  const facts: PredictorFacts = {
    ...own,
    get identity() {
      return told.current;
    },
    kind,
    ...(preprocess !== undefined && { preprocess }),
    ...(postprocess !== undefined && { postprocess }),
    ...(Object.keys(labels).length > 0 && { labels }),
  };
  return wrapped(bare, { describe: () => facts });
}

async function loadBare(description: ModelDescription, options: LoadOptions): Promise<Predictor> {
  if (runtimeOf(description) === "none") refuseKind(description);
  if (options.hosted !== undefined) return options.hosted();
  if (runtimeOf(description) === "onnx")
    return createOnnxPredictor(description, {
      ...commonOptions(description, options),
      spares: options.spares,
    });
  return description.code?.language === "javascript"
    ? createJsPredictor(description, contractOptions(description, options))
    : createPythonPredictor(description, {
        ...pythonOptions(description, options),
        ahead: options.ahead,
      });
}

/** @throws InferenceError `UNSUPPORTED`, always */
function refuseKind({ name, kind }: ModelDescription): never {
  throw new InferenceError(
    "UNSUPPORTED",
    `load the model "${name}": it is of kind ${kind}, which is described and not served`,
    { model: name, hint: "write a class that loads it, or convert it to a kind that is served" },
  );
}

type OptionsOfCode = Omit<LoadOptions, "statistics">;

/** What `loadPredictor` loads a Python model with. */
export function pythonOptions(
  description: ModelDescription,
  options: OptionsOfCode,
): PythonOptions {
  const { onRestart, onBatch } = options;
  return {
    ...contractOptions(description, options),
    ...pythonSettings(description, options),
    ...(onRestart !== undefined && { onRestart }),
    ...(onBatch !== undefined && { onBatch }),
  };
}

function commonOptions(
  { server: { maxQueue } }: ModelDescription,
  { signal }: OptionsOfCode,
): Pick<PythonOptions, "maxQueue" | "signal"> {
  return {
    ...(maxQueue !== undefined && { maxQueue }),
    ...(signal !== undefined && { signal }),
  };
}

/** Of user code in any language. */
function contractOptions(description: ModelDescription, options: OptionsOfCode) {
  const { settings, parameters, env, log } = options;
  return {
    ...commonOptions(description, options),
    parameters,
    isStrict: settings.isStrict,
    sortKeys: settings.sortKeys,
    asciiOnly: settings.asciiOnly,
    onLog: (line: LogLine): void => logLine(log, line),
    ...(env !== undefined && { env }),
  };
}

/** A line of user code, with the request that it belongs to. */
function logLine(log: Logger, { level, text, requestId, worker }: LogLine): void {
  const fields = { worker, ...(requestId !== undefined && { puid: requestId }) };
  if (level === "stdout" || level === "stderr") log.info({ ...fields, stream: level }, text);
  else log[level](fields, text);
}
