import { access, constants, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ToolError } from "../../ground/errors/index.ts";
import type { Digest } from "../../images/oci/index.ts";
import {
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
import type { Context } from "../context.ts";
import { countOf } from "../options.ts";
import { formatBytes, formatDuration, formatTable } from "../format.ts";
import { runInContainer } from "./train-container.ts";
import { runOnHost } from "./train-host.ts";
import { createTrainWatch } from "./train-watch.ts";

/** Flags of `slipway train run`. */
export interface TrainRunFlags {
  readonly plan?: string;
  readonly image?: string;
  readonly data?: string;
  readonly output?: string;
  readonly engine?: "docker" | "podman";
  readonly host?: boolean;
  readonly python?: string;
  readonly gpus?: string;
  readonly shm?: string;
  readonly nproc?: string;
  readonly servers?: string;
  readonly svg?: string;
  readonly env?: readonly string[];
  readonly pull?: boolean;
}

/** A run with everything decided. Paths absolute. */
export interface TrainRun {
  readonly plan: TrainPlan;
  readonly flags: TrainRunFlags;
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

/** Name of the picture of the curves. */
const SVG_NAME = "slipway-train.svg";

/** Runs the local test of a packed job, in a container or on this machine, and tells what came of it. */
export async function trainRun(
  extra: readonly string[],
  flags: TrainRunFlags,
  context: Context,
): Promise<void> {
  const startedAt = performance.now();
  const run = await decide(extra, flags, context);
  await checkFolders(run, context);
  const before = await listFiles(run.output);
  await using watch = createTrainWatch({ output: run.output, task: run.tasks[0]?.name }, context);
  const end =
    flags.host === true
      ? await runOnHost(run, watch, context)
      : await runInContainer(run, watch, context);
  const curves = await watch.finish();
  await leaveBehind(run, { end, curves }, context);
  await report({ run, end, curves, before, tookMs: performance.now() - startedAt }, context);
}

async function decide(
  extra: readonly string[],
  flags: TrainRunFlags,
  context: Context,
): Promise<TrainRun> {
  const path = resolve(context.cwd, flags.plan ?? PLAN_FILE_NAME);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new ToolError("PROJECT_NOT_FOUND", `read "${path}": there is no such file`, {
      cause: error,
      hint: "pack first with `slipway train pack`, or name its file with --plan",
    });
  });
  const plan = parsePlan(text, path);
  const isGpu = flags.gpus !== undefined;
  const program = isGpu ? plan.commands.gpuProgram : plan.commands.cpuProgram;
  const workers = flags.nproc === undefined ? 1 : countOf(flags.nproc);
  const servers = flags.servers === undefined ? 0 : countOf(flags.servers);
  return {
    plan,
    flags,
    image: flags.image ?? imageName(plan, isGpu),
    data: resolve(context.cwd, flags.data ?? plan.data),
    output: resolve(context.cwd, flags.output ?? plan.output),
    words: [...program.slice(1), ...extra],
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
async function checkFolders({ data, output }: TrainRun, { reporter }: Context): Promise<void> {
  const seen = await stat(data).catch(() => undefined);
  if (seen?.isDirectory() !== true)
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      `train run: the data folder "${data}" does not exist`,
      { hint: "name another with --data" },
    );
  if ((await readdir(data)).length === 0) reporter.warn(`the data folder "${data}" is empty`);
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
  context: Context,
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
    context.reporter.warn(
      `"${RUN_FILE_NAME}" could not be written to the output folder (${error instanceof Error ? error.message : String(error)}); what is packed from it will not say where it comes from`,
    );
  });
  if (curves.length > 0)
    await writeFile(
      resolve(context.cwd, run.flags.svg ?? SVG_NAME),
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

async function report(
  { run, end, curves, before, tookMs }: Outcome,
  context: Context,
): Promise<void> {
  const { reporter, signal } = context;
  signal.throwIfAborted();
  const after = await listFiles(run.output);
  const files = [...after]
    .filter(
      ([path, { size, mtimeNs }]) =>
        path !== RUN_FILE_NAME &&
        (before.get(path)?.mtimeNs !== mtimeNs || before.get(path)?.size !== size),
    )
    .map(([path, { size }]) => ({ path, size }));
  reporter.line(
    `exit code ${end.exitCode} after ${formatDuration(tookMs)}${end.isOutOfMemory === true ? ": it used more memory than it may have" : ""}`,
  );
  for (const line of formatTable(
    files.map(({ path, size }) => [`  ${path}`, formatBytes(size)]),
    [1],
  ))
    reporter.line(line);
  if (files.length === 0) reporter.line(`nothing new in ${run.output}`);
  if (curves.length > 0) reporter.line(`curves: ${run.flags.svg ?? SVG_NAME}`);
  reporter.result({
    exitCode: end.exitCode,
    digest: end.digest,
    files,
    metrics: Object.fromEntries(curves.map(({ name, points }) => [name, points.at(-1)?.value])),
    seconds: Math.round(tookMs) / 1000,
  });
  if (end.exitCode !== 0)
    throw new ToolError(
      "PROCESS_FAILED",
      `train run "${run.plan.code.mainFile}": it ended with exit code ${end.exitCode}`,
      { hint: "the lines above are its own" },
    );
  if (files.length > 0)
    reporter.line(`pack what it left: slipway pack ${run.flags.output ?? run.plan.output}`);
}
