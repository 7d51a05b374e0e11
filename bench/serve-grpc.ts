import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { WireWriter } from "../src/ground/wire/index.ts";
import { writeSeldonMessage } from "../src/serving/protocols/protobuf/index.ts";
import { grpcLoad } from "./lib/grpc-load.ts";
import { interleave, publish, type Contestant, type Outcome } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { isThere } from "./lib/peers.ts";
import { startMlserver, startSeldon, startSlipway, type ModelServer } from "./lib/model-servers.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string" },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const seconds = values.quick ? 2 : 6;
const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
const SELDON = "/seldon.protos.Model/Predict";

interface Entrant {
  readonly name: string;
  readonly start: () => Promise<ModelServer>;
  readonly path: string;
  readonly message: Uint8Array;
}

interface Scenario {
  readonly name: string;
  readonly entrants: readonly Entrant[];
  readonly inFlight: number;
}

/** A SeldonMessage with an array of so many rows of four floats. */
function seldonMessage(rows: number, kind: "tensor" | "ndarray"): Buffer {
  const data = Buffer.from(
    Float64Array.from({ length: rows * 4 }, (_, index) => Math.round(Math.sin(index) * 1e6) / 1e6)
      .buffer,
  );
  const message = {
    payload: {
      kind: "tensor" as const,
      tensor: { name: "", datatype: "FP64" as const, shape: [rows, 4], data },
    },
    names: ["a", "b", "c", "d"],
  };
  const settings = { sortKeys: true, asciiOnly: true, isPretty: false, includeMetrics: true };
  return writeSeldonMessage(
    {
      method: "predict",
      response: { message, isRaw: false },
      context: { metas: [], dataKind: kind },
    },
    settings,
  );
}

/** The same as a ModelInferRequest of the Open Inference Protocol, which is what MLServer speaks. */
function inferMessage(rows: number): Buffer {
  const writer = new WireWriter(rows * 32 + 100);
  writer.bytes(
    58,
    new Uint8Array(Float64Array.from({ length: rows * 4 }, (_, index) => index).buffer),
  );
  writer.close(42, 0); // contents
  writer.varint(4);
  const before = writer.size - 1;
  writer.varint(rows);
  writer.close(26, before); // shape
  writer.string(18, "FP64");
  writer.string(10, "x");
  writer.close(42, 0); // inputs
  writer.string(10, "bench");
  return writer.finish();
}

/**
 * The wrapper's pin of protobuf has compiled code for Python 3.10 and older only; with the slow one beside it the comparison would not be
 * fair. Undefined, and said so, where there is no such Python.
 */
function pythonWithProtobuf(): string | undefined {
  const versions = join(homedir(), ".pyenv/versions");
  const own = existsSync(versions)
    ? readdirSync(versions)
        .filter((name) => /^3\.(10|9)\./.test(name))
        .map((name) => join(versions, name, "bin/python"))
    : [];
  const found = ["python3.10", "python3.9", ...own].find((program) => isThere(program));
  if (found === undefined)
    process.stderr.write(
      "no Python 3.10 or 3.9: the wrapper runs on protobuf in plain Python, and is slower than it could be\n",
    );
  return found;
}

const python = pythonWithProtobuf();
const slipway = (message: Uint8Array): Entrant => ({
  name: "slipway",
  start: () => startSlipway({ model: "Identity", folder, python }),
  path: SELDON,
  message,
});
const seldon = (message: Uint8Array): Entrant => ({
  name: "seldon-core 1.17.1, defaults",
  start: () => startSeldon({ model: "Identity", folder, python }),
  path: SELDON,
  message,
});
const mlserver = (message: Uint8Array): Entrant => ({
  name: "mlserver 1.7.0, custom runtime",
  start: () => startMlserver({ model: "Identity", folder }),
  path: "/inference.GRPCInferenceService/ModelInfer",
  message,
});

const row = seldonMessage(1, "tensor");
const nested = seldonMessage(1, "ndarray");
const many = seldonMessage(25_000, "tensor");
const manyNested = seldonMessage(25_000, "ndarray");
const scenarios: readonly Scenario[] = [
  {
    name: "identity, 1 row of 4 floats, tensor",
    entrants: [slipway(row), seldon(row), mlserver(inferMessage(1))],
    inFlight: 32,
  },
  {
    name: "identity, 1 row of 4 floats, ndarray",
    entrants: [slipway(nested), seldon(nested)],
    inFlight: 32,
  },
  {
    name: "identity, 1 row of 4 floats, one call at a time",
    entrants: [slipway(row), seldon(row)],
    inFlight: 1,
  },
  {
    name: "identity, 100,000 numbers, tensor",
    entrants: [slipway(many), seldon(many)],
    inFlight: 4,
  },
  {
    name: "identity, 100,000 numbers, ndarray",
    entrants: [slipway(manyNested), seldon(manyNested)],
    inFlight: 4,
  },
];

/** One entrant of a scenario: a fresh server each round, one HTTP/2 connection, as a client with one channel has it. */
function contestant({ name, start, path, message }: Entrant, { inFlight }: Scenario): Contestant {
  const messageFile = join(folder, `message-${message.byteLength}`);
  writeFileSync(messageFile, message);
  return {
    name,
    run: async () => {
      const server = await start();
      try {
        const { rps, p50Ms, p99Ms, errors, answerBytes } = await grpcLoad(
          { port: server.grpcPort, path, messageFile },
          { inFlight, seconds },
        );
        if (errors > 0 || rps === 0) throw new Error(`${name}: ${errors} calls failed`);
        return { ms: 1000 / rps, rps, p50: p50Ms, p99: p99Ms, "answer bytes": answerBytes };
      } finally {
        await server.stop();
      }
    },
  };
}

const parts: Record<string, readonly Outcome[]> = {};
try {
  for (const scenario of scenarios) {
    if (values.only !== undefined && !scenario.name.includes(values.only)) continue;
    parts[scenario.name] = await interleave(
      scenario.entrants.map((entrant) => contestant(entrant, scenario)),
      rounds,
    );
  }
  if (!values.quick && values.only === undefined)
    publish("serve-grpc", describeMachine({ python: [python ?? "python3", "--version"] }), parts);
  else
    for (const [name, outcomes] of Object.entries(parts))
      process.stdout.write(
        `${name}\n${outcomes
          .map(
            ({ name: who, ratio, figures }) =>
              `  ${who.padEnd(32)} ${ratio.toFixed(2)} ×  ${Object.entries(figures)
                .map(([key, { median }]) => `${key} ${median.toFixed(2)}`)
                .join("  ")}`,
          )
          .join("\n")}\n`,
      );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
