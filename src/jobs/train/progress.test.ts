import assert from "node:assert/strict";
import { test } from "node:test";
import { createProgressReader, type Progress } from "./progress.ts";

const CASES: readonly (readonly [string, Progress | undefined])[] = [
  ["Epoch 3/10\n", { unit: "epoch", done: 3, total: 10 }],
  ["epoch: 3 of 10 loss=1\n", { unit: "epoch", done: 3, total: 10 }],
  ["Epoch [2/5], Step [300/600], Loss: 0.1\n", { unit: "epoch", done: 2, total: 5 }],
  ["step 5/100\nstep 6/100\n", { unit: "step", done: 6, total: 100 }],
  ["epoch 1/2\nstep 6/100\n", { unit: "epoch", done: 1, total: 2 }],
  ["step 6/100\nepoch 1/2\n", { unit: "epoch", done: 1, total: 2 }],
  [" 45%|████▌     | 45/100 [00:12<00:15, 3.6it/s]\r", { unit: "", done: 45, total: 100 }],
  ["epoch=3 loss=0.5\n", undefined],
  ["saved step 12/3 and 1/0\n", undefined],
  ["the 3/10 rule\n", undefined],
];

test("how far training is stands in what it prints", () => {
  for (const [text, expected] of CASES) {
    const reader = createProgressReader();
    for (const letter of text) reader.push(letter);
    assert.deepEqual(reader.current(), expected, text);
  }
});
