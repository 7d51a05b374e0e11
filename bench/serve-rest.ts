import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { httpLoad, type LoadRequest } from "./lib/http-load.ts";
import { interleave, publish, type Contestant, type Outcome } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import {
  startMlserver,
  startSeldon,
  startSlipway,
  type ModelServer,
  type ServerPlan,
} from "./lib/model-servers.ts";
import { fullLoad } from "./lib/wrk.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    seconds: { type: "string" },
    only: { type: "string" },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const seconds = Number(values.seconds ?? (values.quick ? 2 : 6));
const wanted = new Set(values.only?.split(","));
const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
const CONNECTIONS = 32;

interface Entrant {
  readonly name: string;
  readonly start: (plan: Omit<ServerPlan, "model">) => Promise<ModelServer>;
  readonly speaks: "seldon" | "v2";
}

interface Scenario {
  readonly name: string;
  readonly entrants: readonly Entrant[];
  /** Body for each dialect. */
  readonly bodies: { readonly seldon: Body; readonly v2?: Body };
  readonly connections: number;
  /** Bytes that a request is about, before any encoding; they come back in the answer. */
  readonly payloadBytes?: number;
  /** Requests a second for the comparison of latencies; none when absent. */
  readonly rate?: number;
}

interface Body {
  readonly contentType: string;
  readonly bytes: Uint8Array | string;
}

const json = (value: unknown): Body => ({
  contentType: "application/json",
  bytes: JSON.stringify(value),
});
const rows = (count: number): number[][] =>
  Array.from({ length: count }, (_, row) => [5.1 + row / 100, 3.5, 1.4, 0.2]);
const tables = (values: readonly (readonly number[])[]): Scenario["bodies"] => ({
  seldon: json({ data: { names: ["a", "b", "c", "d"], ndarray: values } }),
  v2: json({
    inputs: [
      {
        name: "x",
        shape: [values.length, values[0]?.length ?? 0],
        datatype: "FP64",
        data: values.flat(),
      },
    ],
  }),
});

const us = (
  model: string,
  name = "slipway",
  env: ServerPlan["env"] = {},
  workers = 1,
): Entrant => ({
  name,
  speaks: "seldon",
  start: (plan) => startSlipway({ ...plan, model, env, workers }),
});
const seldon = (model: string): Entrant => ({
  name: "seldon-core 1.17.1, defaults",
  speaks: "seldon",
  start: (plan) => startSeldon({ ...plan, model }),
});
const fastSeldon = (model: string): Entrant => ({
  name: "seldon-core 1.17.1, 2 workers, no gRPC",
  speaks: "seldon",
  start: (plan) => startSeldon({ ...plan, model, workers: 2, env: { GRPC_WORKERS: "0" } }),
});
const mlserver = (model: string): Entrant => ({
  name: "mlserver 1.7.0, custom runtime",
  speaks: "v2",
  start: (plan) => startMlserver({ ...plan, model }),
});
const fastMlserver = (model: string): Entrant => ({
  name: "mlserver 1.7.0, no workers",
  speaks: "v2",
  start: (plan) => startMlserver({ ...plan, model, workers: 0 }),
});

const numbers = Array.from(
  { length: 100_000 },
  (_, index) => Math.round(Math.sin(index) * 1e6) / 1e6,
);
const blob = Buffer.alloc(10 * 2 ** 20, 0xa5);

const scenarios: readonly Scenario[] = [
  {
    name: "identity, 1 row of 4 floats",
    entrants: [
      us("Identity"),
      seldon("Identity"),
      fastSeldon("Identity"),
      mlserver("Identity"),
      fastMlserver("Identity"),
    ],
    bodies: tables(rows(1)),
    connections: CONNECTIONS,
    rate: 700,
  },
  {
    name: "iris, 1 row",
    entrants: [
      us("Iris"),
      us("Iris", "slipway, row batching", { SLIPWAY_MAX_BATCH: "64" }),
      seldon("Iris"),
      fastSeldon("Iris"),
    ],
    bodies: tables(rows(1)),
    connections: CONNECTIONS,
    rate: 700,
  },
  {
    name: "iris, 100 rows",
    entrants: [
      us("Iris"),
      us("Iris", "slipway, 2 workers", {}, 2),
      seldon("Iris"),
      fastSeldon("Iris"),
    ],
    bodies: tables(rows(100)),
    connections: CONNECTIONS,
  },
  {
    name: "identity, 100,000 numbers",
    entrants: [us("Identity"), seldon("Identity")],
    bodies: { seldon: json({ data: { ndarray: numbers } }) },
    connections: 4,
  },
  {
    name: "identity, 10 MiB of binData as base64",
    entrants: [us("Identity"), seldon("Identity")],
    bodies: { seldon: json({ binData: blob.toString("base64") }) },
    connections: 4,
    payloadBytes: blob.byteLength,
  },
  {
    name: "identity, 10 MiB of binData as multipart",
    entrants: [us("Identity"), seldon("Identity")],
    bodies: { seldon: multipart(blob) },
    connections: 4,
    payloadBytes: blob.byteLength,
  },
];

function multipart(bytes: Uint8Array): Body {
  const mark = "slipwaybench";
  return {
    contentType: `multipart/form-data; boundary=${mark}`,
    bytes: Buffer.concat([
      Buffer.from(
        `--${mark}\r\nContent-Disposition: form-data; name="binData"; filename="x"\r\n\r\n`,
      ),
      bytes,
      Buffer.from(`\r\n--${mark}--\r\n`),
    ]),
  };
}

/** One entrant of a scenario: a fresh server each round. */
function contestant(
  { name, start, speaks }: Entrant,
  { bodies, connections, rate, payloadBytes }: Scenario,
): Contestant {
  const body = speaks === "v2" ? bodies.v2 : bodies.seldon;
  if (body === undefined) throw new Error(`${name} has no body`);
  const bodyFile = join(
    folder,
    `${speaks}-${body.bytes.length}-${body.contentType.slice(0, 9).replace("/", "-")}`,
  );
  writeFileSync(bodyFile, body.bytes);
  return {
    name,
    run: async () => {
      const server = await start({ folder });
      try {
        const request: LoadRequest = {
          port: server.port,
          path: speaks === "v2" ? "/v2/models/bench/infer" : "/api/v1.0/predictions",
          contentType: body.contentType,
          bodyFile,
        };
        const cpuBefore = server.cpuMs();
        const full = await fullLoad(request, { connections, seconds, warmUp: 1 });
        const cpuMs = server.cpuMs() - cpuBefore;
        if (full.errors > 0) throw new Error(`${name}: ${full.errors} wrong answers`);
        const paced =
          rate === undefined ? undefined : await httpLoad(request, { connections, seconds, rate });
        return {
          ms: 1000 / full.rps,
          rps: full.rps,
          p50: full.p50Ms,
          p99: full.p99Ms,
          "CPU µs/request": (1000 * cpuMs) / (full.rps * (seconds + 1)),
          ...(payloadBytes !== undefined && { "MB/s": (payloadBytes * full.rps) / 1e6 }),
          ...(paced !== undefined && {
            [`p50 at ${rate}/s`]: paced.p50Ms,
            [`p99 at ${rate}/s`]: paced.p99Ms,
            [`errors at ${rate}/s`]: paced.errors,
          }),
        };
      } finally {
        await server.stop();
      }
    },
  };
}

const parts: Record<string, readonly Outcome[]> = {};
try {
  for (const scenario of scenarios) {
    if (wanted.size > 0 && ![...wanted].some((word) => scenario.name.includes(word))) continue;
    parts[scenario.name] = await interleave(
      scenario.entrants.map((entrant) => contestant(entrant, scenario)),
      rounds,
    );
  }
  if (!values.quick)
    publish(
      "serve-rest",
      describeMachine({
        wrk: ["sh", "-c", "wrk -v 2>&1 | head -1"],
        python: ["python3", "--version"],
      }),
      parts,
    );
  else
    for (const [name, outcomes] of Object.entries(parts))
      process.stdout.write(
        `${name}\n${outcomes
          .map(
            ({ name: who, ratio, figures }) =>
              `  ${who.padEnd(40)} ${ratio.toFixed(2)} ×  ${Object.entries(figures)
                .map(([key, { median }]) => `${key} ${median.toFixed(2)}`)
                .join("  ")}`,
          )
          .join("\n")}\n`,
      );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
