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
  type ServeOptions,
} from "../../../src/serving/server/index.ts";
import { SELDON_MODELS, type SeldonServer } from "./servers.ts";
import { freePort } from "../free-port.ts";

/** One call as the client script takes it. */
export interface GrpcCase {
  readonly service:
    | "Model"
    | "Router"
    | "Transformer"
    | "OutputTransformer"
    | "Combiner"
    | "Generic"
    | "Seldon";
  readonly method: string;
  /** Name of the request's message. */
  readonly type: string;
  /** In protobuf's JSON form. */
  readonly request?: unknown;
  /** The serialised request, in place of `request`. */
  readonly hex?: string;
  /** Seconds. Default 120. */
  readonly timeout?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly compression?: "gzip" | "deflate";
}

export interface GrpcAnswer {
  /** Name of a gRPC status. */
  readonly code: string;
  readonly details: string;
  /** The answer, serialised in protobuf's deterministic form. */
  readonly hex?: string;
  /** The answer in JSON form. */
  readonly answer?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly trailers?: Readonly<Record<string, string>>;
}

/** A client with Seldon's own stubs, in a process of its own. */
export interface GrpcClient extends AsyncDisposable {
  call(request: GrpcCase): Promise<GrpcAnswer>;
}

export interface GrpcClientOptions {
  /** Interpreter that has seldon-core. */
  readonly python: string;
  readonly target: string;
  /** Files for TLS. */
  readonly tls?: { readonly ca: string; readonly cert?: string; readonly key?: string };
}

/** Rejects when the server cannot be reached. */
export async function startGrpcClient({
  python,
  target,
  tls,
}: GrpcClientOptions): Promise<GrpcClient> {
  const files = tls === undefined ? [] : [tls.ca, tls.cert ?? "", tls.key ?? ""];
  const child = spawn(python, [join(import.meta.dirname, "grpc_client.py"), target, ...files], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`the client ended: ${stderr.slice(-2000)}`);
    return JSON.parse(value);
  };
  const close = async (): Promise<void> => {
    if (child.exitCode !== null) return;
    child.stdin.end();
    await once(child, "exit");
  };
  const { ready } = (await next()) as { ready: boolean };
  if (!ready) {
    await close();
    throw new Error(`no gRPC server answers at ${target}`);
  }
  return {
    call: async (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return (await next()) as GrpcAnswer;
    },
    [Symbol.asyncDispose]: close,
  };
}

export interface RunningGrpc extends AsyncDisposable {
  readonly grpc: number;
}

/** Our server with gRPC, in this process. */
export async function startOurGrpc(
  setup: SeldonServer & { readonly options?: Partial<ServeOptions> },
  python: string,
  folder: string = SELDON_MODELS,
): Promise<RunningGrpc & { readonly http: number }> {
  const { name, service = "MODEL", args = [], env = {}, options = {} } = setup;
  const launch = parseSeldonLaunch([name, "--service-type", service, ...args], env);
  const description = {
    ...describeMicroservice(launch, { codePath: folder, python, pythonPath: [] }),
    ports: { http: 0, grpc: 0 },
  };
  const { PATH = "", HOME = "" } = process.env;
  const log = createLogger({ level: "fatal", write: () => undefined });
  const server = await serveModel(description, {
    ...serveOptions(launch),
    host: "127.0.0.1",
    log,
    env: { PATH, HOME, PYTHONDONTWRITEBYTECODE: "1", ...env },
    ...options,
  });
  return {
    http: server.ports.http,
    grpc: server.ports.grpc ?? 0,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** The wrapper itself, its gRPC server on a port that was free a moment ago. Whoever calls it waits until it answers. */
export async function startWrapperGrpc(
  { name, service = "MODEL", args = [], env = {} }: SeldonServer,
  bin: string,
  folder: string = SELDON_MODELS,
): Promise<RunningGrpc> {
  const grpc = await freePort();
  const { PATH = "", HOME = "" } = process.env;
  const flags = [
    name,
    "--service-type",
    service,
    ...args,
    "--http-port",
    "0",
    "--metrics-port",
    "0",
    "--grpc-port",
    String(grpc),
  ];
  const child = spawn(join(bin, "seldon-core-microservice"), flags, {
    cwd: folder,
    env: { PATH, HOME, PYTHONDONTWRITEBYTECODE: "1", ...env },
    stdio: "ignore",
    detached: true,
  });
  const ended = once(child, "exit");
  return {
    grpc,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null)
        process.kill(-(child.pid ?? 0), "SIGKILL");
      await ended;
    },
  };
}
