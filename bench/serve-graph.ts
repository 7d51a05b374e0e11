import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { startSeldon, startSlipwayGraph, type ModelServer } from "./lib/model-servers.ts";
import { fullLoad } from "./lib/wrk.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    seconds: { type: "string" },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const seconds = Number(values.seconds ?? (values.quick ? 2 : 5));
const CONNECTIONS = 16;
const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
const bodyFile = join(folder, "body.json");
writeFileSync(bodyFile, '{"data":{"ndarray":[[5.1,3.5,1.4,0.2]]}}');

const GRAPH = `kind: SeldonDeployment
metadata: { name: chain }
spec:
  predictors:
    - name: default
      graph:
        name: out
        type: OUTPUT_TRANSFORMER
        children:
          - name: in
            type: TRANSFORMER
            children: [{ name: model, type: MODEL }]
`;
const NODES: Readonly<Record<string, string>> = {
  in: "/transform-input",
  model: "/predict",
  out: "/transform-output",
};

const ours: Contestant = {
  name: "slipway serve --graph",
  run: async () => {
    const server = await startSlipwayGraph({
      graph: GRAPH,
      components: Object.fromEntries(Object.keys(NODES).map((name) => [name, "Chain.py:Chain"])),
      folder,
    });
    try {
      return figuresOf([await load(server, "/api/v1.0/predictions")]);
    } finally {
      await server.stop();
    }
  },
};

/** All three are asked at the same time, each for its own step; what leads from one to the next costs nothing here. */
const wrappers: Contestant = {
  name: "three wrappers of seldon-core 1.17.1, nothing for the executor",
  run: async () => {
    const nodes: { readonly path: string; readonly server: ModelServer }[] = [];
    try {
      for (const path of Object.values(NODES))
        nodes.push({ path, server: await startSeldon({ model: "Chain", folder }) });
      return figuresOf(await Promise.all(nodes.map(({ server, path }) => load(server, path))));
    } finally {
      for (const { server } of nodes) await server.stop();
    }
  },
};

type Loaded = Awaited<ReturnType<typeof fullLoad>> & {
  /** CPU time of the server for one request: it stays the same on a machine that is busy with other things. */
  readonly cpuUs: number;
};

async function load(server: ModelServer, path: string): Promise<Loaded> {
  const before = server.cpuMs();
  const loaded = await fullLoad(
    { port: server.port, path, contentType: "application/json", bodyFile },
    { connections: CONNECTIONS, seconds, warmUp: 1 },
  );
  if (loaded.errors > 0) throw new Error(`${path}: ${loaded.errors} wrong answers`);
  return { ...loaded, cpuUs: (1000 * (server.cpuMs() - before)) / (loaded.rps * (seconds + 1)) };
}

/** A request needs one answer of each: there are no more of them than the slowest gives, and none is quicker than the slowest. */
function figuresOf(loaded: readonly Loaded[]): { ms: number; [figure: string]: number } {
  const rps = Math.min(...loaded.map((one) => one.rps));
  return {
    ms: 1000 / rps,
    rps,
    p50: Math.max(...loaded.map((one) => one.p50Ms)),
    p99: Math.max(...loaded.map((one) => one.p99Ms)),
    "CPU µs/request": loaded.reduce((sum, { cpuUs }) => sum + cpuUs, 0),
  };
}

try {
  const parts = {
    "chain of three nodes, 1 row of 4 floats": await interleave([ours, wrappers], rounds),
  };
  if (values.quick) process.stdout.write(`${JSON.stringify(parts, undefined, 2)}\n`);
  else
    publish(
      "serve-graph",
      describeMachine({
        wrk: ["sh", "-c", "wrk -v 2>&1 | head -1"],
        python: ["python3", "--version"],
      }),
      parts,
    );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
