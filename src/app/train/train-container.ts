import { chooseRow } from "../../jobs/catalogue/index.ts";
import { userInfo } from "node:os";
import type { Container, ContainerRequest, EngineKind } from "../../images/engine/index.ts";
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
    containerRequest(run, { image, engine: engine.kind, uid: userInfo().uid }),
    { signal: session.signal },
  );
  return await follow(container, follower, { session, graceS: run.request.stopTimeoutS });
}

/**
 * The container of a run: the data as they are, to be read only unless the results lie among them or the caller says otherwise.
 * @param about.uid - the caller's; what the script writes is the caller's then.
 */
export function containerRequest(
  run: Pick<TrainRun, "request" | "data" | "output" | "words" | "tasks">,
  about: { readonly image: string; readonly engine: EngineKind; readonly uid: number },
): ContainerRequest {
  const { request, data, output } = run;
  const holdsOutput = output === data || output.startsWith(`${data}/`);
  const user = request.user ?? callerIn(about);
  return {
    image: about.image,
    mounts: [
      {
        source: data,
        target: PLACES.data,
        readOnly: request.isDataWritable !== true && !holdsOutput,
      },
      { source: output, target: PLACES.output },
    ],
    env: {
      PYTHONUNBUFFERED: "1",
      // A user that the image does not know has no home.
      ...(user === undefined ? {} : { HOME: "/tmp" }),
      ...request.env,
    },
    user,
    memory: request.memory,
    gpus: request.gpus,
    // Loaders of several processes hand batches over in it, and die where there is too little.
    sharedMemory: request.sharedMemory ?? "1g",
    // A base may have no shell; the launcher goes to the code's folder, and hands signals on, which a first process does not get.
    entrypoint: PYTHON,
    command: [
      LAUNCHER,
      JSON.stringify({ cwd: PLACES.code, tasks: run.tasks }),
      PYTHON,
      ...run.words,
    ],
  };
}

/** Podman without root has the caller as the container's root already. Group 0 may write where the image lets it. */
function callerIn({
  engine,
  uid,
}: {
  readonly engine: EngineKind;
  readonly uid: number;
}): string | undefined {
  return uid <= 0 || engine !== "docker" ? undefined : `${uid}:0`;
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
  about: { readonly session: Surroundings; readonly graceS: number | undefined },
): Promise<TrainEnd> {
  const { signal, emit } = about.session;
  let stopping: Promise<void> | undefined;
  const stop = (): void => {
    emit({ kind: "step", text: "stopping" });
    stopping = container.stop({ graceS: about.graceS });
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
