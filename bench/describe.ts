// Describing models of every kind, as they are and with their weights grown to 10 GiB of holes: time, processor time and memory of the first
// description in a process, and of the second, when the readers are loaded. A grown file is described or refused; both have to be quick.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describeMachine } from "./lib/machine.ts";
import { timedRun } from "./lib/timed-run.ts";

const LARGE = 10 * 2 ** 30;
const isQuick = process.argv.includes("--quick");
const fixtures = resolve(import.meta.dirname, "../test/fixtures");
const child = resolve(import.meta.dirname, "lib/describe-child.ts");
const folder = mkdtempSync(join(tmpdir(), "slipway-bench-describe-"));

interface Timing {
  readonly ms: number;
  readonly cpuMs: number;
  readonly outcome: string;
}

interface Row {
  readonly name: string;
  readonly outcome: string;
  readonly firstMs: number;
  readonly againMs: number;
  readonly againCpuMs: number;
  readonly grownMib: number;
}

/** A safetensors file of one tensor of 10 GiB. */
function makeSafetensors(): string {
  const path = join(folder, "large-safetensors");
  mkdirSync(path);
  const header = JSON.stringify({
    w: { dtype: "F32", shape: [LARGE / 4], data_offsets: [0, LARGE] },
  });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = join(path, "model.safetensors");
  writeFileSync(file, Buffer.concat([length, Buffer.from(header)]));
  truncateSync(file, 8 + header.length + LARGE);
  return path;
}

/** The folder of a fixture, its largest file grown where that is wanted. */
function copyOf(source: string, name: string, isLarge: boolean): string {
  const path = join(folder, name.replaceAll(/\W+/g, "-"));
  cpSync(source, path, { recursive: true });
  if (!isLarge) return path;
  const files = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort((a, b) => statSync(b).size - statSync(a).size);
  truncateSync(files[0] ?? "", LARGE);
  return path;
}

async function rowOf(name: string, path: string): Promise<Row> {
  const { stdout } = await timedRun([process.execPath, child, path]);
  const { first, again, grownMib } = JSON.parse(stdout) as {
    readonly first: Timing;
    readonly again: Timing;
    readonly grownMib: number;
  };
  const row = {
    ...{ name, outcome: again.outcome, grownMib },
    ...{ firstMs: first.ms, againMs: again.ms, againCpuMs: again.cpuMs },
  };
  const shown = [first.ms, again.ms, again.cpuMs, grownMib].map((value) =>
    value.toFixed(0).padStart(6),
  );
  process.stdout.write(`${name.padEnd(40)} ${again.outcome.padEnd(22)} ${shown.join("")}\n`);
  return row;
}

try {
  process.stdout.write(`${"".padEnd(63)}first again   cpu   MiB\n`);
  const kinds = readdirSync(join(fixtures, "kinds"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => [entry.name, join(fixtures, "kinds", entry.name)] as const);
  const rows: Row[] = [];
  for (const [name, source] of [...kinds, ["onnx", join(fixtures, "onnx")] as const])
    for (const isLarge of [false, true]) {
      const shown = isLarge ? `${name}, 10 GiB` : name;
      const path = copyOf(source, shown, isLarge);
      rows.push(await rowOf(shown, path));
      rmSync(path, { recursive: true });
    }
  rows.push(await rowOf("safetensors, 10 GiB", makeSafetensors()));
  if (!isQuick)
    writeFileSync(
      resolve(import.meta.dirname, "results/describe.json"),
      `${JSON.stringify({ name: "describe", machine: describeMachine({}), rows }, undefined, 2)}\n`,
    );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
