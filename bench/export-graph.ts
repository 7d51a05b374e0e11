// Freezing checkpoints, in turn with TensorFlow's own freezing (its import included, as its users pay it) and with copying the file.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { unpackCheckpoint } from "../test/support/checkpoints.ts";
import { KERAS } from "../test/support/mnist.ts";
import { keptPython } from "../test/support/python-env.ts";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { timedRun } from "./lib/timed-run.ts";

const isQuick = process.argv.includes("--quick");
const bin = resolve(import.meta.dirname, "../bin/slipway.js");
const models = join(import.meta.dirname, "models");
const folder = mkdtempSync(join(tmpdir(), "slipway-bench-export-"));
const { python } = await keptPython({ packages: KERAS.packages });

function slipway(source: string, outputs: string): Contestant {
  const file = join(folder, "ours.pb");
  const command = [process.execPath, bin, "export", "tf-checkpoint", source] as const;
  return {
    name: "slipway export",
    run: async () => {
      const { ms, peakMib } = await timedRun([...command, "--outputs", outputs, "-o", file]);
      return { ms, peakMib, mib: statSync(file).size / 2 ** 20 };
    },
  };
}

function tensorflow(prefix: string, outputs: string, maxRounds: number): Contestant {
  const file = join(folder, "theirs.pb");
  const script = join(models, "freeze-checkpoint.py");
  return {
    name: "TensorFlow's freezing",
    maxRounds,
    run: async () => {
      const { ms, peakMib } = await timedRun([python, script, prefix, outputs, file]);
      return { ms, peakMib };
    },
  };
}

try {
  const small = join(folder, "small");
  unpackCheckpoint("bn_unfused_res", small);
  const large = join(folder, "large");
  const rows = isQuick ? 1024 : 104_858;
  await timedRun([python, join(models, "make-checkpoint.py"), large, String(rows)]);
  const data = join(large, "model.ckpt-1.data-00000-of-00001");
  const copy: Contestant = {
    name: "cp",
    run: async () => ({ ms: (await timedRun(["cp", data, join(folder, "copy")])).ms }),
  };
  const rounds = isQuick ? 1 : 7;
  publish("export-graph", describeMachine({ cp: ["cp", "--version"] }), {
    "small graph": await interleave(
      [slipway(small, "out"), tensorflow(join(small, "model.ckpt"), "out", 3)],
      rounds,
    ),
    "1 GB of weights": await interleave(
      [slipway(large, "y"), copy, tensorflow(join(large, "model.ckpt-1"), "y", 2)],
      rounds,
    ),
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
