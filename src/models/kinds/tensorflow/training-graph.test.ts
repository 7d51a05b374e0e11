import assert from "node:assert/strict";
import { test } from "node:test";
import {
  detectionOutputs,
  inputsOf,
  neededInputs,
  suggestedOutputs,
  type FileNode,
  type GraphFile,
} from "./graph-file.ts";

function graphOf(
  nodes: readonly (Partial<FileNode> & Pick<FileNode, "name" | "op">)[],
  producer = 24,
): GraphFile {
  return {
    functions: 0,
    producer,
    nodes: nodes.map((node) => ({ takes: [], shape: null, ...node })),
  };
}

/** A regression on rows: inputs, weights, what is compared, and the mean of the loss. */
const TRAINING = [
  { name: "x", op: "Placeholder", datatype: "FP32", shape: [] },
  { name: "w", op: "VariableV2", shape: [784, 10] },
  { name: "w/read", op: "Identity", takes: ["w"] },
  { name: "scores", op: "MatMul", takes: ["x", "w/read"] },
  { name: "y", op: "Placeholder", datatype: "FP32", shape: [-1, 10] },
  { name: "flat", op: "Reshape", takes: ["scores"] },
  { name: "flat_y", op: "Reshape", takes: ["y"] },
  { name: "xent", op: "SoftmaxCrossEntropyWithLogits", takes: ["flat", "flat_y"] },
  { name: "Mean", op: "Mean", takes: ["xent"] },
] as const;

test("a training graph answers with what its loss compares, and not with the loss", () => {
  assert.deepEqual(suggestedOutputs(graphOf(TRAINING)), ["scores"]);
});

test("labels are no input of the answer, nor is what has a value of its own", () => {
  const graph = graphOf([
    ...TRAINING,
    { name: "keep", op: "PlaceholderWithDefault", datatype: "FP32", shape: [] },
    { name: "answer", op: "Mul", takes: ["scores", "keep"] },
  ]);
  const inputs = inputsOf(graph);
  assert.equal(inputs.length, 3);
  const needed = neededInputs(graph, inputs, ["answer"]).map(({ name }) => name);
  assert.deepEqual(needed, ["x"]);
  assert.deepEqual(neededInputs(graph, inputs, ["gone"]), inputs);
});

test("an old placeholder without axes says nothing, and is as wide as the matrix that it meets", () => {
  const [old] = inputsOf(graphOf(TRAINING, 21));
  assert.deepEqual(old?.shape, [-1, 784]);
  const [young] = inputsOf(graphOf(TRAINING, 22));
  assert.deepEqual(young?.shape, []);
});

test("a detection graph is known by the names of its outputs", () => {
  const names = ["detection_boxes", "detection_scores", "detection_classes", "num_detections"];
  const graph = graphOf(names.map((name) => ({ name, op: "Identity" })));
  assert.deepEqual(
    detectionOutputs(graph).map(({ name, shape }) => [name, shape?.length]),
    [
      ["detection_boxes", 3],
      ["detection_scores", 2],
      ["detection_classes", 2],
      ["num_detections", 1],
    ],
  );
  assert.deepEqual(detectionOutputs(graphOf([{ name: "detection_boxes", op: "Identity" }])), []);
});
