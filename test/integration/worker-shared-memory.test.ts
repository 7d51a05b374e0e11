import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { run, createTempDir } from "../../src/ground/process/index.ts";
import type { ComponentRequest } from "../../src/serving/plane/index.ts";
import type { PythonOptions } from "../../src/serving/runtime/python/index.ts";
import { numbers, rows, startWorker, type RunningWorker } from "./worker-support.ts";

/** A tensor whose bytes depend on `seed` everywhere. */
function large(floats: number, seed: number): ComponentRequest {
  const values = Float64Array.from({ length: floats }, (_, index) => seed + index);
  return {
    method: "predict",
    messages: [
      {
        payload: {
          kind: "tensor",
          tensor: {
            name: "",
            datatype: "FP64",
            shape: [1, floats],
            data: Buffer.from(values.buffer),
          },
        },
        names: [],
      },
    ],
  };
}

async function echo(worker: RunningWorker, floats: number, seed: number): Promise<void> {
  const request = large(floats, seed);
  const response = await worker.component.call(request);
  const [sent] = request.messages;
  const { payload } = response.message;
  assert.ok(sent?.payload.kind === "tensor" && payload.kind === "tensor");
  assert.deepEqual(payload.tensor.shape, [1, floats]);
  assert.ok(Buffer.from(sent.payload.tensor.data).equals(payload.tensor.data), `${floats} floats`);
}

async function echoes(t: TestContext, options: PythonOptions): Promise<void> {
  await using worker = await startWorker(t, { code: "basic.py:Identity", options });
  if (worker === undefined) return;
  await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      echo(worker, [10, 8192, 20_000, 150_528][index % 4] ?? 1, index),
    ),
  );
  await echo(worker, 2_500_000, 3);
  assert.equal(worker.component.stats.restarts, 0);
}

test("tensors of all sizes come back through shared memory", (t) => echoes(t, {}));
test("tensors of all sizes come back without shared memory", (t) => echoes(t, { sharedBytes: 0 }));
test("what does not fit into little shared memory goes inside the frame", (t) =>
  echoes(t, { sharedBytes: 2 ** 20 }));
test("tensors of all sizes come back with several threads", (t) => echoes(t, { threads: 3 }));
test("a missing memory file system is no error", (t) =>
  echoes(t, { sharedFolder: "/no/such/folder" }));

test("a memory file system that is full is no error", async (t) => {
  await using folder = await createTempDir("slipway-shm");
  const mounted = await run(["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", folder.path]).catch(
    () => undefined,
  );
  if (mounted === undefined) return t.skip("no right to mount");
  try {
    await using worker = await startWorker(t, {
      code: "basic.py:Identity",
      options: { sharedFolder: folder.path, sharedBytes: 2 ** 21 },
    });
    if (worker === undefined) return;
    await run(["sh", "-c", "head -c 8900000 /dev/zero > $0/fill", folder.path]);
    for (let round = 0; round < 6; round += 1) await echo(worker, 20_000, round);
    assert.equal(worker.component.stats.restarts, 0);
  } finally {
    await run(["umount", folder.path], { allowFailure: true });
  }
});

test("an input that user code keeps does not change under its hands", async (t) => {
  await using worker = await startWorker(t, { code: "basic.py:Keeper" });
  if (worker === undefined) return;
  const floats = 10_000;
  for (let seed = 0; seed < 12; seed += 1) {
    const seen = numbers(await worker.component.call(large(floats, seed * 100)));
    assert.deepEqual(
      seen,
      Array.from({ length: seed + 1 }, (_, kept) => [kept * 100, kept * 100 + floats - 1]).flat(),
    );
  }
});

test("shared memory leaves no name behind, not even while it is in use", async (t) => {
  await using worker = await startWorker(t, { code: "basic.py:Identity" });
  if (worker === undefined) return;
  await echo(worker, 100_000, 1);
  assert.deepEqual(
    readdirSync("/dev/shm").filter((name) => name.includes("slipway")),
    [],
  );
});

test("the calls that a dead worker had not begun keep their large inputs", async (t) => {
  await using worker = await startWorker(t, { code: "rough.py:Rough" });
  if (worker === undefined) return;
  const CRASH = 1;
  const answers = await Promise.allSettled([
    worker.component.call(rows([[CRASH, 0]])),
    ...[100, 200, 300].map(async (seed) => echo(worker, 50_000, seed)),
  ]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    ["rejected", "fulfilled", "fulfilled", "fulfilled"],
  );
});
