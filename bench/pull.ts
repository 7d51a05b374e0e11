// Pulling an image of 1 GiB from Debian's docker-registry into an empty store, in turn with curl for the same blobs: whole processes, from start
// to exit, ours with every byte verified. Both write to files of one file system; curl does not verify.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { pushLargeImage, type LargeImage } from "./lib/large-image.ts";
import { describeMachine } from "./lib/machine.ts";
import { startDockerRegistry } from "./lib/peers.ts";
import { BIN, createPlace } from "./lib/place.ts";
import { timedRun } from "./lib/timed-run.ts";

const isQuick = process.argv.includes("--quick");
const bytes = (isQuick ? 64 : 1024) * 2 ** 20;
const rounds = isQuick ? 1 : 7;
const folder = mkdtempSync(join(tmpdir(), "slipway-bench-pull-"));

function ours({ name }: LargeImage): Contestant {
  return {
    name: "slipway pull, verified",
    async run() {
      using place = createPlace();
      const { ms, cpuMs } = await timedRun([process.execPath, BIN, "pull", name], {
        env: place.env,
        measuresCpu: true,
      });
      return { ms, cpuMs };
    },
  };
}

function theirs({ blobs }: LargeImage, isParallel: boolean): Contestant {
  return {
    name: isParallel ? "curl --parallel" : "curl",
    async run() {
      const target = join(folder, "target");
      mkdirSync(target);
      const files = blobs.flatMap((url, index) => ["-o", join(target, String(index)), url]);
      const parallel = isParallel ? ["--parallel"] : [];
      const { ms, cpuMs } = await timedRun(["curl", "-sfL", ...parallel, ...files], {
        measuresCpu: true,
      });
      rmSync(target, { recursive: true });
      return { ms, cpuMs };
    },
  };
}

const registry = await startDockerRegistry(folder);
try {
  const one = await pushLargeImage(registry.host, "one", { layers: 1, layerBytes: bytes });
  const four = await pushLargeImage(registry.host, "four", { layers: 4, layerBytes: bytes / 4 });
  publish("pull", describeMachine({ curl: ["curl", "--version"] }), {
    "1 GiB in one layer": await interleave([ours(one), theirs(one, false)], rounds),
    "1 GiB in four layers": await interleave(
      [ours(four), theirs(four, false), theirs(four, true)],
      rounds,
    ),
  });
} finally {
  registry.stop();
  rmSync(folder, { recursive: true, force: true });
}
