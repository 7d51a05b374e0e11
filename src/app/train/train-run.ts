import { access, constants, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { noFile } from "../../ground/process/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import type { Digest } from "../../images/oci/index.ts";
import {
  CURVES_FILE_NAME,
  curvesToSvg,
  localTasks,
  type Curve,
  type RunRecord,
  type Task,
  type TrainPlan,
} from "../../jobs/train/index.ts";
import type { EngineKind } from "../../images/engine/index.ts";
import type { Caller, Session, Standpoint } from "../session.ts";
import { runInContainer } from "./train-container.ts";
import { runOnHost } from "./train-host.ts";
import {
  digestsOf,
  filesMadeSince,
  keepRecord,
  stateOfFolder,
  type FolderState,
  type MadeFile,
} from "./run-record.ts";
import { createTrainWatch, type TrainWatch } from "./train-watch.ts";
import { readPlan } from "./read-plan.ts";

/** A packed job to run on this machine. */
export interface TrainRunRequest {
  /** More parameters of the script. */
  readonly parameters?: readonly string[] | undefined;
  /** What `trainPack` wrote. Default: `slipway-train.json`. */
  readonly plan?: string | undefined;
  /** Another image than the plan's. */
  readonly image?: string | undefined;
  /** Folder to train on. Default: the plan's. */
  readonly data?: string | undefined;
  /** Folder of the results. Default: the plan's. */
  readonly output?: string | undefined;
  /** Default: the one that answers, docker first. */
  readonly engine?: EngineKind | undefined;
  /** Runs without a container. Default false. */
  readonly isOnHost?: boolean | undefined;
  /** With `isOnHost`: the interpreter. Default: the active environment's. */
  readonly python?: string | undefined;
  /** Runs the GPU image on these cards, such as `all`. */
  readonly gpus?: string | undefined;
  /** Size of `/dev/shm`, such as `8g`. Default `1g`. */
  readonly sharedMemory?: string | undefined;
  /** Most memory that the container may use, such as `16g`. Default: no bound. */
  readonly memory?: string | undefined;
  /** User in the container, `UID[:GID]` or a name. Default: the caller, with group 0; root where the engine runs without root itself. */
  readonly user?: string | undefined;
  /** The script may write into the data folder. Default false. */
  readonly isDataWritable?: boolean | undefined;
  /** Seconds that the script has to end after Ctrl-C. Default: the engine's, 10. */
  readonly stopTimeoutS?: number | undefined;
  /** Default 1. */
  readonly processes?: number | undefined;
  /** Parameter servers beside them. Default 0. */
  readonly servers?: number | undefined;
  /** Picture of the metrics. Default: `slipway-train.svg`. */
  readonly svg?: string | undefined;
  /**
   * Forms of metrics in the log, each with a group `value` (else the first group), and perhaps groups `name` and `step`.
   * Default: the forms that frameworks print.
   */
  readonly metrics?: readonly RegExp[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Asks the registry though the store has an image of that name. Default false. */
  readonly isPull?: boolean | undefined;
}

/** How a run ended, and what it left. */
export interface TrainRunResult {
  /** Of the script; not 0 when it failed. */
  readonly exitCode: number;
  readonly isOutOfMemory: boolean;
  /** Path of the main file in the code folder. */
  readonly mainFile: string;
  /** Of the image that ran; absent without a container. */
  readonly digest?: Digest | undefined;
  /** The output folder, as it was named. */
  readonly output: string;
  /** The same, absolute. */
  readonly outputFolder: string;
  /** New and changed files of the output folder, relative to it; sizes in bytes. */
  readonly files: readonly { readonly path: string; readonly size: number }[];
  /** Last value of each metric. */
  readonly metrics: Readonly<Record<string, number | undefined>>;
  /** The picture; absent when the script told no metric. */
  readonly svg?: string | undefined;
  readonly tookMs: number;
}

/** A run with everything decided. Paths absolute. */
export interface TrainRun {
  readonly plan: TrainPlan;
  readonly request: TrainRunRequest;
  /** Where the image is looked for. */
  readonly image: string;
  readonly data: string;
  readonly output: string;
  /** Words after Python, as they stand in the container. */
  readonly words: readonly string[];
  /** Processes; empty for a single one. */
  readonly tasks: readonly Task[];
}

/** What a run is, once its program starts. */
export interface TrainStart {
  /** The image that runs; absent without a container. */
  readonly digest?: Digest | undefined;
  readonly command: readonly string[];
}

/** How a run's program ended by itself. */
export interface TrainEnd {
  readonly exitCode: number;
  readonly isOutOfMemory?: boolean;
}

/** What follows a run: what it prints, and that it starts. */
export interface TrainFollower extends Pick<TrainWatch, "log"> {
  /** Told right before the program starts: from then on the output folder is this run's. */
  started(start: TrainStart): Promise<void>;
}

/**
 * Runs the local test of a packed job, in a container or on this machine, and tells what came of it. A script that fails is a
 * result, with its exit code.
 * @throws ToolError `PROJECT_NOT_FOUND`, `PROJECT_INVALID`, `STORE_UNWRITABLE`, `ENGINE_MISSING` and what running an image throws.
 */
export async function trainRun(
  request: TrainRunRequest,
  session: Session,
): Promise<TrainRunResult> {
  const startedAt = performance.now();
  const run = await decide(request, session);
  await checkFolders(run, session);
  const before = await stateOfFolder(run.output);
  await using watch = createTrainWatch(
    { output: run.output, task: run.tasks[0]?.name, patterns: request.metrics },
    session,
  );
  let start: TrainStart | undefined;
  const follower: TrainFollower = {
    log: (text) => watch.log(text),
    async started(told) {
      start = told;
      const record = { ...beginningOf(run, told), metrics: {}, files: {} };
      await keepRecord({ ...record, state: "running" }, run.output, session);
    },
  };
  const end = await (request.isOnHost === true ? runOnHost : runInContainer)(
    run,
    follower,
    session,
  ).catch(async (error: unknown) => {
    // What a run made until Ctrl-C is its own too.
    if (start !== undefined)
      await leaveBehind({ run, start, end: undefined, before }, watch, session);
    throw error;
  });
  const left = await leaveBehind({ run, start, end, before }, watch, session);
  session.signal.throwIfAborted();
  return {
    exitCode: end.exitCode,
    isOutOfMemory: end.isOutOfMemory === true,
    mainFile: run.plan.code.mainFile,
    digest: start?.digest,
    output: run.request.output ?? run.plan.output,
    outputFolder: run.output,
    files: left.files,
    metrics: lastValues(left.curves),
    svg: left.curves.length > 0 ? (request.svg ?? CURVES_FILE_NAME) : undefined,
    tookMs: performance.now() - startedAt,
  };
}

async function decide(request: TrainRunRequest, session: Standpoint): Promise<TrainRun> {
  const plan = await readPlan(request.plan, session);
  const isGpu = request.gpus !== undefined;
  const program = isGpu ? plan.commands.gpuProgram : plan.commands.cpuProgram;
  const { processes: workers = 1, servers = 0 } = request;
  return {
    plan,
    request,
    image: request.image ?? imageName(plan, isGpu),
    data: resolve(session.cwd, request.data ?? plan.data),
    output: resolve(session.cwd, request.output ?? plan.output),
    words: [...program.slice(1), ...(request.parameters ?? [])],
    tasks: workers === 1 && servers === 0 ? [] : localTasks(plan, { workers, servers }),
  };
}

/** The CPU image is in the store; a CPU run without one, and a GPU run, take the GPU image. */
function imageName({ images }: TrainPlan, isGpu: boolean): string {
  const cpu =
    images.cpu === undefined
      ? undefined
      : images.cpu.isPushed
        ? images.cpu.name
        : `store:${images.cpu.name}`;
  const found = isGpu ? (images.gpu?.name ?? cpu) : (cpu ?? images.gpu?.name);
  if (found === undefined)
    throw new ToolError("PROJECT_INVALID", "train run: the plan names no image", {
      hint: "pack again with `slipway train pack`, or name one with --image",
    });
  return found;
}

/** @throws ToolError `PROJECT_NOT_FOUND`, `STORE_UNWRITABLE`. */
async function checkFolders({ data, output }: TrainRun, { emit }: Caller): Promise<void> {
  const seen = await stat(data).catch(noFile);
  if (seen?.isDirectory() !== true)
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      `train run: ${seen === undefined ? `the data folder "${data}" does not exist` : `the data "${data}" is a file, not a folder`}`,
      { hint: "name another with --data" },
    );
  if ((await readdir(data)).length === 0)
    emit({ kind: "warning", text: `the data folder "${data}" is empty` });
  try {
    await makeFolder(output);
    await access(output, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new ToolError(
      "STORE_UNWRITABLE",
      `train run: the output folder "${output}" cannot be written to`,
      { cause: error, hint: "name another with --output" },
    );
  }
}

/** Makes a folder and those above it. One by one: `recursive` never ends where a file system takes no folders, such as in /proc. */
async function makeFolder(path: string): Promise<void> {
  if ((await stat(path).catch(noFile))?.isDirectory() === true) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path);
}

/** What the record of a run says from its start on. */
function beginningOf(
  { image }: TrainRun,
  { digest, command }: TrainStart,
): Pick<RunRecord, "image" | "command"> {
  return { ...(digest === undefined ? {} : { image: { name: image, digest } }), command };
}

interface Outcome {
  readonly run: TrainRun;
  readonly start: TrainStart | undefined;
  /** Absent when it was ended from outside. */
  readonly end: TrainEnd | undefined;
  readonly before: FolderState;
}

/** What made the output is kept beside it, for `slipway pack`; the picture stays out of it. */
async function leaveBehind(
  { run, start, end, before }: Outcome,
  watch: TrainWatch,
  session: Standpoint,
): Promise<{ readonly curves: readonly Curve[]; readonly files: readonly MadeFile[] }> {
  const curves = await watch.finish();
  const files = await filesMadeSince(before, run.output);
  if (start !== undefined)
    await keepRecord(
      {
        state: end === undefined ? "stopped" : "ended",
        ...beginningOf(run, start),
        ...(end === undefined ? {} : { exitCode: end.exitCode }),
        metrics: lastValues(curves),
        files: await digestsOf(files, run.output),
      },
      run.output,
      session,
    );
  if (curves.length > 0)
    await writeFile(
      resolve(session.cwd, run.request.svg ?? CURVES_FILE_NAME),
      curvesToSvg(curves, `${run.image}: ${run.plan.code.mainFile}`),
    );
  return { curves, files };
}

function lastValues(curves: readonly Curve[]): Readonly<Record<string, number>> {
  return Object.fromEntries(curves.map(({ name, points }) => [name, points.at(-1)?.value ?? 0]));
}
