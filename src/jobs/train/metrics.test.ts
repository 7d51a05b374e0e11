import assert from "node:assert/strict";
import { test } from "node:test";
import { createCurveBook, createMetricScanner, curvesToSvg, drawCurve } from "./index.ts";

const scan = (text: string, task?: string): readonly string[] => {
  const scanner = createMetricScanner({ task });
  return [...scanner.push(text), ...scanner.end()].map(
    ({ name, step, value }) => `${name}@${step}=${value}`,
  );
};

test("numbers behind an equals sign are metrics, and what says where training is gives the step", () => {
  assert.deepEqual(scan("epoch=2 loss=0.25 acc=97.5%\n"), ["loss@2=0.25", "acc@2=97.5"]);
  assert.deepEqual(scan("step=100, loss = 1.5e-3 (val/acc=.5)\n"), [
    "loss@100=0.0015",
    "val/acc@100=0.5",
  ]);
  assert.deepEqual(scan("loss=3\nloss=2\nloss=1"), ["loss@1=3", "loss@2=2", "loss@3=1"]);
  assert.deepEqual(scan("epoch=1 batch=10 loss=1\nepoch=1 batch=20 loss=2\n"), [
    "loss@1=1",
    "loss@2=2",
  ]);
});

test("JSON lines are read by their numbers", () => {
  assert.deepEqual(scan('{"step": 3, "loss": 0.5, "note": "x", "deep": {"a": 1}}\n{"broken": \n'), [
    "loss@3=0.5",
  ]);
});

test("settings, parsed arguments and ordinary text are no metrics", () => {
  assert.deepEqual(
    scan(
      "Namespace(lr=0.1, epochs=3)\nseed=7 num_gpus=2 --lr=0.1 version=1.2.3 path=/a/1 name=3x loss=nan\n",
    ),
    [],
  );
});

test("lines may be cut anywhere, and end with a carriage return", () => {
  const scanner = createMetricScanner();
  assert.deepEqual(
    [
      ...scanner.push("step=1 lo"),
      ...scanner.push("ss=0.5"),
      ...scanner.push("\rstep=2 loss=0.4\r\n"),
    ].map(({ step, value }) => [step, value]),
    [
      [1, 0.5],
      [2, 0.4],
    ],
  );
});

test("of several processes one counts", () => {
  assert.deepEqual(scan("[0] loss=1\n[1] loss=9\nloss=5\n", "0"), ["loss@1=1"]);
});

test("a curve is drawn from corner to corner, with its values in words", () => {
  const book = createCurveBook();
  book.add(
    Array.from({ length: 100 }, (_, index) => ({ name: "loss", step: index, value: 100 - index })),
  );
  const [curve] = book.curves();
  assert.ok(curve !== undefined);
  const lines = drawCurve(curve, { columns: 60, rows: 4 });
  assert.equal(lines[0], "loss 1 (from 100, 1 to 100, step 99)");
  assert.equal(lines.length, 5);
  assert.notEqual((lines[1] ?? "")[0], "⠀");
  assert.notEqual((lines[4] ?? "").at(-1), "⠀");
  assert.equal((lines[4] ?? "")[0], "⠀");
});

test("a long training keeps its shape in bounded memory, and its newest point", () => {
  const book = createCurveBook();
  for (let step = 0; step < 50_000; step += 1)
    book.add([{ name: "loss", step, value: 1 / (step + 1) }]);
  const [curve] = book.curves();
  assert.ok(curve !== undefined && curve.points.length <= 4096);
  assert.equal(curve.count, 50_000);
  assert.equal(curve.points.at(-1)?.step, 49_999);
  assert.equal(curve.points[0]?.step, 0);
});

test("the picture holds every curve, and no markup of a metric's name", () => {
  const book = createCurveBook();
  book.add([
    { name: "<script>alert(1)</script>", step: 1, value: 1 },
    { name: "a&b", step: 1, value: 2 },
    { name: "a&b", step: 2, value: 3 },
  ]);
  const svg = curvesToSvg(book.curves(), 'job "x"');
  assert.ok(!svg.includes("<script"));
  assert.equal(svg.match(/<polyline/g)?.length, 1);
  assert.equal(svg.match(/<circle/g)?.length, 1);
  assert.ok(svg.includes("a&amp;b: 3") && svg.includes("job &quot;x&quot;"));
});
