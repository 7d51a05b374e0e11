import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { WireWriter } from "../src/ground/wire/index.ts";
import { grpcLoad } from "./lib/grpc-load.ts";
import { interleave, publish, type Contestant, type Outcome } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { startSlipway, type ModelServer } from "./lib/model-servers.ts";
import { fullLoad } from "./lib/wrk.ts";
import { timedRun } from "./lib/timed-run.ts";

const { values } = parseArgs({
  options: {
    old: { type: "string" },
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "3" },
    quick: { type: "boolean", default: false },
  },
});
if (values.old === undefined)
  throw new Error("name a built working tree of the older commit: --old FOLDER");
const rounds = values.quick ? 1 : Number(values.rounds);
const seconds = values.quick ? 1 : Number(values.seconds);
const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
const CONNECTIONS = 32;

/** A built working tree. */
interface Tree {
  readonly name: string;
  readonly root: string;
  /** Its server beside its worker, as they lie in images. */
  readonly bundle: string;
  /** Where its tool keeps things. */
  readonly env: Readonly<Record<string, string>>;
}

const trees: readonly Tree[] = [
  tree("this tree", resolve(import.meta.dirname, "..")),
  tree("the older one", resolve(values.old)),
];

function tree(name: string, root: string): Tree {
  const own = join(folder, name.replaceAll(" ", "-"));
  const bundle = join(own, "server");
  cpSync(join(root, "dist/server"), bundle, { recursive: true });
  cpSync(join(root, "python"), join(bundle, "python"), { recursive: true });
  const env = {
    XDG_DATA_HOME: join(own, "data"),
    XDG_CACHE_HOME: join(own, "cache"),
    XDG_STATE_HOME: join(own, "state"),
  };
  return { name, root, bundle, env };
}

/** A command of a tree's tool: its time, and its processor time. */
async function command(
  { root, env }: Tree,
  ...args: readonly string[]
): Promise<{ readonly ms: number; readonly "CPU ms": number }> {
  const { ms, cpuMs } = await timedRun([process.execPath, join(root, "bin/slipway.js"), ...args], {
    env,
    measuresCpu: true,
  });
  return { ms, "CPU ms": cpuMs };
}

const project = join(folder, "project");
let edits = 0;

function edit(): void {
  edits += 1;
  writeFileSync(
    join(project, "Model.py"),
    `class Model:\n    def predict(self, X, names=None):\n        return ${edits}\n`,
  );
}

const packAgain = (one: Tree): Contestant => ({
  name: one.name,
  run: async () => {
    edit();
    return command(one, "pack", project, "--base", "store:pybase", "-t", "localhost/model:1");
  },
});

/** A fresh server of a tree for each round. */
const served = (
  one: Tree,
  use: (server: ModelServer) => Promise<{ readonly ms: number } & Record<string, number>>,
): Contestant => ({
  name: one.name,
  run: async () => {
    const server = await startSlipway({ model: "Identity", folder, bundle: one.bundle });
    try {
      return await use(server);
    } finally {
      await server.stop();
    }
  },
});

const bodyFile = join(folder, "body.json");
const messageFile = join(folder, "message");

async function restRow(
  server: ModelServer,
): Promise<{ readonly ms: number } & Record<string, number>> {
  const before = server.cpuMs();
  const request = {
    ...{ port: server.port, path: "/api/v1.0/predictions", contentType: "application/json" },
    bodyFile,
  };
  const { rps, p99Ms, errors } = await fullLoad(request, {
    ...{ connections: CONNECTIONS, seconds, warmUp: 1 },
  });
  if (errors > 0) throw new Error(`${errors} wrong answers`);
  const cpu = (1000 * (server.cpuMs() - before)) / (rps * (seconds + 1));
  return { ms: 1000 / rps, rps, p99: p99Ms, "CPU µs/request": cpu };
}

async function grpcRow(
  server: ModelServer,
): Promise<{ readonly ms: number } & Record<string, number>> {
  const before = server.cpuMs();
  const { rps, p99Ms, errors } = await grpcLoad(
    { port: server.grpcPort, path: "/seldon.protos.Seldon/Predict", messageFile },
    { inFlight: CONNECTIONS, seconds, warmUp: 1 },
  );
  if (errors > 0) throw new Error(`${errors} wrong answers`);
  const cpu = (1000 * (server.cpuMs() - before)) / (rps * (seconds + 1));
  return { ms: 1000 / rps, rps, p99: p99Ms, "CPU µs/request": cpu };
}

/** One row of four numbers, as a tensor. */
function rowMessage(): Buffer {
  const writer = new WireWriter();
  writer.bytes(18, new Uint8Array(Float64Array.of(5.1, 3.5, 1.4, 0.2).buffer));
  writer.bytes(10, Uint8Array.of(1, 4)); // shape
  writer.close(18, 0); // tensor
  writer.close(26, 0); // data
  return writer.finish();
}

try {
  mkdirSync(project);
  writeFileSync(join(project, "weights.bin"), Buffer.alloc(values.quick ? 2 ** 20 : 2 ** 28, 7));
  edit();
  writeFileSync(bodyFile, '{"data":{"names":["a","b","c","d"],"ndarray":[[5.1,3.5,1.4,0.2]]}}');
  writeFileSync(messageFile, rowMessage());
  for (const one of trees) {
    await command(one, "base", "debian", "--include", "python3", "--name", "pybase");
    await packAgain(one).run(0); // the tool's own layers are made once a machine
  }
  const parts: Record<string, readonly Outcome[]> = {
    "slipway --help": await interleave(
      trees.map((one) => ({ name: one.name, run: () => command(one, "--help") })),
      3 * rounds,
    ),
    "pack again after an edit, 256 MiB of weights": await interleave(trees.map(packAgain), rounds),
    "start to the first right answer": await interleave(
      trees.map((one) =>
        served(one, async (server) => ({ ms: server.startMs, "CPU ms": server.cpuMs() })),
      ),
      rounds,
    ),
    "REST, identity, one row": await interleave(
      trees.map((one) => served(one, restRow)),
      rounds,
    ),
    "gRPC, identity, one row as tensor": await interleave(
      trees.map((one) => served(one, grpcRow)),
      rounds,
    ),
  };
  publish(
    "before-after",
    describeMachine({
      old: ["git", "-C", trees[1]?.root ?? "", "rev-parse", "--short", "HEAD"],
      load: ["cat", "/proc/loadavg"],
      python: ["python3", "--version"],
    }),
    parts,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
