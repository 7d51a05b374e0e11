import { setFlagsFromString } from "node:v8";
import { isToolError, ToolError } from "../../ground/errors/index.ts";
import type { ModelDescription } from "../../models/description/index.ts";
import { readDescription } from "./image-description.ts";
import { MICROSERVICE, microserviceArguments } from "./seldon/command-words.ts";
import { parseSeldonLaunch, type Environment } from "./seldon/launch.ts";
import {
  applyLaunch,
  describeMicroservice,
  type MicroservicePlace,
} from "./seldon/microservice.ts";
import { applyServerEnv } from "./server-env.ts";
import { startAhead } from "./start-ahead.ts";

const HEALTHCHECK = "--healthcheck";

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
  if (argv.includes(HEALTHCHECK)) {
    const { runHealthcheck } = await import("./probe-image.ts");
    return runHealthcheck(options);
  }
  try {
    const words = argumentsIn(argv, env);
    const launch = parseSeldonLaunch(words ?? [], env);
    const description = applyServerEnv(
      words !== undefined
        ? describeMicroservice(launch, await placeOf(env, cwd))
        : applyLaunch(options.description ?? (await readDescription(env)), launch),
      env,
    );
    const { onHangup } = options;
    using ahead = startAhead(description, launch, env);
    const { serveUntilStopped } = await import("./serve-until-stopped.ts");
    await serveUntilStopped({ description, launch, signal, env, onHangup, ahead });
    return 0;
  } catch (error) {
    if (signal.aborted) return 0;
    const { reportFailure } = await import("./report-failure.ts");
    return reportFailure(error, print);
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
