import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ModelDescription } from "../src/models/description/index.ts";
import { batched, tensorOfList, type InferRequest } from "../src/serving/plane/index.ts";
import { createPythonPredictor } from "../src/serving/runtime/index.ts";
import { fixedBatcher, type Ask } from "./lib/fixed-batcher.ts";
import { interleave, publish, type Contestant, type Outcome } from "./lib/interleave.ts";
import { describeMachine } from "./lib/machine.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    python: { type: "string", default: "python3" },
  },
});
const MAX_ROWS = 64;
const ONE_ROW: InferRequest = { inputs: [{ ...tensorOfList("x", [[1, 2, 3, 4]]) }] };
/** Clients that ask again as soon as they are answered: the five offered loads. */
const CLIENTS = values.quick ? [1, 16] : [1, 4, 16, 48, 96];
/** What a person would try: rows of a call, and the wait for them in ms. */
const SWEEP = (values.quick ? [1, 16] : [1, 4, 8, 16, 32, 64]).flatMap((rows) =>
  (rows === 1 ? [0] : values.quick ? [1, 5] : [1, 2, 5, 10]).map((waitMs) => ({ rows, waitMs })),
);
const SECONDS = values.quick ? 0.5 : 1.5;

const description: ModelDescription = {
  ...{ schemaVersion: 1, name: "sleepy", kind: "class", contract: "kserve", service: "MODEL" },
  codePath: join(import.meta.dirname, "models"),
  code: { file: "SleepyRows.py", name: "Model", language: "python" },
  ports: { http: 0 },
  server: {},
  python: { executable: values.python, path: [] },
};

/** Rows a second that so many clients get, and the time that an answer takes at the median. */
async function closedLoop(
  ask: Ask,
  clients: number,
): Promise<{ ms: number; rowsPerS: number; p50Ms: number }> {
  const times: number[] = [];
  const end = performance.now() + SECONDS * 1000;
  const client = async (): Promise<void> => {
    for (let at = performance.now(); at < end;) {
      await ask(ONE_ROW);
      const now = performance.now();
      times.push(now - at);
      at = now;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const p50Ms = times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;
  return { ms: (SECONDS * 1000) / times.length, rowsPerS: times.length / SECONDS, p50Ms };
}

await using predictor = await createPythonPredictor(description, {});
const learned = batched(predictor, { model: "sleepy", maxRows: MAX_ROWS });
const parts: Record<string, readonly Outcome[]> = {};
for (const clients of CLIENTS) {
  const contestant = (name: string, ask: Ask): Contestant => ({
    name,
    run: () => closedLoop(ask, clients),
  });
  parts[`${clients} clients`] = await interleave(
    [
      contestant("slipway, told nothing of waits", (request) => learned.infer(request)),
      contestant("no batching", (request) => predictor.infer(request)),
      ...SWEEP.map(({ rows, waitMs }) =>
        contestant(`fixed: ${rows} rows, ${waitMs} ms`, fixedBatcher(predictor, rows, waitMs)),
      ),
    ],
    values.quick ? 1 : 3,
  );
  const best = Math.min(...(parts[`${clients} clients`] ?? []).slice(1).map(({ ratio }) => ratio));
  process.stdout.write(
    `${clients} clients: ${(best * 100).toFixed(0)} % of the best fixed setting\n`,
  );
}
publish("serve-batch", describeMachine({ python: [values.python, "--version"] }), parts);
