import assert from "node:assert/strict";
import { test } from "node:test";
import { messageOf, numberOf, parseTextMessage, truthOf, WireError, wordOf } from "./index.ts";

test("messages, words, numbers and truth values are read without a schema", () => {
  const config = parseTextMessage(`
    # a comment
    model { ssd { num_classes: 90, name: "a" 'b\\n\\x41\\101'
      sizes: [1, 2.5e-1, -3] hidden < deep: true > } }
    model: { other: FOO; [type.example.com/X] { a: 1 } }`);
  const ssd = messageOf(
    { fields: new Map([["only", config.fields.get("model")?.slice(0, 1) ?? []]]) },
    "only",
  );
  const inner = messageOf(ssd, "ssd");
  assert.equal(numberOf(inner, "num_classes", 0), 90);
  assert.equal(wordOf(inner, "name"), "ab\nAA");
  assert.deepEqual(
    inner?.fields.get("sizes")?.map((value) => (value.fields === undefined ? value.word : "")),
    ["1", "2.5e-1", "-3"],
  );
  assert.equal(truthOf(messageOf(inner, "hidden"), "deep", false), true);
  const last = messageOf(config, "model");
  assert.equal(wordOf(last, "other"), "FOO");
  assert.ok(messageOf(last, "[type.example.com/X]"));
});

test("defaults stand in for fields that are not there", () => {
  const empty = parseTextMessage("");
  assert.equal(numberOf(empty, "x", 7), 7);
  assert.equal(truthOf(empty, "x", true), true);
  assert.equal(wordOf(empty, "x"), undefined);
  assert.equal(messageOf(undefined, "x"), undefined);
});

test("what makes no sense is an error with its line", () => {
  for (const [text, why] of [
    ["a {\n b: 1", /line 2: it ends before "}"/],
    ["a: 1\n}", /line 2: "}" stands where/],
    ["a b", /"b" stands where a value/],
    ["a: \u00a7", /makes no sense/],
    ["[a", /ends inside/],
    ["a {".repeat(200), /nested deeper/],
  ] as const)
    assert.throws(
      () => parseTextMessage(text),
      (error) => error instanceof WireError && why.test(error.why),
      text,
    );
  assert.throws(() => numberOf(parseTextMessage("a: b"), "a", 0), WireError);
});
