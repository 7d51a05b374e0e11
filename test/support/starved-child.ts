// Run with few descriptors: kills a worker while none are left, gives them back, and asks again.
import { closeSync, openSync } from "node:fs";
import { isRaw } from "../../src/serving/plane/index.ts";
import { createPythonPredictor } from "../../src/serving/runtime/index.ts";

const [folder = "", executable = ""] = process.argv.slice(2);
const restarted = Promise.withResolvers<void>();
await using predictor = await createPythonPredictor(
  {
    schemaVersion: 1,
    name: "starved",
    kind: "class",
    contract: "seldon",
    service: "MODEL",
    codePath: folder,
    code: { file: "typed.py", name: "Count", language: "python" },
    ports: { http: 0 },
    server: {},
    python: { executable, path: [] },
  },
  { onRestart: ({ delayMs }) => (delayMs >= 200 ? restarted.resolve() : undefined) },
);
const taken: number[] = [];
try {
  for (;;) taken.push(openSync("/dev/null", "r"));
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== "EMFILE") throw error;
}
for (const pid of predictor.pids) process.kill(pid, "SIGKILL");
await restarted.promise; // starts failed, and the next one waits longer
for (const descriptor of taken) closeSync(descriptor);
for (;;) {
  const data = new Uint8Array(Float64Array.of(2).buffer);
  const inputs = [{ name: "n", datatype: "FP64", shape: [1], data } as const];
  const answer = await predictor.infer({ inputs }).catch(() => undefined);
  if (answer === undefined || isRaw(answer.outputs)) {
    await new Promise((resolve) => setTimeout(resolve, 50)); // the pause between starts
    continue;
  }
  process.stdout.write(`answered ${answer.outputs.length}\n`);
  break;
}
