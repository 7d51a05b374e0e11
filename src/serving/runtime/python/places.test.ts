import assert from "node:assert/strict";
import { test } from "node:test";
import { Places } from "./places.ts";
import { PAGE_BYTES } from "./wire.ts";

test("places are used again and never twice", () => {
  const places = new Places(1, 17);
  assert.deepEqual(
    [places.take(PAGE_BYTES * 3 + 1), places.take(1), places.take(PAGE_BYTES * 8)],
    [1, 5, 6],
  );
  assert.equal(places.take(PAGE_BYTES * 8), -1);
  assert.ok(places.giveBack(1));
  assert.equal(places.take(PAGE_BYTES * 4), 1);
  for (const page of [1, 5, 6]) assert.ok(places.giveBack(page));
  assert.equal(places.taken, 0);
  assert.equal(places.take(PAGE_BYTES * 16), 1);
  assert.equal(places.giveBack(5), false);
});

test("sizes are rounded as the worker rounds them", () => {
  // Each place begins where the rounded end of the one before lies.
  const sizes = [0, 1, 3, 7, 8, 9, 11, 17, 1000, 2560];
  const places = new Places(0, 1e6);
  const starts = [...sizes, 1].map((pages) => places.take(pages * PAGE_BYTES));
  assert.deepEqual(
    sizes.map((_, index) => (starts[index + 1] ?? 0) - (starts[index] ?? 0)),
    [1, 1, 3, 7, 8, 10, 12, 20, 1024, 2560],
  );
});
