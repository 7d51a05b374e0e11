import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  createLogger,
  describeMicroservice,
  parseSeldonLaunch,
  serveModel,
  serveOptions,
} from "../../../src/serving/server/index.ts";

/** Classes that the cases ask. */
export const SELDON_MODELS: string = join(import.meta.dirname, "../../fixtures/seldon");

/** The wrapper that everything is compared with, the last release under Apache-2.0, and what its pins leave open. */
export const WRAPPER_PACKAGES: readonly string[] = [
  "seldon-core==1.17.1",
  "setuptools<70",
  "numpy==1.26.4",
];

/** What user code of the cases imports, at the wrapper's own versions: numpy writes some of the error texts. */
export const CLASS_PACKAGES: readonly string[] = [
  "numpy==1.26.4",
  "flask==2.2.5",
  "werkzeug==2.2.3",
  "protobuf==3.20.3",
];

/** How a server is started. */
export interface SeldonServer {
  /** `Name` or `module.Class`, in the folder of classes. */
  readonly name: string;
  readonly service?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Further arguments. */
  readonly args?: readonly string[];
}

export interface RunningSeldon extends AsyncDisposable {
  readonly http: number;
  readonly metrics: number;
}

/** Our server, in this process, on the interpreter `python`. Rejects when the class cannot be started. */
export async function startOurs(
  setup: SeldonServer,
  python: string,
  folder: string = SELDON_MODELS,
): Promise<RunningSeldon> {
  const launch = parseSeldonLaunch(argumentsOf(setup), { GRPC_WORKERS: "0", ...setup.env });
  const description = {
    ...describeMicroservice(launch, { codePath: folder, python, pythonPath: [] }),
    ports: { http: 0, metrics: 0 },
  };
  const server = await serveModel(description, {
    ...serveOptions(launch),
    host: "127.0.0.1",
    log: createLogger({ level: "fatal", write: () => undefined }),
    env: environmentOf(setup),
  });
  return {
    http: server.ports.http,
    metrics: server.ports.metrics ?? 0,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** The wrapper itself, from the environment whose programs are in `bin`. Rejects when it ends before it listens. */
export async function startWrapper(
  setup: SeldonServer,
  bin: string,
  folder: string = SELDON_MODELS,
): Promise<RunningSeldon> {
  // Without its gRPC processes the wrapper starts faster, and ends when it is told to.
  const ports = ["--http-port", "0", "--metrics-port", "0", "--grpc-workers", "0"];
  const child = spawn(join(bin, "seldon-core-microservice"), [...argumentsOf(setup), ...ports], {
    cwd: folder,
    env: environmentOf(setup),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null)
      process.kill(-(child.pid ?? 0), "SIGKILL");
    await ended;
  };
  const listening = Promise.withResolvers<{ readonly http: number; readonly metrics: number }>();
  const found = new Map<string, number>();
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      tail.push(line);
      const match = /Listening at: http:\/\/[\d.]+:(\d+) \((\d+)\)/.exec(line);
      if (match !== null)
        found.set(Number(match[2]) === child.pid ? "http" : "metrics", Number(match[1]));
      const [http, metrics] = [found.get("http"), found.get("metrics")];
      if (http !== undefined && metrics !== undefined) listening.resolve({ http, metrics });
    });
  }
  void ended.then(() =>
    listening.reject(new Error(`the wrapper ended: ${tail.slice(-5).join("\n")}`)),
  );
  try {
    return { ...(await listening.promise), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function argumentsOf({ name, service = "MODEL", args = [] }: SeldonServer): readonly string[] {
  return [name, "--service-type", service, ...args];
}

function environmentOf({ env = {} }: SeldonServer): Record<string, string> {
  const { PATH = "", HOME = "" } = process.env;
  return { PATH, HOME, PYTHONDONTWRITEBYTECODE: "1", PYTHONUNBUFFERED: "1", ...env };
}
