import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { factsOf, isToolError, ToolError } from "../../ground/errors/index.ts";
import { parseDescription, type ModelDescription } from "../../models/description/index.ts";
import { ComponentError } from "../plane/index.ts";
import { protocolOf } from "../protocols/index.ts";
import { healthcheck } from "./healthcheck.ts";
import { createLogger, levelOfPython, type Logger } from "./log/index.ts";
import { parseObserveSettings } from "./observe/index.ts";
import { readPod } from "./pod.ts";
import { microserviceArguments } from "./seldon/command-words.ts";
import { parseSeldonLaunch, truth, type Environment, type SeldonLaunch } from "./seldon/launch.ts";
import {
  applyLaunch,
  describeMicroservice,
  type MicroservicePlace,
} from "./seldon/microservice.ts";
import { serveModel } from "./serve-model.ts";
import type { ServeOptions } from "./server-parts.ts";
import {
  allowedHostsOf,
  applyServerEnv,
  controlOf,
  imageOf,
  millisecondsIn,
  pageSettingOf,
} from "./server-env.ts";
import { hasTls, readTls } from "./tls.ts";
import { followTls } from "./follow-tls.ts";
import { followKeys, readKeys, withoutKeys } from "./keys/index.ts";
import type { TlsFiles } from "../transport/index.ts";

const MICROSERVICE = "seldon-core-microservice";
const HEALTHCHECK = "--healthcheck";
const MODEL_FILE = "/opt/slipway/model.json";
/** Time for load balancers to see that a stopping server is not ready any more. */
const DRAIN_DELAY_MS = 1000;
/** The same below Seldon's operator: what its preStop hook, which wants a shell, sleeps. */
const OPERATOR_DELAY_MS = 10_000;
/** Time for what is under way, after that. */
const DRAIN_GRACE_MS = 25_000;

/** Where the entry of an image gets its world from. */
export interface EntryOptions {
  /** Without program names. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
  /** Aborted when the server is to stop. */
  readonly signal: AbortSignal;
  /** Takes what is to be done when the server is told to load everything anew. Default: nobody tells it. */
  readonly onHangup?: (reload: () => void) => void;
  /** Where tracebacks of a failed start and the outcome of `--healthcheck` are printed. */
  readonly print: (text: string) => void;
  /** What is served, or would be. Default: what the image's description says. */
  readonly description?: ModelDescription | undefined;
}

/**
 * The entry point of images: serves `/opt/slipway/model.json` (`SLIPWAY_MODEL` names another), or a class by the arguments of
 * `seldon-core-microservice`. `SLIPWAY_ROOT` stands before absolute paths when an unpacked image runs without a container.
 * Resolves to the exit code when the server has stopped. With `--healthcheck` alone it asks a running server whether it is ready, and
 * resolves to 0 or 1.
 */
export async function runEntry(options: EntryOptions): Promise<number> {
  const { argv, env, cwd, signal, print } = options;
  if (argv.includes(HEALTHCHECK)) return runHealthcheck(options);
  const log = { current: createLogger() };
  try {
    const words = argumentsIn(argv, env);
    const launch = parseSeldonLaunch(words ?? [], env);
    log.current = createLogger({ level: levelOfPython(launch.logLevel) });
    const description = applyServerEnv(
      words !== undefined
        ? describeMicroservice(launch, await placeOf(env, cwd))
        : applyLaunch(options.description ?? (await readDescription(env)), launch),
      env,
    );
    for (const note of launch.ignored) log.current.warn({}, `has no effect here: ${note}`);
    const { onHangup } = options;
    await serveUntilStopped({ description, launch, log: log.current, signal, env, onHangup });
    return 0;
  } catch (error) {
    if (signal.aborted) return 0;
    if (error instanceof ComponentError) print(`${error.failure.traceback.trimEnd()}\n`);
    report(log.current, error);
    return factsOf(error).exit;
  }
}

/** Arguments of `seldon-core-microservice`, if that is to be run. @throws ToolError `USAGE` for any other program */
function argumentsIn(argv: readonly string[], env: Environment): readonly string[] | undefined {
  const words = microserviceArguments(argv, env);
  if (words !== undefined || argv.length === 0) return words;
  throw new ToolError(
    "USAGE",
    `run "${argv.join(" ").slice(0, 100)}": this image runs the server of its model, or ${MICROSERVICE} with its arguments`,
    { hint: "name another program by --entrypoint" },
  );
}

interface Running {
  readonly description: ModelDescription;
  readonly launch: SeldonLaunch;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly env: Environment;
  readonly onHangup: EntryOptions["onHangup"];
}

async function serveUntilStopped({
  description,
  launch,
  log,
  signal,
  env,
  onHangup,
}: Running): Promise<void> {
  const pod = await readPod(env);
  const keySource = await readKeys(env, env["SLIPWAY_ROOT"]);
  const observe = {
    ...parseObserveSettings(env, description.name),
    logsRequests: launch.accessLog,
  };
  const server = await serveModel(withoutGrpc(pod.applyTo(description), launch), {
    ...serveOptions(launch),
    ...pod.options,
    observe,
    watch: truth(env["SLIPWAY_WATCH"]),
    ...controlOf(env),
    ...pageSettingOf(env),
    ...imageOf(env),
    ...allowedHostsOf(env),
    ...(keySource !== undefined && { keys: keySource.first, env: withoutKeys(env) }),
    log,
    signal,
  });
  const readAgain = (): Promise<TlsFiles | undefined> => readTls(env, env["SLIPWAY_ROOT"]);
  using follower =
    pod.options.tls === undefined
      ? undefined
      : followTls(pod.options.tls, readAgain, { server, log });
  using keyFollower = keySource === undefined ? undefined : followKeys(keySource, server, log);
  onHangup?.(() => {
    void keyFollower?.look();
    void follower?.look(); // neither of them rejects
    void server.reload();
  });
  if (launch.pidFile !== undefined) await writeFile(launch.pidFile, String(process.pid));
  if (!signal.aborted)
    await new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true }),
    );
  await server.stop({
    delayMs: millisecondsIn(env, "SLIPWAY_DRAIN_DELAY_MS", drainDelayMs(env)),
    graceMs: millisecondsIn(env, "SLIPWAY_DRAIN_GRACE_MS", DRAIN_GRACE_MS),
  });
  if (launch.pidFile !== undefined) await rm(launch.pidFile, { force: true });
}

function drainDelayMs(env: Environment): number {
  return env["SELDON_EXECUTOR_ENABLED"] === undefined ? DRAIN_DELAY_MS : OPERATOR_DELAY_MS;
}

/** What a launch says, as options of `serveModel`. */
export function serveOptions(launch: SeldonLaunch): ServeOptions {
  const { settings, parameters, metricsPath, logLevel, threads } = launch;
  return { seldon: settings, parameters, metricsPath, logLevel, threads };
}

function withoutGrpc(description: ModelDescription, { hasGrpc }: SeldonLaunch): ModelDescription {
  if (hasGrpc) return description;
  const { grpc: _, ...ports } = description.ports;
  return { ...description, ports };
}

/** Exit code for the image's health check: 0 when the server on this machine is ready. */
async function runHealthcheck({ env, description, print }: EntryOptions): Promise<number> {
  try {
    const why = await healthcheck(await probeOf(env, description));
    print(why === undefined ? "ready\n" : `not ready: ${why}\n`);
    return why === undefined ? 0 : 1;
  } catch (error) {
    print(`not ready: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

/**
 * Where to ask, as the server beside it found it: from its arguments, the environment, or the description. With TLS the metrics port is
 * asked, since that of REST may want a certificate.
 */
async function probeOf(
  env: Environment,
  description: ModelDescription | undefined,
): Promise<{ readonly port: number; readonly hasTls: boolean }> {
  const launch = parseSeldonLaunch(await mainArguments(env), env);
  const { http, metrics } = {
    ...(description?.ports ??
      (await readDescription(env).then(
        ({ ports }) => ports,
        () => protocolOf("seldon").defaultPorts,
      ))),
    ...launch.ports,
  };
  if (!hasTls(env)) return { port: http, hasTls: false };
  return metrics === undefined ? { port: http, hasTls: true } : { port: metrics, hasTls: false };
}

/** Arguments of `seldon-core-microservice` when that is what the container runs; none otherwise. */
async function mainArguments(env: Environment): Promise<readonly string[]> {
  const words = await readFile("/proc/1/cmdline", "utf8").then(
    (text) => text.split("\0").slice(0, -1),
    (): string[] => [],
  );
  const names = words.map((word) => (word.endsWith(`/${MICROSERVICE}`) ? MICROSERVICE : word)); // the launcher's path
  return (
    names
      .map((_, at) => microserviceArguments(names.slice(at), env))
      .find((found) => found !== undefined) ?? []
  );
}

async function readDescription(env: Environment): Promise<ModelDescription> {
  const root = env["SLIPWAY_ROOT"] ?? "";
  const file = env["SLIPWAY_MODEL"] ?? join(root, MODEL_FILE);
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new ToolError(
      "PROJECT_NOT_FOUND",
      `read the model description "${file}": ${error instanceof Error ? error.message : ""}`,
      { cause: error, hint: "name it in SLIPWAY_MODEL" },
    );
  });
  return root === "" ? parseDescription(bytes, file) : rebase(parseDescription(bytes, file), root);
}

/** Absolute paths of an image that lies unpacked under `root`. */
function rebase(description: ModelDescription, root: string): ModelDescription {
  const at = (path: string): string => (path.startsWith("/") ? join(root, path) : path);
  const { modelPath, codePath, python } = description;
  return {
    ...description,
    ...(modelPath !== undefined && { modelPath: at(modelPath) }),
    ...(codePath !== undefined && { codePath: at(codePath) }),
    ...(python !== undefined && {
      python: { executable: at(python.executable), path: python.path.map(at) },
    }),
  };
}

/** The working folder, with the interpreter and the packages of the image where this runs in one. */
async function placeOf(env: Environment, cwd: string): Promise<MicroservicePlace> {
  const described = await readDescription(env).catch((error: unknown) => {
    if (isToolError(error) && error.code === "PROJECT_NOT_FOUND") return undefined; // not in an image
    throw error;
  });
  const { executable = "python3", path = [] } = described?.python ?? {};
  return {
    codePath: cwd,
    python: env["SLIPWAY_PYTHON"] ?? executable,
    pythonPath: path,
    code: described?.code,
  };
}

function report(log: Logger, error: unknown): void {
  if (isToolError(error)) log.fatal({ code: error.code, hint: error.hint }, error.message);
  else log.fatal({ err: error }, "a bug in slipway: please report it");
}

const SIGNALS = { SIGTERM: 15, SIGINT: 2 } as const;

/** Stops on the first SIGTERM or SIGINT; the second one ends the process at once, and the workers end with it. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const [name, number] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(128 + number);
      controller.abort();
    });
  }
  return controller.signal;
}

/** SIGHUP loads everything anew; before there is anything to load it does nothing, and never ends the process. */
function hangups(): NonNullable<EntryOptions["onHangup"]> {
  let reload: (() => void) | undefined;
  process.on("SIGHUP", () => reload?.());
  return (given) => (reload = given);
}

/** Runs the server as this process. For the launchers of images. */
export async function main(argv: readonly string[]): Promise<void> {
  await runAsEntry(runEntry, argv);
}

/** Runs an entry of an image as this process: with its environment, folder and signals. */
export async function runAsEntry(
  entry: (options: EntryOptions) => Promise<number>,
  argv: readonly string[],
): Promise<void> {
  countBodiesWithHeap();
  process.exitCode = await entry({
    argv,
    env: process.env,
    cwd: process.cwd(),
    signal: stopSignal(),
    onHangup: hangups(),
    print: (text) => void process.stderr.write(text),
  });
}

/**
 * V8 collects all of its heap whenever 64 MB of memory beside it were taken since the last time, which is every other request of 10 MiB.
 * Counted within the limit of the heap as a whole, such bodies are collected when memory has grown in proportion.
 */
function countBodiesWithHeap(): void {
  setFlagsFromString("--external-memory-accounted-in-global-limit");
}
