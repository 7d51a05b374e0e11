import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { elementsOf } from "../../models/tensor/index.ts";
import { batched } from "./batched.ts";
import {
  isRaw,
  type InferRequest,
  type InferResponse,
  type NamedTensor,
  type Predictor,
} from "./contracts.ts";
import { raggedLength, withLength } from "./pad-rows.ts";

const SIGNATURE = {
  inputs: [
    { name: "ids", datatype: "INT64", shape: [-1, -1] },
    { name: "x", datatype: "FP32", shape: [-1, 2, -1] },
  ],
  outputs: [
    { name: "ids", datatype: "INT64", shape: [-1, -1] },
    { name: "x", datatype: "FP32", shape: [-1, 2, -1] },
    { name: "sum", datatype: "FP64", shape: [-1, 1] },
  ],
} as const;

/** Gives its inputs back, and the sum of each row, to which zeros add nothing. */
class Sums implements Predictor {
  readonly stats = { queued: 0, running: 0, workers: 1, ready: 1, restarts: 0 };
  calls = 0;

  describe(): ReturnType<Predictor["describe"]> {
    return {
      ...{ platform: "test", takesTensors: true, takesRawBody: false, streams: false },
      ...{ joinsRows: true, wantsHeaders: false, signature: SIGNATURE },
    };
  }

  async infer({ inputs }: InferRequest): Promise<InferResponse> {
    this.calls += 1;
    await new Promise((resolve) => setImmediate(resolve));
    const ids = isRaw(inputs) ? undefined : inputs.find(({ name }) => name === "ids");
    if (isRaw(inputs) || ids === undefined) throw new Error("no tensors");
    const [rows = 0, length = 0] = ids.shape;
    const values = [...elementsOf(ids)].map(Number);
    const sums = Float64Array.from({ length: rows }, (_, row) =>
      values.slice(row * length, (row + 1) * length).reduce((sum, value) => sum + value, 0),
    );
    const data = new Uint8Array(sums.buffer);
    return { outputs: [...inputs, { name: "sum", datatype: "FP64", shape: [rows, 1], data }] };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function asked({
  rows,
  length,
  seed,
}: {
  rows: number;
  length: number;
  seed: number;
}): InferRequest {
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => seed + at);
  const ids = BigInt64Array.from(numbers(rows * length), BigInt);
  const x = Float32Array.from(numbers(rows * 2 * length));
  return {
    inputs: [
      { name: "ids", datatype: "INT64", shape: [rows, length], data: new Uint8Array(ids.buffer) },
      { name: "x", datatype: "FP32", shape: [rows, 2, length], data: new Uint8Array(x.buffer) },
    ],
  };
}

const requests = fc
  .record({
    rows: fc.integer({ min: 1, max: 3 }),
    length: fc.integer({ min: 1, max: 5 }),
    seed: fc.integer({ min: 1, max: 99 }),
  })
  .map(asked);

function plain({ outputs }: InferResponse): unknown {
  if (isRaw(outputs)) return outputs;
  return outputs
    .map(({ name, shape, data }) => [name, shape, Buffer.from(data).toString("hex")])
    .toSorted();
}

test("requests of different lengths are padded to be joined, and each answer has its own length", async () => {
  let saved = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(requests, { minLength: 1, maxLength: 8 }), async (all) => {
      const alone = new Sums();
      const wanted = await Promise.all(all.map((request) => alone.infer(request)));
      const inner = new Sums();
      const predictor = batched(inner, { model: "m", maxRows: 16, padValue: 0 });
      const got = await Promise.all(all.map((request) => predictor.infer(request)));
      assert.deepEqual(got.map(plain), wanted.map(plain));
      saved += alone.calls - inner.calls;
    }),
    { numRuns: 100 },
  );
  assert.ok(saved > 100, "they were joined");
});

test("without a value nothing of another length is joined", async () => {
  const inner = new Sums();
  const predictor = batched(inner, { model: "m", maxRows: 16 });
  const lengths = [1, 2, 3, 4];
  await Promise.all(lengths.map((length) => predictor.infer(asked({ rows: 1, length, seed: 1 }))));
  assert.equal(inner.calls, 4);
});

const tensor = (shape: readonly number[]): NamedTensor => ({
  ...{ name: "x", datatype: "INT8", shape },
  data: Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => at + 1),
});

test("a tensor is longer by the value, and shorter by its end", () => {
  const longer = withLength(tensor([2, 2]), { axes: [1], length: 3, value: -1 });
  assert.deepEqual(
    [longer.shape, [...elementsOf(longer)]],
    [
      [2, 3],
      [1, 2, -1, 3, 4, -1],
    ],
  );
  assert.deepEqual(withLength(longer, { axes: [1], length: 2, value: 0 }), tensor([2, 2]));
  const both = withLength(tensor([1, 2, 2]), { axes: [1, 2], length: 3, value: 0 });
  assert.deepEqual([...both.data], [1, 2, 0, 3, 4, 0, 0, 0, 0]);
});

test("lengths that differ inside a request are not padded", () => {
  const { inputs } = asked({ rows: 1, length: 3, seed: 1 });
  assert.ok(!isRaw(inputs));
  assert.equal(raggedLength(inputs, SIGNATURE), 3);
  const [ids, x] = inputs;
  assert.ok(ids !== undefined && x !== undefined);
  assert.equal(raggedLength([{ ...ids, shape: [1, 4] }, x], SIGNATURE), undefined);
});
