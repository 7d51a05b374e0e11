import assert from "node:assert/strict";
import { test } from "node:test";
import { buildCall, protocolsOf, type CallInput, type CallModel } from "./build-call.ts";
import { boxesIn, classShares } from "./find-views.ts";
import { readTensors } from "./read-answer.ts";

const model: CallModel = {
  ...{ name: "m 1", version: "2", kind: "onnx", takesTensors: true, takesRawBody: false },
  inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }],
  outputs: [],
};
const input: CallInput = {
  kind: "tensors",
  tensors: [{ name: "x", datatype: "FP32", shape: [2, 2], literals: ["1", "2", "3", "4"] }],
};

test("one input is the same call over each protocol", () => {
  const v2 = buildCall("v2", model, input);
  assert.equal(v2.path, "/v2/models/m%201/versions/2/infer");
  assert.deepEqual(JSON.parse(typeof v2.body === "string" ? v2.body : ""), {
    inputs: [{ name: "x", datatype: "FP32", shape: [2, 2], data: [1, 2, 3, 4] }],
  });
  assert.match(v2.grpc?.message ?? "", /"fp32_contents":\[1,2,3,4\]/);
  assert.equal(buildCall("v1", model, input).body, '{"inputs":[[1,2],[3,4]]}');
  assert.equal(buildCall("seldon", model, input).body, '{"data":{"ndarray":[[1,2],[3,4]]}}');
  const text = buildCall("service", model, { kind: "text", text: "你好" });
  assert.deepEqual([text.path, text.body], ["/service", "你好"]);
});

test("protocols are offered only where the model answers them", () => {
  assert.deepEqual(protocolsOf(model, true), ["v2", "v1", "seldon"]);
  assert.deepEqual(protocolsOf(model, false), ["v2", "v1"]);
  const half = { ...model, inputs: [{ name: "x", datatype: "FP16" as const, shape: [-1] }] };
  assert.deepEqual(protocolsOf(half, true), ["v1", "seldon"]);
  const raw = { ...model, takesTensors: false, takesRawBody: true, inputs: [] };
  assert.deepEqual(protocolsOf(raw, true), ["service"]);
  assert.equal(protocolsOf({ ...model, kind: "class", inputs: [] }, true)[0], "seldon");
});

test("answers of each protocol become the same tensors", () => {
  const v2 =
    '{"outputs":[{"name":"y","datatype":"INT64","shape":[2],"data":[9007199254740993,-1]}]}';
  assert.deepEqual(readTensors("v2", v2), [
    { name: "y", datatype: "INT64", shape: [2], values: ["9007199254740993", -1] },
  ]);
  const shapes = (protocol: "v1" | "seldon" | "service", text: string): unknown =>
    readTensors(protocol, text)?.map(({ name, shape, values }) => [name, shape, values]);
  assert.deepEqual(shapes("v1", '{"outputs":{"a":[[1]],"b":[2]}}'), [
    ["a", [1, 1], [1]],
    ["b", [1], [2]],
  ]);
  assert.deepEqual(shapes("v1", '{"predictions":[{"a":1,"b":"x"},{"a":2,"b":"y"}]}'), [
    ["a", [2], [1, 2]],
    ["b", [2], ["x", "y"]],
  ]);
  assert.deepEqual(shapes("seldon", '{"data":{"tensor":{"shape":[1,2],"values":[1,2]}}}'), [
    ["data", [1, 2], [1, 2]],
  ]);
  assert.deepEqual(shapes("seldon", '{"data":{"ndarray":[[1,2]]}}'), [["output", [1, 2], [1, 2]]]);
  assert.deepEqual(shapes("seldon", '{"strData":"hi"}'), [["strData", [1], ["hi"]]]);
  for (const text of ["no json", '{"data":{"ndarray":[[1],[2,3]]}}', '{"jsonData":{"a":{"b":1}}}'])
    assert.equal(readTensors("seldon", text), undefined, text);
});

test("shares of classes are seen, and numbers that are none are not", () => {
  const tensor = (values: readonly number[], shape: readonly number[]) => ({
    ...{ name: "y", datatype: "FP32" },
    ...{ shape, values },
  });
  assert.deepEqual(classShares(tensor([0.1, 0.7, 0.2], [1, 3]), ["a", "b", "c"]), [
    [
      { label: "b", share: 0.7 },
      { label: "c", share: 0.2 },
      { label: "a", share: 0.1 },
    ],
  ]);
  assert.equal(classShares(tensor([2, -1, 0], [1, 3])), undefined);
  assert.equal(classShares(tensor([0.5, 0.2], [1, 2])), undefined);
  assert.equal(classShares(tensor([1], [1, 1])), undefined);
});

test("boxes are read as TensorFlow and as torchvision write them", () => {
  const size = { width: 200, height: 100 };
  const output = (name: string, shape: readonly number[], values: readonly number[]) => ({
    ...{ name, shape, values },
    datatype: "FP32",
  });
  const one = { left: 0.1, top: 0.2, right: 0.3, bottom: 0.4, label: "dog", score: 0.9 };
  const shares = [
    output("detection_boxes", [1, 1, 4], [0.2, 0.1, 0.4, 0.3]),
    output("detection_scores", [1, 1], [0.9]),
    output("detection_classes", [1, 1], [1]),
  ];
  assert.deepEqual(boxesIn(shares, size, ["", "dog"]), [one]);
  const pixels = [
    output("boxes", [1, 4], [20, 20, 60, 40]),
    output("labels", [1], [1]),
    output("scores", [1], [0.9]),
  ];
  assert.deepEqual(boxesIn(pixels, size, ["", "dog"]), [one]);
  assert.equal(boxesIn([output("probabilities", [1, 4], [1, 0, 0, 0])], size), undefined);
});
