import assert from "node:assert/strict";
import { test } from "node:test";
import {
  parseDescription,
  parseProjectFile,
  printDescription,
  type ModelDescription,
} from "./index.ts";

const description: ModelDescription = {
  schemaVersion: 1,
  name: "cats",
  kind: "onnx",
  contract: "model-server",
  service: "MODEL",
  ports: { http: 5000 },
  server: {},
  preprocess: {
    input: "image",
    size: [224, 192],
    channels: "bgr",
    layout: "NCHW",
    scale: 1 / 255,
    mean: [0.5],
    std: [0.1, 0.2, 0.3],
    fit: "crop",
    resample: "bicubic",
  },
  postprocess: { top: 3, threshold: 0.25 },
  labels: ["", "cat", "dog"],
};

test("settings of pictures and answers, and names of classes, are read as they were written", () => {
  assert.deepEqual(parseDescription(printDescription(description)), description);
});

const WRONG: readonly (readonly [key: string, value: object])[] = [
  ["preprocess.size", { preprocess: { size: [0, 3] } }],
  ["preprocess.channels", { preprocess: { channels: "cmyk" } }],
  ["preprocess.std", { preprocess: { std: [] } }],
  ["preprocess.scale", { preprocess: { scale: "1/255" } }],
  ["postprocess.top", { postprocess: { top: 0 } }],
  ["postprocess.threshold", { postprocess: { threshold: 2 } }],
  ["labels", { labels: [1] }],
];

for (const [key, value] of WRONG)
  test(`a description with a wrong ${key} is refused by the key`, () => {
    const bytes = Buffer.from(JSON.stringify({ ...description, ...value }));
    assert.throws(() => parseDescription(bytes), {
      code: "PROJECT_INVALID",
      message: new RegExp(key),
    });
  });

test("a project file may say a fraction, and one number for all channels", async () => {
  const { preprocess, postprocess } = await parseProjectFile(
    "preprocess: { scale: 1/255, mean: 0.5, std: [0.2, 0.2, 0.3], size: [28, 28] }\npostprocess: { labels: names.pbtxt, threshold: 0.3 }\n",
  );
  assert.deepEqual(preprocess, {
    scale: 1 / 255,
    mean: [0.5],
    std: [0.2, 0.2, 0.3],
    size: [28, 28],
  });
  assert.deepEqual(postprocess, { labels: "names.pbtxt", threshold: 0.3 });
  await assert.rejects(parseProjectFile("preprocess: { size: [28] }\n"), /preprocess\.size/);
});
