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

/** Lines as the frameworks' own examples print them, with what is measured in them. */
const FORMS: readonly (readonly [string, string, readonly string[]])[] = [
  ["the documents", "Epoch 1, Loss: 1.757\n", ["Loss@1=1.757"]],
  [
    "PyTorch's MNIST example",
    "Train Epoch: 2 [640/60000 (1%)]\tLoss: 2.300039\n\nTest set: Average loss: 0.0512, Accuracy: 9832/10000 (98%)\n",
    ["Loss@1=2.300039", "Average_loss@1=0.0512", "Accuracy@1=0.9832"],
  ],
  [
    "PyTorch's ImageNet example",
    "Epoch: [0][  10/5005]\tTime  0.3 ( 0.5)\tData  0.0 ( 0.1)\tLoss 6.9e+00 (7.0e+00)\tAcc@1   0.50 (  0.10)\n * Acc@1 61.5 Acc@5 83.25\n",
    ["Loss@1=6.9", "Acc@1@1=0.5", "Acc@1@2=61.5", "Acc@5@1=83.25"],
  ],
  [
    "Keras 2",
    "Epoch 1/2\n 938/1875 [=====>......] - ETA: 2s - loss: 0.5000\r1875/1875 [==============================] - 4s 2ms/step - loss: 0.2912 - accuracy: 0.9150 - val_loss: 0.1\nEpoch 2/2\n1875/1875 [====] - 4s 2ms/step - loss: 0.1\n",
    ["loss@1=0.2912", "accuracy@1=0.915", "val_loss@1=0.1", "loss@2=0.1"],
  ],
  [
    "Keras 3",
    "Epoch 3/5\n\u001b[1m1875/1875\u001b[0m \u001b[32m━━━━━━━━━━━━━━━━━━━━\u001b[0m\u001b[37m\u001b[0m \u001b[1m4s\u001b[0m 2ms/step - accuracy: 0.9 - loss: 0.3\n",
    ["accuracy@3=0.9", "loss@3=0.3"],
  ],
  [
    "Hugging Face's trainer",
    "{'loss': 0.5, 'grad_norm': 1.25, 'learning_rate': 1e-05, 'epoch': 0.5}\n{'eval_loss': '0.25', 'eval_runtime': '3.1', 'epoch': '1'}\n",
    ["loss@0.5=0.5", "grad_norm@0.5=1.25", "learning_rate@0.5=0.00001", "eval_loss@1=0.25"],
  ],
  [
    "nanoGPT",
    "step 250: train loss 1.9, val loss 2.0\niter 260: loss 1.8, time 23.4ms, mfu 1.2%\n",
    ["train_loss@250=1.9", "val_loss@250=2", "loss@260=1.8"],
  ],
  ["XGBoost", "[7]\ttrain-logloss:0.5\teval-auc:0.9\n", ["train-logloss@7=0.5", "eval-auc@7=0.9"]],
  [
    "LightGBM",
    "[LightGBM] [Info] Total Bins 510\n[1]\tvalid_0's l2: 0.24\tvalid_0's auc: 0.7\n",
    ["valid_0_l2@1=0.24", "valid_0_auc@1=0.7"],
  ],
  [
    "Lightning",
    "Epoch 4: 100%|██████████| 10/10 [00:01<00:00,  8.1it/s, v_num=3, train_loss=0.5, val_loss=0.25]\n",
    ["train_loss@4=0.5", "val_loss@4=0.25"],
  ],
  [
    "MXNet",
    "INFO:root:Epoch[3] Batch [20]\tSpeed: 1000.5 samples/sec\taccuracy=0.9\nINFO:root:Epoch[3] Train-accuracy=0.95\n",
    ["accuracy@1=0.9", "Train-accuracy@3=0.95"],
  ],
  ["Caffe", "I0101 solver.cpp:228] Iteration 100, loss = 0.5\n", ["loss@100=0.5"]],
  [
    "TensorFlow 1",
    "INFO:tensorflow:loss = 0.5, step = 101 (0.5 sec)\nglobal step 10: loss = 0.25 (0.3 sec/step)\nstep 100, training accuracy 0.98\n",
    ["loss@101=0.5", "loss@10=0.25", "training_accuracy@100=0.98"],
  ],
];

for (const [who, text, expected] of FORMS)
  test(`what ${who} prints is read`, () => assert.deepEqual(scan(text), expected));

test("a form of the user's own is read, and then no other", () => {
  const scanner = createMetricScanner({
    patterns: [/at (?<step>\d+) the (?<name>\w+) is (?<value>[\d.]+)/, /^plain ([\d.]+)$/],
  });
  assert.deepEqual(scanner.push("at 7 the error is 0.5\nloss=3\nplain 2\n"), [
    { name: "error", step: 7, value: 0.5 },
    { name: "metric", step: 1, value: 2 },
  ]);
});

test("settings, parsed arguments and ordinary text are no metrics", () => {
  assert.deepEqual(
    scan(
      "Namespace(lr=0.1, epochs=3)\nseed=7 num_gpus=2 --lr=0.1 version=1.2.3 path=/a/1 name=3x loss=nan\n" +
        "PYTHONUNBUFFERED = 1\nPATH=1\nTime: 12:30:05\nloss function: 3 terms\nloss 12:30\nepochs: 5\nerror 404: not found\n" +
        "Total params: 1,199,882\nlr scheduler 2 of 3\n",
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
