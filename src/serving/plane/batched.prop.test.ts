import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import fc from "fast-check";
import { DATATYPES, itemBytes, type Datatype } from "../../models/tensor/index.ts";
import { batched, isRaw, packItems, type InferRequest, type InferResponse } from "./index.ts";
import type { NamedTensor, Predictor } from "./index.ts";

/** A model that answers each row by its own bytes alone, slowly enough that others wait for it: every output is a function of its row. */
class RowWise implements Predictor {
  readonly stats;
  calls = 0;

  constructor(workers: number) {
    this.stats = { queued: 0, running: 0, workers, ready: workers, restarts: 0 };
  }

  describe(): ReturnType<Predictor["describe"]> {
    return {
      ...{ platform: "test", takesTensors: true, takesRawBody: false, streams: false },
      ...{ joinsRows: true, wantsHeaders: false },
    };
  }

  async infer({ inputs }: InferRequest): Promise<InferResponse> {
    this.calls += 1;
    await setImmediate();
    if (isRaw(inputs)) throw new Error("no tensors");
    return { outputs: inputs.map((tensor) => ({ ...tensor, name: `${tensor.name}_out` })) };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** A request of a few tensors with one number of rows; bits are any, those of NaN too. */
const requests: fc.Arbitrary<InferRequest> = fc
  .record({
    rows: fc.integer({ min: 1, max: 4 }),
    specs: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom("a", "b"),
        datatype: fc.oneof(
          { weight: 3, arbitrary: fc.constantFrom<Datatype>("FP32", "BYTES") },
          { weight: 1, arbitrary: fc.constantFrom<Datatype>(...DATATYPES) },
        ),
        rest: fc.constantFrom<readonly number[]>([2], [2], [2], [3], [], [2, 2], [0]),
      }),
      { selector: ({ name }) => name, minLength: 1, maxLength: 2 },
    ),
    seed: fc.integer({ min: 0, max: 255 }),
    parameters: fc.constantFrom(undefined, undefined, undefined, { k: 1 }),
  })
  .map(({ rows, specs, seed, parameters }) => ({
    inputs: specs.map((spec, at): NamedTensor => tensorOf(spec, rows, seed + 31 * at)),
    ...(parameters !== undefined && { parameters }),
  }));

function tensorOf(
  spec: { readonly name: string; readonly datatype: Datatype; readonly rest: readonly number[] },
  rows: number,
  seed: number,
): NamedTensor {
  const { name, datatype, rest } = spec;
  const count = rows * rest.reduce((product, axis) => product * axis, 1);
  const bytes = (length: number, from: number): Uint8Array =>
    Uint8Array.from({ length }, (_, at) => (from + 7 * at) % 256);
  const data =
    datatype === "BYTES"
      ? packItems(Array.from({ length: count }, (_, at) => bytes((seed + at) % 5, seed + at)))
      : bytes(count * itemBytes(datatype), seed);
  return { name, datatype, shape: [rows, ...rest], data };
}

test("joined requests are answered bit for bit as each alone is, in any mix and order", async () => {
  let joined = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(requests, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 2, max: 8 }),
      async (asked, workers, maxRows) => {
        const alone = new RowWise(1);
        const wanted = await Promise.all(asked.map((request) => alone.infer(request)));
        const inner = new RowWise(workers);
        let largest = 0;
        const predictor = batched(inner, {
          ...{ model: "m", maxRows },
          onBatch: (rows) => (largest = Math.max(largest, rows)),
        });
        const got = await Promise.all(asked.map((request) => predictor.infer(request)));
        assert.deepEqual(got.map(bitsOf), wanted.map(bitsOf));
        assert.ok(largest <= maxRows, `${largest} rows in one call`);
        joined += alone.calls - inner.calls;
      },
    ),
    { numRuns: 200 },
  );
  assert.ok(joined > 0, "nothing was ever joined");
});

function bitsOf({ outputs, parameters }: InferResponse): unknown {
  if (isRaw(outputs)) return outputs;
  const tensors = outputs
    .map(({ name, datatype, shape, data }) => [
      name,
      datatype,
      shape,
      Buffer.from(data).toString("hex"),
    ])
    .sort();
  return [tensors, parameters];
}
