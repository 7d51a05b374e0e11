import { existsSync } from "node:fs";
import { join } from "node:path";
import { ToolError } from "../../../ground/errors/index.ts";
import type { CallOptions } from "../../../ground/bytes/index.ts";
import type { CodeEntry, ModelDescription } from "../../../models/description/index.ts";
import type { Signature } from "../../../models/tensor/index.ts";
import {
  ComponentError,
  predictorOfGraph,
  SERVER_DEFAULTS,
  type GraphComponent,
  type Predictor,
  type PredictorStats,
  USER_CODE_DEFAULTS,
  type UserCodeSettings,
} from "../../plane/index.ts";
import { openArena } from "./arena.ts";
import type { ReadyFacts } from "./facts.ts";
import type { LogLine } from "./log-lines.ts";
import { tensorPredictor } from "./infer-tensors.ts";
import { WorkerPool, type PoolOptions } from "./pool.ts";
import { PROTOCOL_VERSION } from "./wire.ts";
import { Worker } from "./worker.ts";
import type { WorkerOptions } from "./worker-call.ts";
import { startWorkerProcess } from "./worker-process.ts";

/** One entry of Seldon's `PREDICTIVE_UNIT_PARAMETERS`. */
export interface ClassParameter {
  readonly name: string;
  readonly value: unknown;
  readonly type: string;
}

export interface PythonOptions extends CallOptions, Partial<UserCodeSettings> {
  /** Keyword arguments of the class. */
  readonly parameters?: readonly ClassParameter[];
  /** The workers' whole environment. Default: the parent's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where `slipway_worker` is. Default: found beside the sources, the package or the bundle. */
  readonly workerFolder?: string;
  /** True where the code is loaded anew when its files change: then no bytecode of it is kept, which is told by whole seconds. Default false. */
  readonly isWatched?: boolean;
  /** Calls that may wait for a worker. Default 1024. */
  readonly maxQueue?: number;
  /** Calls inside one worker at the most. Default 64. */
  readonly maxWindow?: number;
  /** Private memory of a worker at which it is ended, in bytes. Default: no limit. */
  readonly memoryBytes?: number;
  /** Time between SIGTERM and SIGKILL for a worker, in ms. Default 5000. */
  readonly graceMs?: number;
  /** Memory file system for large tensors. Default `/dev/shm`. */
  readonly sharedFolder?: string;
  /** Bytes of shared memory for each worker and direction; 0 switches it off. Default 256 MiB, and never more than a share of what is free. */
  readonly sharedBytes?: number;
  /** Payloads from this size on go through shared memory, in bytes. Default 32768. */
  readonly sharedFrom?: number;
  /** What user code prints and logs. */
  readonly onLog?: (line: LogLine) => void;
  /** Told how many rows a call had that several requests were joined into. */
  readonly onBatch?: (rows: number) => void;
  /** Told when a worker has died and will be started again. */
  readonly onRestart?: PoolOptions["onRestart"];
}

/**
 * Reads the name that Seldon's command line takes: `Name` is class Name of module Name, `pkg.mod.Class` is split at the last dot.
 * @throws ToolError `USAGE` when it is no dotted name.
 */
export function parseInterfaceName(text: string): CodeEntry {
  if (!/^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u.test(text)) {
    throw new ToolError("USAGE", `read the class "${text}": it is no dotted name`, {
      hint: 'give it as "Model" or "package.module.Class"',
    });
  }
  const parts = text.split(".");
  const name = parts.at(-1) ?? text;
  const module = parts.length === 1 ? parts : parts.slice(0, -1);
  return { file: `${module.join("/")}.py`, name, language: "python" };
}

/** User code in worker processes. */
export interface PythonPredictor extends Predictor, GraphComponent {
  readonly stats: PredictorStats;
  /** Process ids of the workers that run now. */
  readonly pids: readonly number[];
}

/**
 * Loads a Python class (or a scikit-learn model file) in `description.server.workers` processes and resolves when all are ready.
 * @throws InferenceError `MODEL_LOAD_FAILED` (a ComponentError with the traceback when user code raised), `RUNTIME_MISSING`.
 */
export async function createPythonPredictor(
  description: ModelDescription,
  options: PythonOptions = {},
): Promise<PythonPredictor> {
  const workers = description.server.workers ?? SERVER_DEFAULTS.workers;
  const onLog = options.onLog ?? ((): void => undefined);
  const workerFolder = options.workerFolder ?? findWorkerFolder();
  const pool = new WorkerPool({
    model: description.name,
    workers,
    maxQueue: options.maxQueue ?? SERVER_DEFAULTS.maxQueue,
    graceMs: options.graceMs ?? 5000,
    memoryBytes: options.memoryBytes,
    onRestart: options.onRestart,
    start: (index, callbacks) =>
      startWorker({
        description,
        options,
        workerFolder,
        index,
        onLog,
        onBatch: options.onBatch,
        ...callbacks,
      }),
  });
  try {
    await pool.start(options);
  } catch (error) {
    if (error instanceof ComponentError)
      for (const text of error.failure.traceback.trimEnd().split("\n"))
        onLog({ level: "error", text, worker: 0 });
    throw error;
  }
  return predictorOf(pool, description);
}

function predictorOf(pool: WorkerPool, description: ModelDescription): PythonPredictor {
  const { name: model, kind, contract, signature } = description;
  const platform = kind === "class" ? "python_class" : `python_${kind}`;
  const { ready } = pool;
  const members =
    ready?.speaksTensors === true
      ? tensorPredictor(pool, { model, platform, ready: withSignature(ready, signature) })
      : {
          ...predictorOfGraph(pool, {
            model,
            platform,
            signature,
            takesRawBody: contract === "uai",
          }),
          graph: pool,
        };
  return {
    ...members,
    facts: pool.facts,
    call: async (request, caller) => pool.call(request, caller),
    get stats() {
      return pool.stats;
    },
    get pids() {
      return pool.pids;
    },
    abandon: () => pool.abandon(),
    [Symbol.asyncDispose]: async () => pool[Symbol.asyncDispose](),
  };
}

/** A loader that cannot say what its model takes leaves that to what the files say. */
function withSignature(ready: ReadyFacts, described: Signature | undefined): ReadyFacts {
  const isSaid = (ready.signature?.inputs.length ?? 0) > 0;
  return isSaid || described === undefined ? ready : { ...ready, signature: described };
}

interface Start extends Pick<WorkerOptions, "index" | "onLog" | "onBatch" | "onRoom" | "onEnd"> {
  readonly description: ModelDescription;
  readonly options: PythonOptions;
  readonly workerFolder: string;
}

function startWorker({ description, options, workerFolder, ...rest }: Start): Worker {
  const { sharedFolder, sharedBytes, sharedFrom, maxWindow, threads } = { ...DEFAULTS, ...options };
  const { workers, maxBatch, timeoutMs } = { ...SERVER_DEFAULTS, ...description.server };
  const minWindow = Math.max(2, 2 * maxBatch, 2 * threads);
  const arena =
    sharedBytes === 0
      ? undefined
      : openArena({ folder: sharedFolder, bytes: sharedBytes, workers });
  const child = startWorkerProcess({
    executable: description.python?.executable ?? "python3",
    workerFolder,
    cwd: description.codePath,
    env: options.env,
    arena,
    onOutput: (level, text) => rest.onLog({ level, text, worker: rest.index }),
  });
  const window = { threads, minWindow, maxWindow: Math.max(maxWindow, minWindow) };
  const worker = new Worker({
    ...rest,
    ...window,
    model: description.name,
    process: child,
    arena,
    sharedFrom,
    timeoutMs,
  });
  worker.sendLoad(
    settingsOf(description, options, {
      worker: rest.index,
      arenaBytes: arena?.bytes ?? 0,
      sharedFrom,
    }),
  );
  return worker;
}

const DEFAULTS = {
  parameters: [] as readonly ClassParameter[],
  ...USER_CODE_DEFAULTS,
  isWatched: false,
  memoryBytes: 0,
  maxWindow: 64,
  sharedFolder: "/dev/shm",
  sharedBytes: 256 * 2 ** 20,
  sharedFrom: 32_768,
};

/** The JSON of a LOAD frame; `settings.py` reads it. */
function settingsOf(
  description: ModelDescription,
  options: PythonOptions,
  own: Readonly<Record<string, number>>,
): string {
  const {
    parameters,
    isStrict,
    logLevel,
    sortKeys,
    asciiOnly,
    hasTypedArrays,
    isWatched,
    memoryBytes,
    threads,
  } = { ...DEFAULTS, ...options };
  const { workers, maxBatch, maxWaitMs } = { ...SERVER_DEFAULTS, ...description.server };
  const { kind, contract, service, code, codePath, modelPath, allowPickle, python } = description;
  const model = description.name;
  return JSON.stringify({
    protocol: PROTOCOL_VERSION,
    ...{
      model,
      kind,
      contract,
      service,
      codePath,
      modelPath,
      allowPickle,
      file: code?.file,
      name: code?.name,
      sitePath: python?.path,
    },
    ...{
      parameters,
      strict: isStrict,
      logLevel,
      sortKeys,
      asciiOnly,
      typedArrays: hasTypedArrays,
      watched: isWatched,
      memoryBytes,
      threads,
      workers,
      maxBatch,
      maxWaitMs,
    },
    ...own,
  });
}

/** The worker lies in `python/` at the package's root, and beside the bundle inside images. */
function findWorkerFolder(): string {
  const here = import.meta.dirname;
  const candidates = [join(here, "../../../../python"), join(here, "python")];
  const found = candidates.find((folder) =>
    existsSync(join(folder, "slipway_worker", "__main__.py")),
  );
  if (found === undefined)
    throw new ToolError(
      "RUNTIME_MISSING",
      `find the Python worker: it is in none of ${candidates.map((path) => `"${path}"`).join(", ")}`,
    );
  return found;
}
