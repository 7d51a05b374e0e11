import { existsSync } from "node:fs";
import { join } from "node:path";
import { ToolError } from "../../../ground/errors/index.ts";
import type { ModelDescription } from "../../../models/description/index.ts";
import { SERVER_DEFAULTS } from "../../plane/index.ts";
import { openArena, type Arena } from "./arena.ts";
import { PYTHON_DEFAULTS, type PythonOptions } from "./python-options.ts";
import { FRAME, PROTOCOL_VERSION, textFrame } from "./wire.ts";
import { startWorkerProcess, type SpawnOptions, type WorkerProcess } from "./worker-process.ts";

/** Everything that the start of a worker depends on: plans that are equal as JSON start the same. */
export interface WorkerPlan extends Pick<
  SpawnOptions,
  "executable" | "workerFolder" | "cwd" | "env"
> {
  /** Shared memory that is wanted, in bytes; 0 for none. */
  readonly shared: { readonly folder: string; readonly bytes: number; readonly workers: number };
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A worker that was told what to load. The arena is closed by who has it. */
export interface OpenWorker {
  readonly process: WorkerProcess;
  readonly arena: Arena | undefined;
}

/** How worker number `index` of a model is started. @throws ToolError `RUNTIME_MISSING` */
export function planWorker(
  description: ModelDescription,
  options: PythonOptions,
  index: number,
): WorkerPlan {
  const { sharedFolder, sharedBytes } = { ...PYTHON_DEFAULTS, ...options };
  const { workers } = { ...SERVER_DEFAULTS, ...description.server };
  return {
    executable: description.python?.executable ?? "python3",
    workerFolder: options.workerFolder ?? findWorkerFolder(),
    cwd: description.codePath,
    env: options.env,
    shared: { folder: sharedFolder, bytes: sharedBytes, workers },
    settings: loadSettings(description, options, index),
  };
}

/** Starts a worker and sends the first frame of its connection. */
export function openWorker(
  { shared, settings, ...plan }: WorkerPlan,
  onOutput: SpawnOptions["onOutput"],
): OpenWorker {
  const arena = shared.bytes === 0 ? undefined : openArena(shared);
  const child = startWorkerProcess({ ...plan, arena, onOutput });
  const text = JSON.stringify({ ...settings, arenaBytes: arena?.bytes ?? 0 });
  child.socket.write(textFrame(FRAME.load, text));
  return { process: child, arena };
}

/** What a LOAD frame says, but for the shared memory; `settings.py` reads it. */
function loadSettings(
  description: ModelDescription,
  options: PythonOptions,
  worker: number,
): Readonly<Record<string, unknown>> {
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
    sharedFrom,
  } = { ...PYTHON_DEFAULTS, ...options };
  const { workers, maxBatch, maxWaitMs } = { ...SERVER_DEFAULTS, ...description.server };
  const { kind, contract, service, code, codePath, modelPath, allowPickle, python } = description;
  const model = description.name;
  return {
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
    worker,
    sharedFrom,
  };
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
