import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TensorSpec } from "../../models/tensor/index.ts";
import { writePython, writeTypescript, type ClientFacts } from "./index.ts";

const GOLDEN = join(import.meta.dirname, "../../../test/fixtures/golden/client");
const spec = (name: string, datatype: TensorSpec["datatype"], shape: readonly number[]) => ({
  ...{ name, datatype, shape },
});

function factsFor(language: string, models: ClientFacts["models"]): ClientFacts {
  return { madeBy: `slipway client ${language} http://localhost:9000`, models, notes: [] };
}

const LANGUAGES = [
  ["ts", writeTypescript],
  ["python", writePython],
] as const;

// A change here is one that users see: review it, then run the test once with SLIPWAY_UPDATE_GOLDEN=1.
test("a model of two inputs has the client that is kept, to the letter", () => {
  const model = {
    name: "price-of home",
    inputs: [spec("rooms", "INT64", [-1]), spec("sepal length", "FP32", [-1, 2])],
    outputs: [
      spec("price", "FP64", [-1]),
      spec("is dear?", "BOOL", []),
      spec("为什么", "BYTES", [1]),
    ],
  };
  for (const [language, write] of LANGUAGES) {
    const path = join(GOLDEN, `client.${language}.txt`);
    const text = write(factsFor(language, [model]));
    if (process.env["SLIPWAY_UPDATE_GOLDEN"] === "1") writeFileSync(path, text);
    assert.equal(text, readFileSync(path, "utf8"), language);
  }
});

test("names that become one are numbered, keywords and names of every object are not taken", () => {
  const inputs = ["class", "a b", "a-b", "a_b_2", "self", "3d", "__x", "**"].map((name) =>
    spec(name, "FP32", []),
  );
  const outputs = [spec("y", "FP32", [])];
  const names = ["a-b", "a_b", "A_B", "then", "constructor", "del", "__infer", "3d", ""];
  const models = names.map((name) => ({ name, inputs, outputs }));
  const python = writePython(factsFor("python", models));
  const found = (text: string, pattern: RegExp) =>
    [...text.matchAll(pattern)].map(([, one]) => one);
  const methods = found(python, /^ {4}def (\w+)\(\n {8}self,\n {8}\*,/gm);
  assert.deepEqual(methods.toSorted(), [
    ...["A_B", "_3d", "a_b", "a_b_2", "constructor", "del_", "infer", "then", "unnamed"],
  ]);
  const parameters = found(python, /^ {8}(\w+): float, {2}# FP32/gm).slice(0, inputs.length);
  assert.deepEqual(parameters, [
    ...["class_", "a_b", "a_b_2", "a_b_2_2", "self_", "_3d", "x", "unnamed"],
  ]);
  const types = found(python, /^(\w+)Outputs = TypedDict/gm);
  assert.equal(new Set(types).size, names.length);
  const typescript = writeTypescript(factsFor("ts", models));
  const own = found(typescript, /^ {2}async (\w+)\(/gm);
  assert.deepEqual(own, [
    ...["aB", "aB_2", "AB", "then_2", "constructor_2", "del", "infer", "_3d", "unnamed"],
  ]);
});

test("no name ends a literal, a comment or a line", () => {
  const hostile = '*/"""\n\u2028\u0085\\";`${process.exit()}#{x}';
  const models = [
    {
      name: hostile,
      inputs: [spec(hostile, "FP32", [-1])],
      outputs: [spec(hostile, "FP32", [-1])],
    },
  ];
  for (const [, write] of LANGUAGES) {
    const plain = write({
      ...factsFor("x", [
        {
          name: "m",
          inputs: [spec("m", "FP32", [-1])],
          outputs: [spec("m", "FP32", [-1])],
        },
      ]),
      notes: ["n"],
    });
    const text = write({ ...factsFor("x", models), notes: [hostile] });
    assert.equal(text.split(/[\n\r\u0085\u2028\u2029]/).length, plain.split("\n").length);
    const count = (part: string, whole: string) => whole.split(part).length;
    for (const part of ["\n  }\n", '"""Asks the model']) {
      assert.equal(count(part, text), count(part, plain));
    }
    assert.equal(count("*/", text.replace(/^(?:#|\/\/).*$/gm, "")), count("*/", plain));
  }
});
