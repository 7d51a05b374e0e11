import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { interleave, publish, type Contestant } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";
import { startMlserver, startSeldon, startSlipway, type ModelServer } from "./lib/model-servers.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
const contestant = (name: string, start: () => Promise<ModelServer>): Contestant => ({
  name,
  run: async () => {
    const server = await start();
    try {
      const { pssMib, processes } = server.memory();
      return { ms: server.startMs, pssMib, processes };
    } finally {
      await server.stop();
    }
  },
});

try {
  const outcomes = await interleave(
    [
      contestant("slipway", () => startSlipway({ model: "Identity", folder })),
      contestant("slipway, 2 workers", () =>
        startSlipway({ model: "Identity", folder, workers: 2 }),
      ),
      contestant("seldon-core 1.17.1, defaults", () => startSeldon({ model: "Identity", folder })),
      contestant("mlserver 1.7.0, custom runtime", () =>
        startMlserver({ model: "Identity", folder }),
      ),
    ],
    values.quick ? 3 : 9,
  );
  publish("serve-start", describeMachine({ python: ["python3", "--version"] }), {
    "from the start of the process to the first right answer; memory of the tree": outcomes,
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
