import type { Container } from "../engine/index.ts";
import { PLACES } from "../train/index.ts";
import type { Context } from "./context.ts";
import { environmentOf } from "./options.ts";
import { chooseEngine, ensureLoaded } from "./run-in-engine.ts";
import { openRunSource } from "./run-source.ts";
import type { TrainEnd, TrainRun } from "./train-run.ts";
import type { TrainWatch } from "./train-watch.ts";

const PYTHON = "/usr/bin/python";
const LAUNCHER = "/opt/slipway/train/uaitrain/launch.py";

/** Runs the image with docker or podman, with the folders mounted, to its end. Ctrl-C stops and removes the container. */
export async function runInContainer(run: TrainRun, watch: TrainWatch, context: Context): Promise<TrainEnd> {
  await using source = await openRunSource(run.image, { isPull: run.flags.pull }, context);
  const request = { name: run.image, source, flags: { ...(run.flags.engine === undefined ? {} : { engine: run.flags.engine }) } };
  const engine = await chooseEngine(request, context);
  const image = await ensureLoaded(engine, request, context);
  const command = [PYTHON, ...run.words];
  context.reporter.step(`starting ${run.image} with ${engine.kind}: ${run.plan.code.mainFile}${run.tasks.length > 0 ? ` as ${run.tasks.length} processes` : ""}`);
  const container = await engine.start(
    {
      image,
      mounts: [{ source: run.data, target: PLACES.data }, { source: run.output, target: PLACES.output }],
      env: { PYTHONUNBUFFERED: "1", ...environmentOf(run.flags.env ?? [], context.env) },
      gpus: run.flags.gpus,
      // A base may have no shell; the launcher goes to the code's folder, and hands signals on, which a first process does not get.
      entrypoint: PYTHON,
      command: [LAUNCHER, JSON.stringify({ cwd: PLACES.code, tasks: run.tasks }), ...command],
    },
    { signal: context.signal },
  );
  return { ...(await follow(container, watch, context)), digest: source.seen.descriptor.digest, command };
}

async function follow(container: Container, watch: TrainWatch, { signal, reporter }: Context): Promise<Pick<TrainEnd, "exitCode" | "isOutOfMemory">> {
  try {
    await container.logs((text) => watch.log(text), { signal });
    const exitCode = await container.wait({ signal });
    const { isOutOfMemory } = await container.inspect({ signal });
    return { exitCode, isOutOfMemory };
  } catch (error) {
    if (!signal.aborted) throw error;
    reporter.step("stopping");
    await container.stop();
    throw error;
  } finally {
    await container.remove();
  }
}
