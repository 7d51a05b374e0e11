import assert from "node:assert/strict";
import { test } from "node:test";
import { branchIn, withRouting } from "./graph-routing.ts";

const bytes = (text: string): Buffer => Buffer.from(text);

for (const [text, branch] of [
  ["[1]", 1],
  ["[2,0]", 2],
  ["[]", -1],
  ['{"data":{"ndarray":[[1]]}}', 1],
  ['{"data":{"ndarray":[1,0]}}', 1],
  ['{"data":{"ndarray":[[1.9]]}}', 1],
  ['{"data":{"ndarray":[["x"]]}}', 0],
  ['{"data":{"ndarray":[]}}', -1],
  ['{"data":{"names":["t:0"],"tensor":{"shape":[1,1],"values":[-2]}},"meta":{"tags":{"a":1}}}', -2],
  ['{"data":{"tftensor":{"dtype":"DT_INT32","intVal":[3]}}}', 3],
  ['{"data":{}}', -1],
] as const) {
  test(`the route ${text} means ${branch}`, () => assert.equal(branchIn(bytes(text)), branch));
}

for (const text of [
  "",
  "[1.5]",
  '["1"]',
  "{}",
  '{"strData":"x"}',
  '{"data":{"ndarray":[[1]]},"mine":1}',
  "plain words",
  `${"[".repeat(5000)}`,
]) {
  test(`the route ${JSON.stringify(text.slice(0, 40))} is refused`, () =>
    assert.throws(() => branchIn(bytes(text)), { code: "REQUEST_INVALID" }));
}

test("routing is written beside what there is, and numbers keep their digits", () => {
  const body = bytes('{"data":{"ndarray":[12345678901234567890,1.50]},"meta":{"routing":{"r":1}}}');
  assert.equal(
    withRouting(body, new Map([["a", -1]])).toString(),
    '{"data":{"ndarray":[12345678901234567890,1.5]},"meta":{"routing":{"r":1,"a":-1}}}',
  );
});

test("what is no JSON, or has no meta, stays as it is", () => {
  for (const text of ["plain", "[1]", '{"meta":3}', '{"strData":""}'])
    assert.equal(withRouting(bytes(text), new Map([["a", 0]])).toString(), text);
});
