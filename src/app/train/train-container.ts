import { chooseRow } from "../../jobs/catalogue/index.ts";
import type { Container } from "../../images/engine/index.ts";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import { run as runProcess } from "../../ground/process/index.ts";
import { checkGpu, LAUNCHER, PLACES, PYTHON } from "../../jobs/train/index.ts";
import { openCatalogue } from "../packdocker/catalogue.ts";
import type { Places, Surroundings } from "../session.ts";
import { chooseEngine, ensureLoaded } from "../run/run-in-engine.ts";
import { openRunSource } from "../run/run-source.ts";
import type { TrainEnd, TrainFollower, TrainRun } from "./train-run.ts";

/** Runs the image with docker or podman, with the folders mounted, to its end. Ctrl-C stops and removes the container. */
export async function runInContainer(
  run: TrainRun,
  follower: TrainFollower,
  session: Places & Surroundings,
): Promise<TrainEnd> {
  await using source = await openRunSource(run.image, run.request, session);
  const request = {
    name: run.image,
    source,
    engine: run.request.engine,
  };
  const engine = await chooseEngine(request, session).catch((error: unknown) => {
    if (!isToolError(error) || error.code !== "ENGINE_MISSING") throw error;
    throw new ToolError("ENGINE_MISSING", error.message, {
      cause: error,
      hint: "start docker or install podman, or run it on this machine with --host",
    });
  });
  if (run.request.gpus !== undefined) await checkCards(run, session);
  const image = await ensureLoaded(engine, request, session);
  const command = [PYTHON, ...run.words];
  session.emit({
    kind: "step",
    text: `starting ${run.image} with ${engine.kind}: ${run.plan.code.mainFile}${run.tasks.length > 0 ? ` as ${run.tasks.length} processes` : ""}`,
  });
  await follower.started({ digest: source.seen.descriptor.digest, command });
  const container = await engine.start(
    {
      image,
      mounts: [
        { source: run.data, target: PLACES.data },
        { source: run.output, target: PLACES.output },
      ],
      env: { PYTHONUNBUFFERED: "1", ...run.request.env },
      gpus: run.request.gpus,
      // Loaders of several processes hand batches over in it, and die where there is too little.
      sharedMemory: run.request.sharedMemory ?? "1g",
      // A base may have no shell; the launcher goes to the code's folder, and hands signals on, which a first process does not get.
      entrypoint: PYTHON,
      command: [LAUNCHER, JSON.stringify({ cwd: PLACES.code, tasks: run.tasks }), ...command],
    },
    { signal: session.signal },
  );
  return await follow(container, follower, session);
}

/** Whether the wheels in the image work with what is in this machine; where nobody can be asked, the run will tell. */
async function checkCards(
  { plan }: TrainRun,
  { cwd, environment, signal, emit }: Surroundings,
): Promise<void> {
  const choice =
    plan.release === undefined
      ? undefined
      : chooseRow(await openCatalogue(undefined, { cwd, environment }), {
          framework: plan.framework,
          purpose: "training",
          name: plan.release,
        });
  const release = choice?.kind === "found" ? choice.row : undefined;
  if (release === undefined) return;
  const asked = await runProcess(
    ["nvidia-smi", "--query-gpu=compute_cap,driver_version", "--format=csv,noheader"],
    { env: environment, signal, timeoutMs: 20_000 },
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    emit({
      kind: "warning",
      text: `the graphics cards of this machine cannot be asked for (${error instanceof Error ? error.message : String(error)})`,
    });
  });
  for (const line of asked?.stdout.toString("utf8").trim().split("\n") ?? []) {
    const [card, driver] = line.split(",").map((word) => word.trim());
    checkGpu(release, { card, driver });
  }
}

async function follow(
  container: Container,
  follower: TrainFollower,
  { signal, emit }: Surroundings,
): Promise<TrainEnd> {
  let stopping: Promise<void> | undefined;
  const stop = (): void => {
    emit({ kind: "step", text: "stopping" });
    stopping = container.stop();
    stopping.catch(() => undefined); // thrown below, once the log is at its end
  };
  try {
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    // Not aborted: what a program says while it is stopped is shown too.
    await container.logs((text) => follower.log(text));
    await stopping;
    signal.throwIfAborted();
    const exitCode = await container.wait({ signal });
    const { isOutOfMemory } = await container.inspect({ signal });
    return { exitCode, isOutOfMemory };
  } finally {
    signal.removeEventListener("abort", stop);
    await container.remove();
  }
}
