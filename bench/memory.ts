import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { startDockerRegistry } from "./lib/peers.ts";
import { createPlace } from "./lib/place.ts";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "1,8" },
    rounds: { type: "string", default: "2" },
    quick: { type: "boolean", default: false },
  },
});
const sizes = (values.quick ? "0.1,0.2" : values.sizes).split(",").map(Number);
using place = createPlace();
const registry = await startDockerRegistry(place.folder);
try {
  await place.slipway("base", "debian", "--include", "python3", "--name", "pybase");
  makeProject(join(place.folder, "warm"), 0.001, 0);
  await place.slipway(
    "pack",
    join(place.folder, "warm"),
    "--base",
    "store:pybase",
    "-t",
    `${registry.host}/warm:1`,
    "--push",
  ); // the tool's own layers are made once a machine
  const outcomes = await interleave(sizes.map(cold), values.quick ? 1 : Number(values.rounds));
  publish("memory", describeMachine({ registry: ["docker-registry", "--version"] }), {
    "pack and push of sparse weights never seen": outcomes,
  });
} finally {
  registry.stop();
}

/** `peakMib` is the highest resident set of the process; `writtenMib` what it left in its own folders, none of it weights. */
function cold(gib: number): Contestant {
  const project = join(place.folder, `model-${gib}`);
  return {
    name: `slipway pack --push, ${gib} GiB`,
    async run(round) {
      makeProject(project, gib, round);
      const before = kept();
      const { ms, peakMib } = await place.slipway(
        "pack",
        project,
        "--base",
        "store:pybase",
        "-t",
        `${registry.host}/m${String(gib).replace(".", "-")}:${round}`,
        "--push",
      );
      const writtenAfter = kept();
      rmSync(project, { recursive: true });
      return { ms, peakMib, writtenMib: (writtenAfter - before) / 2 ** 20 };
    },
  };
}

function makeProject(folder: string, gib: number, round: number): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "Model.py"),
    "class Model:\n    def predict(self, X, names=None):\n        return X\n",
  );
  const file = openSync(join(folder, "weights.bin"), "w");
  ftruncateSync(file, Math.round(gib * 2 ** 30));
  writeSync(file, `never seen: ${gib} ${round} ${Date.now()}`, 0);
  closeSync(file);
}

/** Everything in the user's store, caches and state. */
function kept(): number {
  return ["data", "cache", "state"].reduce(
    (sum, name) => sum + bytesBelow(join(place.folder, name)),
    0,
  );
}

function bytesBelow(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  } catch {
    return 0; // not made yet
  }
}
