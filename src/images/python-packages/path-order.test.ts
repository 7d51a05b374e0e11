import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareUtf8, inByteOrder } from "./path-order.ts";

test("texts are ordered as their UTF-8 bytes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (left, right) => {
      assert.equal(
        Math.sign(compareUtf8(left, right)),
        Buffer.compare(Buffer.from(left), Buffer.from(right)),
      );
    }),
  );
  assert.deepEqual(
    inByteOrder([{ path: "\u{1F600}" }, { path: "\uFF61" }, { path: "z" }]).map(({ path }) => path),
    ["z", "\uFF61", "\u{1F600}"],
  );
});
