import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isToolError } from "../../ground/errors/index.ts";
import { quoteDouble, quoteWord, splitWords } from "./shell-words.ts";

test("words that are quoted and joined come apart again", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), (words) =>
      assert.deepEqual(splitWords(words.map(quoteWord).join(" ")), words),
    ),
  );
});

test("text between double quotes is one word, and the same", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) =>
      assert.deepEqual(splitWords(quoteDouble(text)), [text]),
    ),
  );
});

test("any line gives words or a usage error", () => {
  fc.assert(
    fc.property(fc.string(), (line) => {
      try {
        splitWords(line);
      } catch (error) {
        assert.ok(isToolError(error) && error.code === "USAGE");
      }
    }),
  );
});
