import assert from "node:assert/strict";
import { test } from "node:test";
import { convertibleKinds, converterOf } from "./converters.ts";
import { differenceInWords, type Difference } from "../shown/index.ts";
import { assertAlike } from "./differences.ts";

const ALIKE: Difference = {
  sample: "random",
  output: "p",
  count: 3,
  maxAbs: 1e-6,
  maxRel: 1e-7,
};

test("answers within the tolerance pass", () => {
  assertAlike("m", [ALIKE, { sample: "a.json", output: "label", count: 2, different: 0 }], 1e-6);
});

for (const [name, difference, said] of [
  [
    "a number that is too far away",
    { ...ALIKE, maxRel: 0.1 },
    /p \(random\): abs 1.0e-6, rel 1.0e-1/,
  ],
  ["a text that is another one", { ...ALIKE, different: 1 }, /p \(random\): 1 of 3 differ/],
  ["another shape", { ...ALIKE, why: "its shape is [1]" }, /p \(random\): its shape is \[1\]/],
] as const)
  test(`${name} is refused, and the output named`, () => {
    assert.throws(() => assertAlike("m", [ALIKE, difference], 1e-4), {
      code: "CONVERSION_DIFFERS",
      message: said,
    });
  });

test("models that share no output cannot be said to be alike", () => {
  assert.throws(() => assertAlike("m", [], 1e-4), { code: "UNSUPPORTED" });
});

test("a difference is told in few words", () => {
  assert.equal(differenceInWords(ALIKE), "abs 1.0e-6, rel 1.0e-7 over 3 values");
});

test("each converter is pinned, and what it needs can be asked for", () => {
  for (const kind of ["keras", "sklearn", "xgboost", "catboost", "pytorch"] as const) {
    const { requirements = [] } = converterOf(kind) ?? {};
    assert.ok(requirements.includes("onnx==1.19.1"), kind);
  }
  assert.equal(converterOf("pmml"), undefined);
  assert.ok(convertibleKinds().includes("tf-savedmodel"));
});
