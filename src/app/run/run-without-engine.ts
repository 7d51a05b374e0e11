import { join } from "node:path";
import { runUnpacked, unpackImage, type RunningProcess } from "../../images/engine/index.ts";
import { ToolError } from "../../ground/errors/index.ts";
import { createTempDir } from "../../ground/process/index.ts";
import type { Context } from "../context.ts";
import { environmentOf } from "../options.ts";
import { modelOf } from "../image-label.ts";
import { httpPortOf, parsePort } from "./run-options.ts";
import { READY_PATH, type RunRequest } from "./run-in-engine.ts";
import { sampleRequestOf } from "./sample-request.ts";

/** By which the server in the image is told its ports. */
const PORT_VARIABLES = {
  http: "PREDICTIVE_UNIT_HTTP_SERVICE_PORT",
  grpc: "PREDICTIVE_UNIT_GRPC_SERVICE_PORT",
  metrics: "PREDICTIVE_UNIT_METRICS_SERVICE_PORT",
} as const;

/** Unpacks an image below the cache and runs it as a process of this machine, until it ends or Ctrl-C. */
export async function runWithoutEngine(request: RunRequest, context: Context): Promise<void> {
  const { name, source, flags } = request;
  refuse(flags.volume !== undefined, "-v", name);
  refuse(flags.gpus !== undefined, "--gpus", name);
  refuse(flags.detach === true, "--detach", name);
  await using folder = await createTempDir("run", context.directories.cache);
  context.reporter.step(`unpacking ${name}`);
  const image = await unpackImage(source.seen.image, join(folder.path, "root"), context);
  const model = modelOf(image.config);
  const ports = portEnvironment(request);
  const port = ports.http ?? httpPortOf(image.config);
  const url = model === undefined || port === undefined ? undefined : `http://127.0.0.1:${port}`;
  context.reporter.warn(
    "without a container nothing is kept apart: the image's program runs as you, and sees what you see",
  );
  await using running = await runUnpacked({
    image,
    env: { ...ports.env, ...environmentOf(flags.env ?? [], context.env) },
    ...(url === undefined
      ? {}
      : { ready: { url, path: READY_PATH, timeoutMs: (flags.timeout ?? 120) * 1000 } }),
    onOutput: (text) => void process.stderr.write(text),
    signal: context.signal,
  });
  const example =
    url === undefined || model === undefined
      ? undefined
      : await sampleRequestOf(url, model, context.signal);
  context.reporter.line(url === undefined ? `${name} runs` : `ready at ${url}; try`);
  if (example !== undefined) context.reporter.line(`  ${example}`);
  context.reporter.result({ url, example, digest: source.seen.descriptor.digest });
  await untilEnd(running, name, context);
}

function refuse(isGiven: boolean, flag: string, name: string): void {
  if (isGiven)
    throw new ToolError("USAGE", `run "${name}" --unpacked: ${flag} needs a container engine`);
}

/** `-p HOST:CONTAINER` without a container: the server is told to listen on HOST in place of CONTAINER. */
function portEnvironment({ flags, source, name }: RunRequest): {
  readonly env: Readonly<Record<string, string>>;
  readonly http?: number;
} {
  const known = modelOf(source.seen.config)?.ports ?? {};
  const env: Record<string, string> = {};
  let http: number | undefined;
  for (const text of flags.port ?? []) {
    const { containerPort, hostPort = containerPort } = parsePort(text);
    const kind = (["http", "grpc", "metrics"] as const).find(
      (candidate) => known[candidate] === containerPort,
    );
    if (kind === undefined)
      throw new ToolError(
        "USAGE",
        `run "${name}" --unpacked -p "${text}": the image does not say what listens on ${containerPort}`,
      );
    env[PORT_VARIABLES[kind]] = String(hostPort);
    if (kind === "http") http = hostPort;
  }
  return { env, ...(http === undefined ? {} : { http }) };
}

async function untilEnd(
  running: RunningProcess,
  name: string,
  { signal, reporter }: Context,
): Promise<void> {
  const interrupted = new Promise<"interrupted">((resolve) => {
    if (signal.aborted) resolve("interrupted");
    signal.addEventListener("abort", () => resolve("interrupted"), { once: true });
  });
  const outcome = await Promise.race([running.ended, interrupted]);
  if (outcome === "interrupted") reporter.step("stopping");
  else if (outcome !== 0)
    throw new ToolError("PROCESS_FAILED", `run "${name}": it ended with exit code ${outcome}`, {
      hint: "the lines above are its own",
    });
}
