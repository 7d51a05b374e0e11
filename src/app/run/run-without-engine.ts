import { join } from "node:path";
import { runUnpacked, unpackImage, type RunningProcess } from "../../images/engine/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { createTempDir } from "../../ground/process/index.ts";
import type { Places } from "../session.ts";
import { modelOf } from "../shown/index.ts";
import { httpPortOf } from "./run-options.ts";
import { READY_PATH, READY_TIMEOUT_MS, type OpenedRun } from "./run-in-engine.ts";
import { sampleRequestOf } from "./sample-request.ts";

/** By which the server in the image is told its ports. */
const PORT_VARIABLES = {
  http: "PREDICTIVE_UNIT_HTTP_SERVICE_PORT",
  grpc: "PREDICTIVE_UNIT_GRPC_SERVICE_PORT",
  metrics: "PREDICTIVE_UNIT_METRICS_SERVICE_PORT",
} as const;

/** Unpacks an image below the cache and runs it as a process of this machine, until it ends or Ctrl-C. */
export async function runWithoutEngine(request: OpenedRun, session: Places): Promise<void> {
  const { name, source } = request;
  refuse((request.mounts ?? []).length > 0, "-v", name);
  refuse(request.gpus !== undefined, "--gpus", name);
  refuse(request.isDetached === true, "--detach", name);
  await using folder = await createTempDir("run", session.directories.cache);
  session.emit({ kind: "step", text: `unpacking ${name}` });
  const image = await unpackImage(source.seen.image, join(folder.path, "root"), session);
  const model = modelOf(image.config);
  const ports = portEnvironment(request);
  const port = ports.http ?? httpPortOf(image.config);
  const url = model === undefined || port === undefined ? undefined : `http://127.0.0.1:${port}`;
  session.emit({
    kind: "warning",
    text: "without a container nothing is kept apart: the image's program runs as you, and sees what you see",
  });
  await using running = await runUnpacked({
    image,
    env: { ...ports.env, ...request.env },
    ...(url === undefined
      ? {}
      : { ready: { url, path: READY_PATH, timeoutMs: request.timeoutMs ?? READY_TIMEOUT_MS } }),
    onOutput: (text) => session.emit({ kind: "output", text }),
    signal: session.signal,
  });
  const example =
    url === undefined || model === undefined
      ? undefined
      : await sampleRequestOf(url, model, session.signal);
  session.emit({ kind: "ready", name, url, example, digest: source.seen.descriptor.digest });
  await untilEnd(running, name, session);
}

function refuse(isGiven: boolean, flag: string, name: string): void {
  if (isGiven)
    throw new ToolError("USAGE", `run "${name}" --unpacked: ${flag} needs a container engine`);
}

/** `-p HOST:CONTAINER` without a container: the server is told to listen on HOST in place of CONTAINER. */
function portEnvironment({ ports = [], source, name }: OpenedRun): {
  readonly env: Readonly<Record<string, string>>;
  readonly http?: number;
} {
  const known = modelOf(source.seen.config)?.ports ?? {};
  const env: Record<string, string> = {};
  let http: number | undefined;
  for (const { containerPort, hostPort = containerPort } of ports) {
    const kind = (["http", "grpc", "metrics"] as const).find(
      (candidate) => known[candidate] === containerPort,
    );
    if (kind === undefined)
      throw new ToolError(
        "USAGE",
        `run "${name}" --unpacked -p "${hostPort}:${containerPort}": the image does not say what listens on ${containerPort}`,
      );
    env[PORT_VARIABLES[kind]] = String(hostPort);
    if (kind === "http") http = hostPort;
  }
  return { env, ...(http === undefined ? {} : { http }) };
}

async function untilEnd(
  running: RunningProcess,
  name: string,
  { signal, emit }: Places,
): Promise<void> {
  const interrupted = new Promise<"interrupted">((resolve) => {
    if (signal.aborted) resolve("interrupted");
    signal.addEventListener("abort", () => resolve("interrupted"), { once: true });
  });
  const outcome = await Promise.race([running.ended, interrupted]);
  if (outcome === "interrupted") emit({ kind: "step", text: "stopping" });
  else if (outcome !== 0)
    throw new ToolError("PROCESS_FAILED", `run "${name}": it ended with exit code ${outcome}`, {
      hint: "the lines above are its own",
    });
}
