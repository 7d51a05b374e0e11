import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createTempDir } from "../../src/ground/process/index.ts";
import { elementsOf } from "../../src/models/tensor/index.ts";
import {
  answersOf,
  isRaw,
  type InferRequest,
  type InferResponse,
  type NamedTensor,
} from "../../src/serving/plane/index.ts";
import { startWorker } from "./worker-support.ts";

const doubles = (name: string, ...values: number[]): NamedTensor => ({
  name,
  datatype: "FP64",
  shape: [values.length],
  data: new Uint8Array(Float64Array.from(values).buffer),
});

function named({ outputs }: InferResponse): Record<string, unknown> {
  if (isRaw(outputs)) return {};
  return Object.fromEntries(
    outputs.map((output) => [
      output.name,
      output.datatype === "BYTES"
        ? Buffer.from(output.data).toString("latin1")
        : [...elementsOf(output)].map(Number),
    ]),
  );
}

test("a typed class gets its inputs by name and gives its outputs by name", async (t) => {
  await using worker = await startWorker(t, { code: "typed.py:Add" });
  if (worker === undefined) return;
  const inputs = [doubles("b", 10, 20), doubles("a", 1, 2)];
  const both = await worker.component.infer({ inputs });
  assert.deepEqual(named(both), { sum: [11, 22], difference: [-9, -18] });
  const one = await worker.component.infer({ inputs, outputs: ["difference"] });
  assert.deepEqual(named(one), { difference: [-9, -18] });
  await assert.rejects(worker.component.infer({ inputs, outputs: ["quotient"] }), {
    code: "REQUEST_INVALID",
    message: /quotient/,
  });
  await assert.rejects(worker.component.infer({ inputs: [doubles("a", 1)] }), {
    code: "MODEL_FAILED",
    message: /KeyError: 'b'/,
  });
});

test("tensors of every datatype, small and through shared memory, come back as they went", async (t) => {
  const file = join(import.meta.dirname, "../fixtures/frames/tensors.json");
  const fixtures = JSON.parse(await readFile(file, "utf8")) as (Omit<
    NamedTensor,
    "data" | "name"
  > & {
    readonly data: string;
  })[];
  await using worker = await startWorker(t, { code: "typed.py:Echo" });
  if (worker === undefined) return;
  const small = fixtures
    .filter(({ datatype }) => datatype !== "BF16") // numpy has no such numbers: they come back as FP32
    .map(({ data, ...tensor }) => ({
      ...tensor,
      name: `${tensor.datatype}`,
      data: Buffer.from(data, "hex"),
    }));
  const large = doubles("large", ...Array.from({ length: 20_000 }, (_, index) => index / 3));
  const sent: InferRequest = { inputs: [...small, large], parameters: { k: 1, on: true, s: "é" } };
  for (let round = 0; round < 3; round += 1) {
    const { outputs } = await worker.component.infer(sent);
    assert.ok(!isRaw(outputs));
    for (const tensor of [...small, large]) {
      const back: NamedTensor | undefined = outputs.find(({ name }) => name === tensor.name);
      assert.deepEqual(
        [back?.datatype, back?.shape, Buffer.from(back?.data ?? [])],
        [tensor.datatype, tensor.shape, Buffer.from(tensor.data)],
      );
    }
    assert.match(String(named({ outputs })["parameters"]), /k=1[^]*on=True[^]*s='\xc3\xa9'/);
  }
});

test("calls of an asynchronous class run at the same time in one worker", async (t) => {
  await using worker = await startWorker(t, { code: "typed.py:Slow" });
  if (worker === undefined) return;
  const answers = await Promise.all(
    Array.from({ length: 8 }, async () => worker.component.infer({ inputs: [] })),
  );
  const most = Math.max(...answers.map((answer) => (named(answer)["most"] as number[])[0] ?? 0));
  assert.ok(most > 2, `${most} ran at once`);
});

test("a generator streams its answers, and is collected where one answer is wanted", async (t) => {
  await using worker = await startWorker(t, { code: "typed.py:Count" });
  if (worker === undefined) return;
  const request = { inputs: [doubles("n", 4)] };
  const pieces = await Array.fromAsync(answersOf(worker.component, request));
  assert.deepEqual(
    pieces.map(named),
    [0, 1, 2, 3].map((value) => ({ value: [value] })),
  );
  assert.deepEqual(named(await worker.component.infer(request)), { value: [0, 1, 2, 3] });
  await assert.rejects(worker.component.infer({ inputs: [doubles("n", 0)] }), {
    code: "MODEL_FAILED",
  });
});

test("a stream whose reader leaves is closed in the worker, and unload is called at the end", async (t) => {
  await using folder = await createTempDir("slipway-typed");
  const file = join(folder.path, "ended");
  const worker = await startWorker(t, {
    code: "typed.py:Endless",
    options: { env: { ...process.env, ENDED: file } },
  });
  if (worker === undefined) return;
  let seen = 0;
  for await (const piece of answersOf(worker.component, { inputs: [] })) {
    assert.deepEqual(named(piece), { value: [0] });
    seen += 1;
    if (seen === 3) break;
  }
  await worker[Symbol.asyncDispose](); // waits for the call, which ends since its code was told to stop
  assert.equal(await readFile(file, "utf8"), "closed\nunloaded\n");
});

test("metadata.json beside the class is its signature, and requests are held against it", async (t) => {
  await using worker = await startWorker(t, {
    code: "typed.py:Add",
    description: { codePath: join(import.meta.dirname, "../fixtures/typed-model") },
  });
  if (worker === undefined) return;
  assert.deepEqual(worker.component.describe().signature?.inputs, [
    { name: "a", datatype: "FP32", shape: [-1] },
    { name: "b", datatype: "FP32", shape: [-1] },
  ]);
  const inputs = [doubles("a", 1), doubles("b", 2)];
  await assert.rejects(worker.component.infer({ inputs }), {
    code: "TENSOR_INVALID",
    actual: "FP64",
  });
  const { outputs } = await worker.component.infer({ inputs, isUntyped: true });
  assert.ok(!isRaw(outputs));
  assert.deepEqual([outputs[0]?.datatype, named({ outputs })["sum"]], ["FP32", [3]]);
});
