import assert from "node:assert/strict";
import { test } from "node:test";
import type { TensorSpec } from "../../../models/tensor/index.ts";
import { signatureByMethod } from "./answer-method.ts";

const inputs: readonly TensorSpec[] = [{ name: "X", datatype: "FP64", shape: [-1, 3] }];
const predict: TensorSpec = { name: "predict", datatype: "INT64", shape: [-1] };
const signature = { inputs, outputs: [predict] };

function outputsBy(value: string | undefined, shape = [-1]): readonly TensorSpec[] | undefined {
  const described = { signature: { inputs, outputs: [{ ...predict, shape }] } };
  const parameters =
    value === undefined ? [] : [{ name: "method", value, type: "STRING" as const }];
  return signatureByMethod({ ...described, kind: "sklearn" }, parameters)?.outputs;
}

test("outputs are those of the method that a parameter names", () => {
  assert.deepEqual(outputsBy(undefined), [predict]);
  assert.deepEqual(outputsBy("predict"), [predict]);
  assert.deepEqual(outputsBy("predict_proba"), [
    { name: "predict_proba", datatype: "FP64", shape: [-1, -1] },
  ]);
  assert.deepEqual(outputsBy("predict_proba", [-1, 2]), []);
  assert.deepEqual(outputsBy("decision_function"), []);
});

test("a class of the user has a parameter of that name for itself", () => {
  const method = { name: "method", value: "predict_proba", type: "STRING" as const };
  assert.equal(signatureByMethod({ kind: "class", signature }, [method]), signature);
  assert.equal(signatureByMethod({ kind: "sklearn" }, [method]), undefined);
});
