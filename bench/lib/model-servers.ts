import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { bundleServer } from "../../scripts/bundle-server.ts";
import { freePort } from "../../test/support/free-port.ts";
import { keptPython } from "../../test/support/python-env.ts";

/** Of a tree of processes, in MiB. */
export interface TreeMemory {
  /** Proportional set size. Its share of program files changes with what else runs on the machine. */
  readonly pssMib: number;
  /** What belongs to nobody else: heaps, stacks, and memory shared inside the tree. */
  readonly ownMib: number;
  /** The first process's share of that; the rest belongs to its workers. */
  readonly serverMib: number;
  readonly processes: number;
}

/** A server under load. */
export interface ModelServer {
  readonly port: number;
  /** Of gRPC. */
  readonly grpcPort: number;
  /** From the start of the process to its first right answer, in ms. */
  readonly startMs: number;
  memory(): TreeMemory;
  /** Resident set size of the server's own process, in MiB; fails when it ended. */
  residentMib(): number;
  /** CPU time of the tree so far, in ms, to 10 ms; says more than the clock does on a machine that is busy with other things. */
  cpuMs(): number;
  stop(): Promise<void>;
}

export interface ServerPlan {
  /** `Identity`, `Iris` or `Chain`: a class in `bench/models`. */
  readonly model: string;
  readonly workers?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Interpreter to build on. Default `python3`. */
  readonly python?: string | undefined;
  /** Folder for logs. */
  readonly folder: string;
  /** Most open files of the server's own process and of its workers. Default: that of this process. */
  readonly maxFiles?: number;
  /** Folder with a `server.mjs` beside its Python worker. Default: made of these sources. */
  readonly bundle?: string;
}

const MODELS = resolve(import.meta.dirname, "../models");
const ROOT = resolve(import.meta.dirname, "../..");
/** What both peers and we import: the same releases for all. */
const SCIENCE = ["numpy==1.26.4", "scikit-learn==1.5.2"];
const SELDON = ["seldon-core==1.17.1", "setuptools<70", ...SCIENCE];
const MLSERVER = ["mlserver==1.7.0", "uvloop<0.22", "uvicorn<0.35", ...SCIENCE];

/** The server beside the Python worker, as it lies in images; made once for each folder. */
async function bundle(folder: string): Promise<string> {
  const entry = join(folder, "server.mjs");
  if (existsSync(entry)) return entry;
  await bundleServer(folder);
  symlinkSync(join(ROOT, "python"), join(folder, "python"));
  return entry;
}

/** Our server as images run it. */
export async function startSlipway({
  model,
  workers = 1,
  env = {},
  folder,
  python: base,
  maxFiles,
}: ServerPlan): Promise<ModelServer> {
  const { python } = await keptPython({
    packages: SELDON,
    ...(base !== undefined && { python: base }),
  });
  const [port, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
  const args = [
    "seldon-core-microservice",
    model,
    "--http-port",
    String(port),
    "--grpc-port",
    String(grpc),
    "--metrics-port",
    String(metrics),
    "--workers",
    String(workers),
  ];
  const limited: readonly string[] =
    maxFiles === undefined ? [] : ["sh", "-c", `ulimit -n ${maxFiles}; exec "$@"`, "sh"];
  const [program, ...words] = [...limited, process.execPath, await bundle(folder), ...args];
  return start([program ?? process.execPath, ...words], {
    port,
    grpc,
    folder,
    env: { SLIPWAY_PYTHON: python, SLIPWAY_DRAIN_DELAY_MS: "0", ...env },
    probe: SELDON_PROBE,
  });
}

/** `slipway serve --graph` of the build: the graph of a file with its components, each of which is a class in `bench/models`. */
export async function startSlipwayGraph({
  graph,
  components,
  folder,
}: {
  readonly graph: string;
  readonly components: Readonly<Record<string, string>>;
  readonly folder: string;
}): Promise<ModelServer> {
  const { python } = await keptPython({ packages: SELDON });
  const [port, grpc] = [await freePort(), await freePort()];
  const files = { graph: join(folder, "graph.yaml"), components: join(folder, "components.json") };
  writeFileSync(files.graph, graph);
  writeFileSync(files.components, JSON.stringify(components));
  const args = [
    ...[join(ROOT, "bin/slipway.js"), "serve", MODELS],
    ...["--graph", files.graph, "--components", files.components],
    ...["--http-port", String(port), "--grpc-port", String(grpc), "--python", python],
  ];
  return start([process.execPath, ...args], {
    ...{ port, grpc, folder },
    env: { PYTHONDONTWRITEBYTECODE: "1" },
    probe: SELDON_PROBE,
  });
}

/** The real wrapper. `GRPC_WORKERS=0` in `env` is its fastest. */
export async function startSeldon({
  model,
  workers = 1,
  env = {},
  folder,
  python: base,
}: ServerPlan): Promise<ModelServer> {
  const { bin } = await keptPython({
    packages: SELDON,
    ...(base !== undefined && { python: base }),
  });
  const [port, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
  const args = [
    model,
    "--http-port",
    String(port),
    "--grpc-port",
    String(grpc),
    "--metrics-port",
    String(metrics),
    "--workers",
    String(workers),
  ];
  return start([join(bin, "seldon-core-microservice"), ...args], {
    port,
    grpc,
    folder,
    env: { PYTHONDONTWRITEBYTECODE: "1", ...env },
    probe: SELDON_PROBE,
  });
}

/** MLServer with a custom runtime that does the same. Its own default is one inference worker. */
export async function startMlserver({
  model,
  workers = 1,
  folder,
}: ServerPlan): Promise<ModelServer> {
  const { bin } = await keptPython({ packages: MLSERVER });
  const [port, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
  const place = join(folder, `mlserver-${model}-${port}`);
  mkdirSync(place, { recursive: true });
  writeFileSync(
    join(place, "settings.json"),
    JSON.stringify({
      http_port: port,
      grpc_port: grpc,
      metrics_port: metrics,
      host: "127.0.0.1",
      parallel_workers: workers,
      debug: false,
      access_log: false,
      metrics_dir: place,
    }),
  );
  writeFileSync(
    join(place, "model-settings.json"),
    JSON.stringify({ name: "bench", implementation: `mlserver_models.${model}` }),
  );
  return start([join(bin, "mlserver"), "start", place], {
    port,
    grpc,
    folder,
    env: { PYTHONPATH: MODELS },
    probe: V2_PROBE,
  });
}

interface Probe {
  readonly path: string;
  readonly body: string;
}

const SELDON_PROBE: Probe = {
  path: "/api/v1.0/predictions",
  body: '{"data":{"ndarray":[[5.1,3.5,1.4,0.2]]}}',
};
const V2_PROBE: Probe = {
  path: "/v2/models/bench/infer",
  body: '{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP64","data":[5.1,3.5,1.4,0.2]}]}',
};

interface Starting {
  readonly port: number;
  readonly grpc: number;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly probe: Probe;
}

async function start(
  [program, ...args]: readonly [string, ...string[]],
  { port, grpc, folder, env, probe }: Starting,
): Promise<ModelServer> {
  const log = openSync(join(folder, `server-${port}.log`), "a");
  const startedAt = performance.now();
  const child = spawn(program, args, {
    cwd: MODELS,
    env: { ...process.env, ...env },
    stdio: ["ignore", log, log],
    detached: true,
  });
  let isOver = false;
  child.once("exit", () => (isOver = true));
  while (!(await answers(port, probe))) {
    if (isOver)
      throw new Error(
        `${program} ended: ${readFileSync(join(folder, `server-${port}.log`), "utf8").slice(-2000)}`,
      );
    if (performance.now() - startedAt > 120_000) throw new Error(`${program} does not answer`);
    await new Promise((settle) => setTimeout(settle, 5));
  }
  return {
    port,
    grpcPort: grpc,
    startMs: performance.now() - startedAt,
    memory: () => memoryOf(child.pid ?? 0),
    residentMib: () => residentOf(child.pid ?? 0),
    cpuMs: () => cpuOf(child.pid ?? 0),
    stop: () => stop(child),
  };
}

async function answers(port: number, { path, body }: Probe): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body,
  }).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.status === 200;
}

/** The wrapper does not end on SIGTERM, so all of them are killed, each with its tree. */
async function stop(child: ChildProcess): Promise<void> {
  const pids = treeOf(child.pid ?? 0);
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // gone already
    }
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

function cpuOf(root: number): number {
  return treeOf(root).reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return sum + 10 * (Number(fields[11]) + Number(fields[12]));
  }, 0);
}

function memoryOf(root: number): TreeMemory {
  const each = treeOf(root).map((pid) => {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
    const mib = (name: string): number =>
      Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(text)?.[1] ?? 0) / 1024;
    return { pss: mib("Pss"), own: mib("Pss_Anon") + mib("Pss_Shmem") };
  });
  const sum = (values: readonly number[]): number =>
    values.reduce((total, value) => total + value, 0);
  return {
    pssMib: sum(each.map(({ pss }) => pss)),
    ownMib: sum(each.map(({ own }) => own)),
    serverMib: each[0]?.own ?? 0,
    processes: each.length,
  };
}

function residentOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1]) / 1024;
}

/** Process ids of a process and all below it. */
export function treeOf(root: number): number[] {
  const parents = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
        return [
          [Number(pid), Number(stat.slice(stat.lastIndexOf(")") + 4).split(" ")[0])] as const,
        ];
      } catch {
        return []; // ended meanwhile
      }
    });
  const below = (pid: number): number[] => [
    pid,
    ...parents.filter(([, parent]) => parent === pid).flatMap(([child]) => below(child)),
  ];
  return below(root);
}
