import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { BatchWait } from "./batch-wait.ts";
import { batched, isRaw, tensorOfList, type Predictor } from "./index.ts";

const CALL_MS = 8;

/** What a worker does behind each of `calls` calls: 0 when it goes on at once, else how long it waits before `arrives` decides. */
function behindCalls(
  wait: BatchWait,
  calls: number,
  about: { readonly company: number; readonly back: number },
): readonly number[] {
  return Array.from({ length: calls }, (_, call) => {
    const now = call * 100;
    wait.returned(now, CALL_MS, about.company);
    const left = wait.leftMs(now, 1);
    wait.leftMs(now + left, about.back);
    return left;
  });
}

test("a request that was alone does not wait, and neither does one that comes later to an idle worker", () => {
  const wait = new BatchWait(() => 1);
  assert.equal(wait.leftMs(0, 1), 0);
  wait.returned(10, CALL_MS, 1);
  assert.equal(wait.leftMs(10, 1), 0);
  wait.returned(20, CALL_MS, 9);
  assert.equal(wait.leftMs(20 + CALL_MS, 1), 0);
});

test("behind a call for several a worker waits a quarter of its time, until all are back", () => {
  const wait = new BatchWait(() => 1);
  wait.returned(0, CALL_MS, 4);
  assert.deepEqual([wait.leftMs(0, 1), wait.leftMs(1, 3), wait.leftMs(1.5, 4)], [2, 1, 0]);
  assert.equal(wait.leftMs(1.6, 1), 0); // once behind each call
});

test("company is shared among workers, and the longest wait is kept to", () => {
  const two = new BatchWait(() => 2);
  two.returned(0, CALL_MS, 4);
  assert.deepEqual([two.leftMs(0, 1), two.leftMs(0, 2)], [2, 0]);
  const short = new BatchWait(() => 1, 1);
  short.returned(0, CALL_MS, 4);
  assert.equal(short.leftMs(0, 1), 1);
  const none = new BatchWait(() => 1, 0);
  none.returned(0, CALL_MS, 4);
  assert.equal(none.leftMs(0, 1), 0);
});

test("where clients do not come back, waiting is given up, and tried again now and then", () => {
  const wait = new BatchWait(() => 1);
  const open = behindCalls(wait, 200, { company: 4, back: 1 });
  assert.ok(open.slice(0, 5).every((ms) => ms === 2));
  const waits = open.slice(20).filter((ms) => ms > 0).length;
  assert.ok(waits > 0 && waits < 10, `${waits} of 180 waited`);
  const closed = behindCalls(wait, 400, { company: 4, back: 4 });
  assert.ok(closed.slice(-50).every((ms) => ms === 2));
});

test("clients that ask again as soon as they are answered are answered together", async () => {
  const sizes: number[] = [];
  const model: Predictor = {
    describe: () => ({
      ...{ platform: "test", takesTensors: true, takesRawBody: false, streams: false },
      ...{ joinsRows: true, wantsHeaders: false },
    }),
    infer: async ({ inputs }) => {
      sizes.push(isRaw(inputs) ? 0 : (inputs[0]?.shape[0] ?? 0));
      await setTimeout(2 * CALL_MS); // the time of a call is what is learned from
      return { outputs: isRaw(inputs) ? [] : inputs };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  const predictor = batched(model, { model: "m", maxRows: 64 });
  const request = { inputs: [tensorOfList("x", [[1]])] };
  const client = async (): Promise<void> => {
    for (let call = 0; call < 20; call += 1) await predictor.infer(request);
  };
  await Promise.all([client(), client(), client(), client()]);
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    80,
  );
  assert.ok(sizes.filter((size) => size === 4).length >= 16, sizes.join(" "));
});
