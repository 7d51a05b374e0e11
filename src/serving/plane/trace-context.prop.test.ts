import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatTraceparent, IdSource, parseTraceparent } from "./trace-context.ts";

const hex = (length: number): fc.Arbitrary<string> =>
  fc
    .string({
      unit: fc.constantFrom(..."0123456789abcdef".split("")),
      minLength: length,
      maxLength: length,
    })
    .filter((text) => !/^0+$/.test(text));

test("what is formatted is read back", () => {
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, isSampled) => {
      assert.deepEqual(parseTraceparent(formatTraceparent({ traceId, spanId, isSampled })), {
        traceId,
        spanId,
        isSampled,
      });
    }),
  );
});

test("any text is a context or none, and never an error", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string({ unit: fc.constantFrom(..."0f-g".split("")), maxLength: 60 }),
      ),
      (text) => {
        const context = parseTraceparent(text);
        if (context !== undefined)
          assert.match(text, /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}/);
      },
    ),
  );
});

for (const [why, text] of [
  ["version ff", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
  ["version 00 with more behind it", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"],
  ["a trace of zeros", "00-00000000000000000000000000000000-b7ad6b7169203331-01"],
  ["a span of zeros", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"],
  ["capital letters", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"],
] as const) {
  test(`no context: ${why}`, () => assert.equal(parseTraceparent(text), undefined));
}

test("a later version with more behind it is read as far as it is known", () => {
  assert.equal(
    parseTraceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more")?.isSampled,
    true,
  );
});

test("ids are of the asked length and differ", () => {
  const source = new IdSource();
  const ids = Array.from({ length: 2000 }, () => source.next(8));
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.every((id) => /^[0-9a-f]{16}$/.test(id)));
});
