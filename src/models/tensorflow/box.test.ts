import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { copyBox, intersect, spanIn, splitBox } from "./box.ts";
import type { Extent } from "./tensor-entry.ts";

const shapes = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 });
const whole = (shape: readonly number[]): Extent[] => shape.map((length) => ({ start: 0, length }));
const volume = (box: readonly Extent[]): number => box.reduce((n, { length }) => n * length, 1);

const boxes = shapes.chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    box: fc.tuple(
      ...shape.map((size) =>
        fc.tuple(fc.nat(size - 1), fc.nat(size)).map(([start, more]) => ({
          start,
          length: Math.max(1, Math.min(more, size - start)),
        })),
      ),
    ),
  }),
);

test("pieces of a box follow each other and give what the box gives", () =>
  fc.assert(
    fc.property(boxes, fc.integer({ min: 1, max: 30 }), ({ shape, box }, limit) => {
      const elements = Array.from({ length: volume(whole(shape)) }, (_, at) => at);
      const cut = (piece: readonly Extent[]): number[] => {
        const output: number[] = [];
        copyBox({ box: piece, from: whole(shape), to: piece }, (from, to, count) => {
          for (let at = 0; at < count; at += 1) output[to + at] = elements[from + at]!;
        });
        return output;
      };
      const pieces = [...splitBox(box, (piece) => volume(piece) <= limit)];
      assert.ok(pieces.every((piece) => volume(piece) <= limit));
      assert.deepEqual(pieces.flatMap(cut), cut(box));
      const { start, length } = spanIn(whole(shape), box);
      assert.equal(cut(box)[0], start);
      assert.equal(cut(box).at(-1), start + length - 1);
    }),
    { numRuns: 300 },
  ));

test("boxes share what both have, or nothing", () => {
  const box = (...extents: readonly (readonly [number, number])[]): Extent[] =>
    extents.map(([start, length]) => ({ start, length }));
  assert.deepEqual(intersect(box([0, 4], [2, 3]), box([2, 9], [0, 3])), box([2, 2], [2, 1]));
  assert.equal(intersect(box([0, 4]), box([4, 2])), undefined);
  assert.deepEqual(intersect([], []), []);
});
