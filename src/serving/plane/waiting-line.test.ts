import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { takeLate, takePlace, type Urgency } from "./waiting-line.ts";

interface Item extends Urgency {
  readonly at: number;
}

test("a line is in the order of priorities, and of coming within one", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined })), (said) => {
      const items = said.map((priority, at): Item => ({
        at,
        ...(priority !== undefined && { priority }),
      }));
      const queue: Item[] = [];
      for (const item of items) takePlace(queue, item, (one) => one);
      const rank = ({ priority = 99 }: Item): number => priority;
      assert.deepEqual(
        queue,
        items.toSorted((one, other) => rank(one) - rank(other) || one.at - other.at),
      );
    }),
  );
});

test("who is too late is taken out, and the others keep their places", () => {
  const now = performance.now();
  const queue: Item[] = [
    { at: 0 },
    { at: 1, deadlineAt: now - 1 },
    { at: 2, deadlineAt: now + 1e6 },
  ];
  assert.deepEqual(
    takeLate(queue, (one) => one).map(({ at }) => at),
    [1],
  );
  assert.deepEqual(
    queue.map(({ at }) => at),
    [0, 2],
  );
});
