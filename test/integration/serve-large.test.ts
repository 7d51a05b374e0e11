import assert from "node:assert/strict";
import { once } from "node:events";
import { resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { Worker } from "node:worker_threads";
import { startEntry, type Served } from "./serve-support.ts";

/** Gives back what it got, where that is small; else the number of values, so that no time goes into answers. */
const COUNTS = `
import numpy as np
class Model:
    def predict(self, X, names):
        return X if np.size(X) <= 200000 else np.array([np.size(X)])
`;
const MIB = 2 ** 20;
const BAR_MS = 100;
/** Tries, of which the best counts, since other programs take the processor too. */
const RUNS = 3;
const PROBE = resolve(import.meta.dirname, "../support/probe-thread.ts");

/**
 * The longest wait of a probe while something is under way, in ms. The clock of a loaded machine is late now and then by its own fault, so the
 * second longest counts.
 */
async function longestProbe(served: Served, work: () => Promise<unknown>): Promise<number> {
  const thread = new Worker(PROBE, { workerData: `${served.url}/live` });
  const times = once(thread, "message") as Promise<[readonly number[]]>;
  await once(thread, "online");
  await work();
  thread.postMessage("stop");
  const [found] = await times;
  return found.toSorted((a, b) => b - a)[Math.min(1, found.length - 1)] ?? 0;
}

async function post(served: Served, path: string, body: Buffer): Promise<Response> {
  return fetch(`${served.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: new Uint8Array(body),
  });
}

async function started(t: TestContext): Promise<Served | undefined> {
  const served = await startEntry(t, { source: COUNTS });
  if (served === undefined) return undefined;
  await served.predict([[1]]); // the worker is warm
  return served;
}

function around(head: string, item: string, tail: string, bytes: number): Buffer {
  return Buffer.from(`${head}${item.repeat(Math.floor(bytes / item.length))}${tail}`);
}

const SELDON = "/api/v1.0/predictions";

test("probes are answered at once while bodies of every bad shape are read", async (t) => {
  await using served = await started(t);
  if (served === undefined) return;
  const bodies: readonly (readonly [name: string, path: string, body: Buffer])[] = [
    ["floats", SELDON, around('{"data":{"ndarray":[', "0.8414709848078965,", "1]}}", 20 * MIB)],
    ["empty lists", SELDON, around('{"data":{"ndarray":[', "[],", "[]]}}", 30 * MIB)],
    ["ragged lists", SELDON, around('{"data":{"ndarray":[[1],', "[],", "[]]}}", 10 * MIB)],
    ["one long integer", SELDON, around('{"data":{"ndarray":[', "7", "]}}", 10 * MIB)],
    ["many names", SELDON, around('{"data":{"names":[', '"a",', '"a"],"ndarray":[1]}}', 5 * MIB)],
    [
      "a large meta",
      SELDON,
      around('{"meta":{"tags":{"a":[', "[],", '1]}},"strData":"a"}', 5 * MIB),
    ],
    ["many messages", "/aggregate", around("[", '{"strData":""},', '{"strData":""}]', 5 * MIB)],
    ["a broken end", SELDON, around('{"data":{"ndarray":[', "1.5,", "x", 5 * MIB)],
    [
      "V2 texts",
      "/v2/models/Model/infer",
      around(
        '{"inputs":[{"name":"a","shape":[1],"datatype":"BYTES","data":[',
        '"",',
        '""]}]}',
        5 * MIB,
      ),
    ],
    [
      "V2 parameters",
      "/v2/models/Model/infer",
      around('{"parameters":{', '"a":1,', '"a":1},"inputs":[]}', 5 * MIB),
    ],
    [
      "V1 rows",
      "/v1/models/Model:predict",
      around('{"instances":[', "[1.25],", "[1.5]]}", 5 * MIB),
    ],
    [
      "feedback",
      "/send-feedback",
      around('{"request":{"data":{"ndarray":[', "[],", "[]]}}}", 10 * MIB),
    ],
  ];
  for (const [name, path, body] of bodies) {
    let status = 0;
    const send = async (): Promise<void> => {
      const response = await post(served, path, body);
      await response.arrayBuffer();
      ({ status } = response);
    };
    let longest = Infinity;
    for (let run = 0; run < RUNS && longest >= BAR_MS; run += 1)
      longest = Math.min(longest, await longestProbe(served, send));
    t.diagnostic(`${name}: ${status}, ${longest.toFixed(1)} ms`);
    assert.ok(longest < BAR_MS, `${name}: a probe took ${longest.toFixed(0)} ms`);
    assert.ok([200, 400, 413, 500, 501].includes(status), `${name}: ${status}`);
  }
});

test("large requests get the same answers as small ones, in every JSON protocol", async (t) => {
  await using served = await started(t);
  if (served === undefined) return;
  const values = Array.from({ length: 100_000 }, (_, index) => Math.sin(index));
  const seldon = await post(
    served,
    SELDON,
    Buffer.from(
      JSON.stringify({
        meta: { puid: "p", tags: { a: 1.0, b: "2" } },
        data: { names: ["x"], ndarray: values },
      }),
    ),
  );
  const answer = (await seldon.json()) as { data: { ndarray: number[] }; meta: { tags: object } };
  assert.deepEqual(answer.data.ndarray, values);
  assert.deepEqual(answer.meta.tags, { a: 1, b: "2" });
  assert.equal(seldon.headers.get("seldon-puid"), "p");
  const tensor = await post(
    served,
    SELDON,
    Buffer.from(JSON.stringify({ data: { tensor: { shape: [100_000], values } } })),
  );
  assert.deepEqual(((await tensor.json()) as { data: { tensor: unknown } }).data.tensor, {
    shape: [100_000],
    values,
  });
  const v1 = await post(
    served,
    "/v1/models/Model:predict",
    Buffer.from(JSON.stringify({ instances: values })),
  );
  assert.deepEqual(((await v1.json()) as { predictions: number[] }).predictions, values);
  const input = { name: "x", shape: [100_000], datatype: "FP64", data: values };
  const v2 = await post(
    served,
    "/v2/models/Model/infer",
    Buffer.from(JSON.stringify({ id: "i", inputs: [input] })),
  );
  const { id, outputs } = (await v2.json()) as { id: string; outputs: { data: number[] }[] };
  assert.deepEqual([id, outputs[0]?.data], ["i", values]);
  const bytes = Buffer.alloc(MIB, 7).toString("base64");
  const binary = await post(
    served,
    "/transform-input",
    Buffer.from(JSON.stringify({ binData: bytes })),
  );
  assert.equal(((await binary.json()) as { binData: string }).binData, bytes);
  const wrong = await post(
    served,
    "/v2/models/Model/infer",
    Buffer.from(JSON.stringify({ inputs: [{ ...input, shape: [99_999] }] })),
  );
  assert.equal(wrong.status, 400);
  assert.match(await wrong.text(), /"error":"read the tensor \\"x\\": its data has more values/);
});
