import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, type Tensor } from "../tensor/index.ts";
import { detectionsOf, drawDetections, isDetector, topClasses, type Detection } from "./index.ts";

function floats(name: string, shape: readonly number[], values: readonly number[]): Tensor {
  return { name, datatype: "FP32", shape, data: bytesOf(Float32Array.from(values)) };
}

const QUESTION = { labels: {}, top: 2 };

test("rows that add up to 1 are scores of classes, best first, of equal ones the lower", () => {
  const output = floats("p", [2, 3], [0.25, 0.5, 0.25, 1, 0, 0]);
  const [first, second] = topClasses([output], QUESTION) ?? [];
  assert.deepEqual(first, [
    { class: 1, score: 0.5 },
    { class: 0, score: 0.25 },
  ]);
  assert.equal(second?.[0]?.class, 0);
});

test("axes of 1 behind the classes do not matter", () => {
  assert.equal(
    topClasses([floats("prob", [1, 2, 1, 1], [0.1, 0.9])], QUESTION)?.[0]?.[0]?.class,
    1,
  );
});

test("other numbers are scores when names go with them, or when the request asks", () => {
  const logits = floats("y", [1, 3], [3, -1, 9]);
  assert.equal(topClasses([logits], QUESTION), undefined);
  assert.equal(topClasses([logits], { ...QUESTION, isAsked: true })?.[0]?.[0]?.class, 2);
  const named = { ...QUESTION, labels: { y: ["a", "b", "c"] } };
  assert.deepEqual(topClasses([logits], named)?.[0]?.[0], { class: 2, label: "c", score: 9 });
});

test("the only list of names is for the output that is as wide", () => {
  const outputs = [floats("a", [1, 2], [1, 2]), floats("b", [1, 3], [1, 3, 2])];
  const found = topClasses(outputs, { ...QUESTION, labels: { other: ["x", "y", "z"] } });
  assert.deepEqual(found?.[0]?.[0], { class: 1, label: "y", score: 3 });
});

test("numbers, images, text and empty batches are no scores, and NaN is never the best", () => {
  const whole: Tensor = { ...floats("n", [1, 2], []), datatype: "INT32", data: new Uint8Array(8) };
  assert.equal(topClasses([whole, floats("i", [1, 2, 2], [0, 1, 0, 0])], QUESTION), undefined);
  assert.equal(topClasses([floats("e", [0, 3], [])], QUESTION), undefined);
  const odd = floats("p", [1, 2], [Number.NaN, 0.5]);
  assert.equal(topClasses([odd], { ...QUESTION, isAsked: true })?.[0]?.[0]?.class, 1);
});

const BOXES = floats(
  "detection_boxes",
  [1, 3, 4],
  [0, 0, 0.5, 0.5, 0.1, 0.2, 0.3, 0.4, 0, 0, 1, 1],
);
const SCORES = floats("detection_scores", [1, 3], [0.6, 0.9, 0.2]);
const CLASSES = floats("detection_classes", [1, 3], [2, 1, 7]);

test("objects are told from a score on, best first, with the names of their classes", () => {
  const outputs = [BOXES, SCORES, CLASSES];
  assert.ok(isDetector(outputs));
  const labels = ["", "cat", "dog"];
  const [found = []] = detectionsOf(outputs, { labels, threshold: 0.5 }) ?? [];
  assert.deepEqual(
    found.map(({ class: number, label, score }) => [number, label, Math.round(score * 10)]),
    [
      [1, "cat", 9],
      [2, "dog", 6],
    ],
  );
  assert.deepEqual(found[1]?.box, [0, 0, 0.5, 0.5]);
  const [all = []] = detectionsOf(outputs, { labels, threshold: 0 }) ?? [];
  assert.deepEqual(all[2], { class: 7, score: all[2]?.score, box: [0, 0, 1, 1] });
});

test("places behind the number of objects are empty", () => {
  const outputs = [BOXES, SCORES, CLASSES, floats("num_detections", [1], [1])];
  assert.equal(detectionsOf(outputs, { threshold: 0 })?.[0]?.length, 1);
});

test("outputs that are none of a detector, or do not fit each other, have no objects", () => {
  assert.equal(detectionsOf([SCORES, CLASSES], { threshold: 0 }), undefined);
  const short = floats("detection_classes", [1, 2], [1, 2]);
  assert.equal(detectionsOf([BOXES, SCORES, short], { threshold: 0 }), undefined);
});

test("boxes are drawn over a copy of the picture, with their names, and never beyond it", () => {
  const pixels = { width: 60, height: 40, data: new Uint8Array(4 * 60 * 40).fill(255) };
  const detections: readonly Detection[] = [
    { class: 0, label: "cat", score: 0.9, box: [0.5, 0.25, 0.75, 0.5] },
    { class: 1, label: "käse", score: 0.5, box: [-3, 0.9, 7, Number.NaN] },
  ];
  const drawn = drawDetections(pixels, detections);
  const at = (x: number, y: number): readonly number[] => [
    ...drawn.data.subarray(4 * (y * 60 + x), 4 * (y * 60 + x) + 3),
  ];
  const orange = [230, 159, 0];
  for (const [x, y] of [
    [15, 20],
    [29, 20],
    [15, 29],
    [29, 29],
  ] as const)
    assert.deepEqual(at(x, y), orange, `corner ${x}, ${y}`);
  assert.deepEqual(at(20, 25), [255, 255, 255], "the inside of the box");
  assert.deepEqual(at(15, 10), orange, "the ground of the name");
  const ink = Array.from({ length: 60 * 40 }, (_, pixel) => at(pixel % 60, Math.floor(pixel / 60)));
  assert.ok(
    ink.some((colour) => colour.every((value) => value === 0)),
    "letters",
  );
  assert.ok(
    pixels.data.every((value) => value === 255),
    "the picture that was given",
  );
});
