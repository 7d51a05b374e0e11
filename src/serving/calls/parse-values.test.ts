import assert from "node:assert/strict";
import { test } from "node:test";
import type { TensorSpec } from "../../models/tensor/index.ts";
import { literalOf, parseCsv, parseJsonValue, parseLines } from "./parse-values.ts";
import { columnsOf, pictureLayout } from "./shape.ts";

const spec = (datatype: TensorSpec["datatype"], shape: readonly number[]): TensorSpec => ({
  name: "x",
  datatype,
  shape,
});

test("numbers become JSON literals, and 64-bit integers stay as they were typed", () => {
  for (const [typed, datatype, literal] of [
    ["9007199254740993", "INT64", "9007199254740993"],
    ["+7", "INT32", "7"],
    ["-007", "INT8", "-7"],
    [".5", "FP32", "0.5"],
    ["-.5e3", "FP64", "-0.5e3"],
    ["5.", "FP32", "5"],
    ["0", "FP32", "0"],
    ["yes", "BOOL", "true"],
    ["0", "BOOL", "false"],
    ['say "hi"', "BYTES", '"say \\"hi\\""'],
  ] as const) {
    assert.equal(literalOf(typed, datatype), literal);
    assert.doesNotThrow(() => JSON.parse(literal));
  }
  for (const [typed, datatype] of [
    ["1.5", "INT64"],
    ["one", "FP32"],
    ["", "FP32"],
    ["maybe", "BOOL"],
    ["NaN", "FP64"],
  ] as const)
    assert.throws(() => literalOf(typed, datatype), { name: "ValueError" }, typed);
});

test("a pasted table loses its heading and keeps its rows, whatever stands between the values", () => {
  const wanted = { shape: [2, 3], literals: ["1", "2", "3", "4", "5", "6"] };
  for (const text of [
    "a,b,c\n1,2,3\n4,5,6\n",
    "1\t2\t3\r\n4\t5\t6",
    "1; 2; 3\n4; 5; 6",
    " 1 2  3\n4 5 6",
    '"1","2","3"\n"4","5","6"',
  ]) {
    const { shape, literals } = parseCsv(spec("FP32", [-1, 3]), text);
    assert.deepEqual({ shape, literals }, wanted, text);
  }
  assert.throws(() => parseCsv(spec("FP32", [-1, 3]), "1,2,3\n4,5"), /line 2 has 2 values/);
  assert.throws(() => parseCsv(spec("FP32", [-1, 3]), "1,2\n3,4"), /\[2, 2\], and \[-1, 3\]/);
});

test("JSON keeps its own shape where it fits, gets a batch axis where it lacks one, and is refused where it fits nowhere", () => {
  const shapeOf = (shape: readonly number[], text: string): readonly number[] =>
    parseJsonValue(spec("FP32", shape), text).shape;
  assert.deepEqual(shapeOf([-1, 2], "[[1,2],[3,4]]"), [2, 2]);
  assert.deepEqual(shapeOf([-1, 2], "[1,2]"), [1, 2]);
  assert.deepEqual(shapeOf([-1, -1], "[1,2,3]"), [1, 3]);
  assert.deepEqual(shapeOf([1, 2, 2], "[[1,2],[3,4]]"), [1, 2, 2]);
  assert.deepEqual(shapeOf([], "5"), []);
  assert.throws(() => shapeOf([-1, 2], "[[1,2],[3]]"), /lists of 2 and of 1/);
  assert.throws(() => shapeOf([3], "[1,2]"), /\[2\], and \[3\]/);
  assert.throws(() => shapeOf([3], '{"a":1}'), /not an object/);
  assert.throws(() => shapeOf([3], "[1,"), { name: "ValueError" });
  assert.deepEqual(parseJsonValue(spec("BYTES", [-1]), '["a,b","[c]"]').literals, [
    '"a,b"',
    '"[c]"',
  ]);
});

test("each line is a text", () => {
  const { shape, literals } = parseLines(spec("BYTES", [-1, 1]), "你好\nhello\n");
  assert.deepEqual(
    [shape, literals],
    [
      [2, 1],
      ['"你好"', '"hello"'],
    ],
  );
});

test("pictures are seen in the shape of an input, and tables of few columns too", () => {
  const layout = (shape: readonly number[], datatype: TensorSpec["datatype"] = "FP32"): unknown => {
    const found = pictureLayout(spec(datatype, shape));
    return found && [found.height, found.width, found.channels, found.isChannelsFirst, found.shape];
  };
  assert.deepEqual(layout([-1, 3, 224, 224]), [224, 224, 3, true, [1, 3, 224, 224]]);
  assert.deepEqual(layout([1, -1, -1, 3], "UINT8"), [224, 224, 3, false, [1, 224, 224, 3]]);
  assert.deepEqual(layout([32, 32, 4]), [32, 32, 4, false, [32, 32, 4]]);
  assert.deepEqual(layout([-1, 784]), [28, 28, 1, true, [1, 784]]);
  assert.deepEqual(layout([-1, 28, 28]), [28, 28, 1, true, [1, 28, 28]]);
  assert.equal(layout([-1, 4]), undefined);
  assert.equal(layout([-1, 3, 4, 5]), undefined);
  assert.equal(layout([-1, 3, 32, 32], "BYTES"), undefined);
  assert.deepEqual(
    [[-1, 4], [4], [], [-1, 64], [2, 3, 4]].map((shape) => columnsOf(spec("FP32", shape))),
    [4, 4, 1, undefined, undefined],
  );
});
