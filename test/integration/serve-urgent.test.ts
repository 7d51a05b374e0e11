import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { ModelDescription } from "../../src/models/description/index.ts";
import { elementsOf } from "../../src/models/tensor/index.ts";
import { isRaw, type InferRequest, type InferResponse } from "../../src/serving/plane/index.ts";
import { createJsPredictor } from "../../src/serving/runtime/index.ts";
import { createLogger, serveModel } from "../../src/serving/server/index.ts";

/** A class in one thread that takes 30 ms for each call. */
const SLOW: ModelDescription = {
  ...{ schemaVersion: 1, name: "m", kind: "class", contract: "kserve", service: "MODEL" },
  codePath: join(import.meta.dirname, "../fixtures/js-models"),
  code: { file: "Typed.ts", name: "Slow", language: "javascript" },
  ports: { http: 0 },
  server: {},
};

function asking(x: number, caller: InferRequest["caller"] = {}): InferRequest {
  const data = new Uint8Array(Float64Array.of(x).buffer);
  return { inputs: [{ name: "x", datatype: "FP64", shape: [1], data }], caller };
}

function orderIn({ outputs }: InferResponse): readonly number[] {
  const [order] = isRaw(outputs) ? [] : outputs;
  return order === undefined ? [] : [...elementsOf(order)].map(Number);
}

test("what is urgent goes first, and what would come too late is not begun", async () => {
  await using predictor = await createJsPredictor(SLOW);
  const first = predictor.infer(asking(0));
  const late = predictor.infer(asking(9, { deadlineAt: performance.now() + 1 }));
  const refused = assert.rejects(late, { code: "MODEL_TIMEOUT", message: /too late/ });
  const calls = [
    predictor.infer(asking(1)),
    predictor.infer(asking(2, { priority: 2 })),
    predictor.infer(asking(3, { priority: 1 })),
    predictor.infer(asking(4, { priority: 2 })),
    predictor.infer(asking(5)),
  ];
  await refused;
  await first;
  const last = await Promise.all(calls);
  assert.deepEqual(orderIn(last[4]!), [0, 3, 2, 4, 1, 5]);
});

async function serve(t: TestContext): Promise<string> {
  const log = createLogger({ level: "fatal", write: () => undefined });
  const server = await serveModel(SLOW, { host: "127.0.0.1", log });
  t.after(() => server[Symbol.asyncDispose]());
  return `http://127.0.0.1:${server.ports.http}/v2/models/m/infer`;
}

test("headers and V2's parameters say how urgent a request is", async (t) => {
  const url = await serve(t);
  const ask = (more: object, headers: Readonly<Record<string, string>> = {}): Promise<number> =>
    fetch(url, {
      method: "POST",
      headers,
      body: JSON.stringify({
        inputs: [{ name: "x", datatype: "FP64", shape: [1], data: [1] }],
        ...more,
      }),
    }).then(({ status }) => status);
  const busy = Array.from({ length: 12 }, () => ask({}));
  assert.equal(await ask({}, { "slipway-timeout-ms": "5" }), 504);
  assert.equal(await ask({ parameters: { timeout: 5000 } }), 504);
  assert.deepEqual(new Set(await Promise.all(busy)), new Set([200]));
  assert.equal(await ask({ parameters: { priority: 1 } }, { "slipway-priority": "0" }), 200);
  assert.equal(await ask({}, { "slipway-timeout-ms": "60000", "slipway-priority": "3" }), 200);
  for (const wrong of [
    { "slipway-priority": "high" },
    { "slipway-timeout-ms": "-1" },
    { "slipway-timeout-ms": "1.5" },
  ])
    assert.equal(await ask({}, wrong), 400);
  assert.equal(await ask({ parameters: { priority: -1 } }), 400);
});
