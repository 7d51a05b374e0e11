import { access, constants, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import type { Digest } from "../../images/oci/index.ts";
import {
  CURVES_FILE_NAME,
  curvesToSvg,
  localTasks,
  parsePlan,
  PLAN_FILE_NAME,
  printRunRecord,
  RUN_FILE_NAME,
  type Curve,
  type Task,
  type TrainPlan,
} from "../../jobs/train/index.ts";
import type { EngineKind } from "../../images/engine/index.ts";
import type { Caller, Session, Standpoint } from "../session.ts";
import { runInContainer } from "./train-container.ts";
import { runOnHost } from "./train-host.ts";
import { createTrainWatch } from "./train-watch.ts";

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
  /** Default 1. */
  readonly processes?: number | undefined;
  /** Parameter servers beside them. Default 0. */
  readonly servers?: number | undefined;
  /** Picture of the metrics. Default: `slipway-train.svg`. */
  readonly svg?: string | undefined;
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

/** How a run ended. */
export interface TrainEnd {
  readonly exitCode: number;
  readonly isOutOfMemory?: boolean;
  /** The image that ran. */
  readonly digest?: Digest;
  readonly command: readonly string[];
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
  const before = await listFiles(run.output);
  await using watch = createTrainWatch({ output: run.output, task: run.tasks[0]?.name }, session);
  const end =
    request.isOnHost === true
      ? await runOnHost(run, watch, session)
      : await runInContainer(run, watch, session);
  const curves = await watch.finish();
  await leaveBehind(run, { end, curves }, session);
  session.signal.throwIfAborted();
  return await resultOf({ run, end, curves, before, tookMs: performance.now() - startedAt });
}

async function decide(request: TrainRunRequest, session: Standpoint): Promise<TrainRun> {
  const path = resolve(session.cwd, request.plan ?? PLAN_FILE_NAME);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new ToolError("PROJECT_NOT_FOUND", `read "${path}": there is no such file`, {
      cause: error,
      hint: "pack first with `slipway train pack`, or name its file with --plan",
    });
  });
  const plan = parsePlan(text, path);
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
  const seen = await stat(data).catch(() => undefined);
  if (seen?.isDirectory() !== true)
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      `train run: the data folder "${data}" does not exist`,
      { hint: "name another with --data" },
    );
  if ((await readdir(data)).length === 0)
    emit({ kind: "warning", text: `the data folder "${data}" is empty` });
  try {
    await mkdir(output, { recursive: true });
    await access(output, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new ToolError(
      "STORE_UNWRITABLE",
      `train run: the output folder "${output}" cannot be written to`,
      { cause: error, hint: "name another with --output" },
    );
  }
}

/** Size and time of every file below a folder, by its path there. */
async function listFiles(
  root: string,
): Promise<ReadonlyMap<string, { readonly size: number; readonly mtimeNs: bigint }>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const found = new Map<string, { readonly size: number; readonly mtimeNs: bigint }>();
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const stats = await stat(path, { bigint: true }).catch(() => undefined);
    if (stats !== undefined)
      found.set(path.slice(root.length + 1), { size: Number(stats.size), mtimeNs: stats.mtimeNs });
  }
  return found;
}

/** What made the output is kept beside it, for `slipway pack`; the picture stays out of it. */
async function leaveBehind(
  run: TrainRun,
  { end, curves }: { readonly end: TrainEnd; readonly curves: readonly Curve[] },
  session: Standpoint,
): Promise<void> {
  const image = end.digest === undefined ? {} : { image: { name: run.image, digest: end.digest } };
  const metrics = Object.fromEntries(
    curves.map(({ name, points }) => [name, points.at(-1)?.value ?? 0]),
  );
  await writeFile(
    join(run.output, RUN_FILE_NAME),
    printRunRecord({
      schemaVersion: 1,
      ...image,
      command: end.command,
      exitCode: end.exitCode,
      metrics,
    }),
  ).catch((error: unknown) => {
    session.emit({
      kind: "warning",
      text: `"${RUN_FILE_NAME}" could not be written to the output folder (${error instanceof Error ? error.message : String(error)}); what is packed from it will not say where it comes from`,
    });
  });
  if (curves.length > 0)
    await writeFile(
      resolve(session.cwd, run.request.svg ?? CURVES_FILE_NAME),
      curvesToSvg(curves, `${run.image}: ${run.plan.code.mainFile}`),
    );
}

interface Outcome {
  readonly run: TrainRun;
  readonly end: TrainEnd;
  readonly curves: readonly Curve[];
  readonly before: Awaited<ReturnType<typeof listFiles>>;
  readonly tookMs: number;
}

async function resultOf({ run, end, curves, before, tookMs }: Outcome): Promise<TrainRunResult> {
  const after = await listFiles(run.output);
  const files = [...after]
    .filter(
      ([path, { size, mtimeNs }]) =>
        path !== RUN_FILE_NAME &&
        (before.get(path)?.mtimeNs !== mtimeNs || before.get(path)?.size !== size),
    )
    .map(([path, { size }]) => ({ path, size }));
  return {
    exitCode: end.exitCode,
    isOutOfMemory: end.isOutOfMemory === true,
    mainFile: run.plan.code.mainFile,
    digest: end.digest,
    output: run.request.output ?? run.plan.output,
    outputFolder: run.output,
    files,
    metrics: Object.fromEntries(curves.map(({ name, points }) => [name, points.at(-1)?.value])),
    svg: curves.length > 0 ? (run.request.svg ?? CURVES_FILE_NAME) : undefined,
    tookMs,
  };
}
