import assert from "node:assert/strict";
import { test } from "node:test";
import { createAdaptiveLimit, type AdaptiveLimit } from "./adaptive-limit.ts";

/** A limit with a queue that never empties, and a clock that the test moves. */
function busy(max?: number): {
  readonly limit: AdaptiveLimit;
  readonly second: (bytes: number) => void;
} {
  let time = 0;
  const limit = createAdaptiveLimit({ max, now: () => time });
  for (let index = 0; index < 64; index += 1)
    void limit.run(() => new Promise<void>(() => undefined));
  return {
    limit,
    second(bytes) {
      time += 1000;
      limit.sent(bytes);
    },
  };
}

test("it grows by one a second as long as that brings more bytes", () => {
  const { limit, second } = busy();
  assert.equal(limit.current, 4);
  second(1_000_000);
  second(1_200_000);
  assert.equal(limit.current, 6);
  second(1_210_000);
  assert.equal(limit.current, 6, "one percent more is no gain");
  for (let rate = 2; rate < 40; rate += 1) second(rate * 1_000_000);
  assert.equal(limit.current, 16, "and never beyond its bound");
});

test("it falls to half when the registry is in trouble, never below one, and is careful for a while", () => {
  const { limit, second } = busy();
  limit.slowDown();
  assert.equal(limit.current, 2);
  limit.slowDown();
  limit.slowDown();
  assert.equal(limit.current, 1);
  for (let at = 1; at <= 9; at += 1) second(at * 1_000_000);
  assert.equal(limit.current, 1);
  second(20_000_000);
  second(40_000_000);
  assert.ok(limit.current > 1);
});

test("without a queue it stays", () => {
  let time = 0;
  const limit = createAdaptiveLimit({ now: () => time });
  for (let at = 1; at < 10; at += 1) {
    time += 1000;
    limit.sent(at * 1_000_000);
  }
  assert.equal(limit.current, 4);
});

test("no more tasks run at once than it says, and all run in the end", async () => {
  const limit = createAdaptiveLimit({ max: 2 });
  let [running, most, done] = [0, 0, 0];
  await Promise.all(
    Array.from({ length: 20 }, () =>
      limit.run(async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        done += 1;
      }),
    ),
  );
  assert.deepEqual([most, done], [2, 20]);
});
